/** What a `Roster` can list. */
export interface Listed {
  /** Where it stands in its roster; -1: in none. Written by the roster alone. */
  place: number
}

/**
 * Things that come and go by the thousand, each in one roster at most. A `Set` would do, but it moves to another
 * table every few additions, and V8 keeps tables linked from old to new: once one has grown old, all later
 * ones, and every connection they listed, live until the next full collection.
 */
export class Roster<Member extends Listed> {
  readonly #members: Member[] = []

  get size(): number {
    return this.#members.length
  }

  /** Adds; what is listed here already stays. */
  add(member: Member): void {
    if (member.place >= 0) return
    member.place = this.#members.push(member) - 1
  }

  /** Takes out; one that is not listed is ignored. */
  delete(member: Member): void {
    const { place } = member
    if (place < 0) return
    const members = this.#members
    const last = members.pop() as Member
    if (last !== member) {
      members[place] = last
      last.place = place
    }
    member.place = -1
  }

  /** The members as they are now, in no order. They may be added and deleted meanwhile. */
  all(): Member[] {
    return this.#members.slice()
  }
}
