/** In place of the position of a line: the field has no line, or has one of its own. */
export const asStrings = -1
export const asRepeated = -2

/** In place of the number of a name: the field is gone for good. Of one that was taken out it is the complement of its number. */
export const gone = -100

/** Numbers of one entry, and where among them each stands behind the number of the name. */
export const width = 6
export const lineStartAt = 1
export const lineEndAt = 2
export const nameEndAt = 3
export const valueStartAt = 4
export const valueEndAt = 5
