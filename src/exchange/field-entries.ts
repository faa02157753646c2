import type { RepeatedField } from './field-block.ts'
import {
  asStrings,
  gone,
  lineEndAt,
  lineStartAt,
  nameEndAt,
  valueEndAt,
  valueStartAt,
  width,
} from './field-places.ts'
import { fieldId } from './known-fields.ts'
import type { FieldId } from './known-fields.ts'
import { equalsLower, folded } from './name-text.ts'
import type { PreparedFields } from './prepared-fields.ts'

/**
 * The entries of one message's fields, in columns: where each lies in the text of the head, or what it is as
 * strings. What is done with them is in `fields.ts`.
 */
export class FieldEntries {
  /** The text that received lines lie in. */
  text = ''
  /** Bit 1 << id for each known field present. Bits may outlive a removed field, never the reverse. */
  mask = 0
  /** Entries, removed ones included. */
  protected count = 0
  /** So many entries the message came with, and these known fields; see `markSent`. */
  protected sent = 0
  protected sentMask = 0
  /** By entry, see `field-places.ts`. One array lies in fewer places of memory than one for each. */
  protected readonly places: number[] = []
  // Parallel columns of what is text; `repeated` holds where the line starts at `asRepeated`.
  protected readonly names: string[] = []
  protected readonly values: string[] = []
  /** Prepared lines, at the entry that they begin with; of an entry of our own `lineEnd` says how many they are. */
  protected readonly lines: string[] = []
  protected readonly repeated: (RepeatedField | undefined)[] = []

  /**
   * Records a received line of `text`: it starts with the name and ends behind its CRLF, at
   * `lineEnd`; `valueEnd` is before any trailing white space.
   */
  // oxlint-disable-next-line max-params -- once a line on the request path: no object for it
  addLine(
    id: FieldId,
    lineStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    lineEnd: number,
  ): void {
    const at = this.count++ * width
    const { places } = this
    places[at] = id
    places[at + lineStartAt] = lineStart
    places[at + lineEndAt] = lineEnd
    places[at + nameEndAt] = nameEnd
    places[at + valueStartAt] = valueStart
    places[at + valueEndAt] = valueEnd
    this.mask |= 1 << id
  }

  /** Adds an entry that is strings. */
  protected addStrings(id: FieldId, name: string, value: string): void {
    this.names[this.count] = name
    this.values[this.count] = value
    this.addLine(id, asStrings, 0, 0, 0, 0)
  }

  /** Whether entry i is still there. */
  present(i: number): boolean {
    return (this.places[i * width] as number) >= 0
  }

  /**
   * Whether the name of entry i begins so, in any case. A `-` stands for every character that is no letter
   * or digit: CGI and its heirs read `_`, and some also `.`, as a hyphen.
   */
  nameBegins(i: number, lowerStart: string): boolean {
    const start = this.places[i * width + lineStartAt] as number
    const text = start < 0 ? (this.names[i] as string) : this.text
    const from = Math.max(0, start)
    const end = start < 0 ? text.length : (this.places[i * width + nameEndAt] as number)
    if (end - from < lowerStart.length) return false
    for (let at = 0; at < lowerStart.length; at++) {
      if (folded(text.charCodeAt(from + at)) !== lowerStart.charCodeAt(at)) return false
    }
    return true
  }

  idAt(i: number): FieldId {
    return this.places[i * width] as number
  }

  /** Where the received line of entry i begins in `text`; negative: the field is kept as strings. */
  lineStartAt(i: number): number {
    return this.places[i * width + lineStartAt] as number
  }

  /** Where a received line ends in `text`, behind its CRLF. */
  lineEndAt(i: number): number {
    return this.places[i * width + lineEndAt] as number
  }

  /** The name as it was sent. */
  nameAt(i: number): string {
    const start = this.places[i * width + lineStartAt] as number
    return start < 0
      ? (this.names[i] as string)
      : this.text.slice(start, this.places[i * width + nameEndAt])
  }

