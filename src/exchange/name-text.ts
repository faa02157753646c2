/** Whether the text reads like this lower-case name from `start` on, letters in any case. */
export function equalsLower(text: string, start: number, lowerName: string): boolean {
  for (let at = 0; at < lowerName.length; at++) {
    const unit = text.charCodeAt(start + at)
    const lower = unit >= 0x41 && unit <= 0x5a ? unit | 0x20 : unit
    if (lower !== lowerName.charCodeAt(at)) return false
  }
  return true
}

const hyphen = 0x2d

/** A letter in lower case, a digit as it is, anything else as a hyphen. */
export function folded(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x7a ? lower : hyphen
}