  valueAt(i: number): string {
    if ((this.places[i * width + lineStartAt] as number) < 0) return this.values[i] as string
    return this.text.slice(
      this.places[i * width + valueStartAt],
      this.places[i * width + valueEndAt],
    )
  }

  /** The message is here: whatever becomes of its fields from now on, the methods of what was sent tell these. */
  markSent(): void {
    this.sent = this.count
    this.sentMask = this.mask
  }

  /** As `find`, as the message came: no matter what was taken out or put in place of it since. */
  findSent(id: FieldId, lowerName: string): number {
    if (id > 0 && (this.sentMask & (1 << id)) === 0) return -1
    for (let i = 0; i < this.sent; i++) if (this.isSent(i, id, lowerName)) return i
    return -1
  }

  /** The value of the first field with this lower-case name that the message came with, or undefined. */
  getSent(lowerName: string): string | undefined {
    return this.getSentKnown(fieldId(lowerName), lowerName)
  }

  /** As `getSent`, where the number of the name is at hand. */
  getSentKnown(id: FieldId, lowerName: string): string | undefined {
    const i = this.findSent(id, lowerName)
    return i < 0 ? undefined : this.valueAt(i)
  }

  /** All values under this lower-case name that the message came with, joined by `separator`, or undefined. */
  getSentJoined(lowerName: string, separator = ', '): string | undefined {
    return this.getSentJoinedKnown(fieldId(lowerName), lowerName, separator)
  }

  /** As `getSentJoined`, where the number of the name is at hand. */
  getSentJoinedKnown(id: FieldId, lowerName: string, separator = ', '): string | undefined {
    let joined: string | undefined
    for (let i = this.findSent(id, lowerName); i >= 0 && i < this.sent; i++) {
      if (!this.isSent(i, id, lowerName)) continue
      joined = joined === undefined ? this.valueAt(i) : joined + separator + this.valueAt(i)
    }
    return joined
  }

  /** Calls `visit` for every field that the message came with, in order. */
  forEachSent(visit: (name: string, value: string) => void): void {
    for (let i = 0; i < this.sent; i++) {
      if ((this.places[i * width] as number) > gone) visit(this.nameAt(i), this.valueAt(i))
    }
  }

  protected isSent(i: number, id: FieldId, lowerName: string): boolean {
    const own = this.places[i * width] as number
    return (own === id || own === ~id) && (id > 0 || this.hasName(i, lowerName))
  }

  /** Whether the value of entry i is this one; without making a string of it. */
  hasValue(i: number, value: string): boolean {
    if ((this.places[i * width + lineStartAt] as number) < 0) return this.values[i] === value
    const start = this.places[i * width + valueStartAt] as number
    const length = (this.places[i * width + valueEndAt] as number) - start
    return length === value.length && this.text.startsWith(value, start)
  }

  protected nameLength(i: number): number {
    const start = this.places[i * width + lineStartAt] as number
    return start < 0
      ? (this.names[i] as string).length
      : (this.places[i * width + nameEndAt] as number) - start
  }

  protected hasName(i: number, lowerName: string): boolean {
    if (this.nameLength(i) !== lowerName.length) return false
    const start = this.places[i * width + lineStartAt] as number
    return start < 0
      ? equalsLower(this.names[i] as string, 0, lowerName)
      : equalsLower(this.text, start, lowerName)
  }

  /** Whether entry i is there and has one of these names. */
  protected isAmong(i: number, { mask, lengths, unknownNames }: PreparedFields): boolean {
    const id = this.places[i * width] as number
    if (id !== 0) return id > 0 && ((mask >>> id) & 1) === 1
    const length = this.nameLength(i) & 31
    if (((lengths >>> length) & 1) === 0) return false
    for (const name of unknownNames[length] as readonly string[]) {
      if (this.hasName(i, name)) return true
    }
    return false
  }
}
