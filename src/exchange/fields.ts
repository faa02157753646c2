import { fieldLine } from './field-block.ts'
import type { FieldBlock, RepeatedField } from './field-block.ts'
import {
  asRepeated,
  asStrings,
  lineEndAt,
  lineStartAt,
  nameEndAt,
  valueEndAt,
  valueStartAt,
  width,
} from './field-places.ts'
import { fieldText } from './field-text.ts'
import { fieldId } from './known-fields.ts'
import type { FieldId } from './known-fields.ts'
import { equalsLower, folded } from './name-text.ts'
import type { PreparedFields } from './prepared-fields.ts'

/**
 * The header or trailer fields of one message: flat, in order, latin1.
 *
 * Received lines stay where they are, as positions in the text of the head; a name or a value
 * becomes a string only when somebody asks for it, and an HTTP/1.1 writer copies untouched runs of
 * lines whole. Fields of other origin (HTTP/2, policies) are kept as strings. Valid until the
 * exchange ends; then the object is used again.
 */
export class Fields {
  /** The text that received lines lie in. */
  text = ''
  /** Entries, removed ones included. */
  size = 0
  /** Bit 1 << id for each known field present. Bits may outlive a removed field, never the reverse. */
  mask = 0
  /**
   * A field other than a credential came "never indexed" (RFC 7541 6.2.3): an HTTP/2 writer keeps every
   * field of this message out of its compression table.
   */
  sensitive = false

  /** By entry, see `field-places.ts`. One array lies in fewer places of memory than one for each. */
  readonly #places: number[] = []
  // Parallel columns of what is text; `repeated` holds where the line starts at `asRepeated`.
  readonly #names: string[] = []
  readonly #values: string[] = []
  /** Prepared lines, at the entry that they begin with; of an entry of our own `lineEnd` says how many they are. */
  readonly #lines: string[] = []
  readonly #repeated: (RepeatedField | undefined)[] = []
  #block: FieldBlock | undefined
  /** Entries that `copyReceived` brought, and which of them were taken out since, a bit each. */
  #copied = 0
  #removed = 0

  clear(): void {
    this.text = ''
    this.size = 0
    this.mask = 0
    this.sensitive = false
    this.#block = undefined
    this.#copied = 0
    this.#removed = 0
  }

  /** Every entry is a received line, removed ones included. */
  get onlyReceived(): boolean {
    for (let i = 0; i < this.size; i++)
      if ((this.#places[i * width + lineStartAt] as number) < 0) return false
    return this.#block === undefined
  }

  /** Becomes what `other` is, which holds received lines alone. */
  copyReceived(other: Fields): void {
    const { size } = other
    this.text = other.text
    this.size = size
    this.mask = other.mask
    this.#copied = size
    const end = size * width
    for (let at = 0; at < end; at++) this.#places[at] = other.#places[at] as number
  }

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
    const at = this.size++ * width
    const places = this.#places
    places[at] = id
    places[at + lineStartAt] = lineStart
    places[at + lineEndAt] = lineEnd
    places[at + nameEndAt] = nameEnd
    places[at + valueStartAt] = valueStart
    places[at + valueEndAt] = valueEnd
    this.mask |= 1 << id
  }

  /** Adds a field. What may not stand in a value is escaped, so that none of it begins another line. */
  append(name: string, value: string): void {
    this.appendKnown(fieldId(name.toLowerCase()), name, fieldText(value))
  }

  /** As `append`, where the number of the name is at hand and the value is known to be valid. */
  appendKnown(id: FieldId, name: string, value: string): void {
    this.#names[this.size] = name
    this.#values[this.size] = value
    this.addLine(id, asStrings, 0, 0, 0, 0)
  }

  /** As `appendKnown`, where the field's line is at hand. */
  // oxlint-disable-next-line max-params -- once a field
  appendRepeated(id: FieldId, name: string, value: string, field: RepeatedField): void {
    const i = this.size
    this.appendKnown(id, name, value)
    this.#places[i * width + lineStartAt] = asRepeated
    this.#repeated[i] = field
  }

  /** Adds prepared fields, in their order. */
  appendPrepared({ ids, names, values, lines }: PreparedFields): void {
    const first = this.size
    for (let at = 0; at < ids.length; at++) {
      this.appendKnown(ids[at] as FieldId, names[at] as string, values[at] as string)
    }
    if (ids.length === 0) return
    this.#places[first * width + lineEndAt] = ids.length
    this.#lines[first] = lines
  }

  /** Replaces every field of the names of these by these. */
  setPrepared(fields: PreparedFields): void {
    this.removePrepared(fields)
    this.appendPrepared(fields)
  }

  /** Removes every field of the names of these. */
  removePrepared(fields: PreparedFields): void {
    const { mask, lengths, unknownNames } = fields
    if (this.#block !== undefined) this.#block = this.#block.withoutAll(fields)
    // Bit 0 stands for all other names.
    if ((mask & ~1) !== 0) this.removeKnown(mask & ~1)
    if (lengths === 0) return
    for (let i = 0; i < this.size; i++) {
      if (this.#places[i * width] !== 0) continue
      const length = this.#nameLength(i) & 31
      if (((lengths >>> length) & 1) === 0) continue
      for (const name of unknownNames[length] as readonly string[]) {
        if (this.#hasName(i, name)) this.removeAt(i)
      }
    }
  }

  /** Adds prepared fields behind all others. At most one block a message; a second replaces it. */
  appendBlock(block: FieldBlock): void {
    this.#block = block
  }

  /** Replaces every field of this name by one, that of the block among them. */
  set(name: string, value: string): void {
    const lower = name.toLowerCase()
    const id = fieldId(lower)
    this.#remove(id, lower)
    this.appendKnown(id, name, fieldText(value))
  }

  remove(name: string): void {
    const lower = name.toLowerCase()
    this.#remove(fieldId(lower), lower)
  }

  #remove(id: FieldId, lower: string): void {
    this.#block = this.#block?.without(lower)
    if (id > 0) {
      this.removeKnown(1 << id)
      return
    }
    for (let i = 0; i < this.size; i++) {
      if (this.#places[i * width] === 0 && this.#hasName(i, lower)) this.removeAt(i)
    }
  }

  /** Removes every known field whose bit is in the mask; the block stays. */
  removeKnown(mask: number): void {
    if ((this.mask & mask) === 0) return
    for (let i = 0; i < this.size; i++) {
      const id = this.#places[i * width] as number
      if (id > 0 && ((mask >>> id) & 1) === 1) this.removeAt(i)
    }
    this.mask &= ~mask
  }

  /** Gives one entry another value, at its place; what may not stand in a value is escaped. */
  setAt(i: number, value: string): void {
    // Lines that were prepared tell the old one.
    for (let at = i; at >= 0 && (this.#places[at * width + lineStartAt] as number) < 0; at--)
      this.#places[at * width + lineEndAt] = 0
    this.#names[i] = this.nameAt(i)
    this.#values[i] = fieldText(value)
    this.#places[i * width + lineStartAt] = asStrings
    this.#places[i * width + lineEndAt] = 0
    if (i < this.#copied) this.#removed = -1
  }

  /** Takes one entry out. */
  removeAt(i: number): void {
    this.#places[i * width] = -1
    if (i < this.#copied) this.#removed |= 1 << Math.min(i, 31)
  }

  /** Whether entry i is still there. */
  present(i: number): boolean {
    return (this.#places[i * width] as number) >= 0
  }

  /**
   * Whether the name of entry i begins so, in any case. A `-` stands for every character that is no letter
   * or digit: CGI and its heirs read `_`, and some also `.`, as a hyphen.
   */
  nameBegins(i: number, lowerStart: string): boolean {
    const start = this.#places[i * width + lineStartAt] as number
    const text = start < 0 ? (this.#names[i] as string) : this.text
    const from = Math.max(0, start)
    const end = start < 0 ? text.length : (this.#places[i * width + nameEndAt] as number)
    if (end - from < lowerStart.length) return false
    for (let at = 0; at < lowerStart.length; at++) {
      if (folded(text.charCodeAt(from + at)) !== lowerStart.charCodeAt(at)) return false
    }
    return true
  }

  idAt(i: number): FieldId {
    return this.#places[i * width] as number
  }

  /** Where the received line of entry i begins in `text`; negative: the field is kept as strings. */
  lineStartAt(i: number): number {
    return this.#places[i * width + lineStartAt] as number
  }

  /** Where a received line ends in `text`, behind its CRLF. */
  lineEndAt(i: number): number {
    return this.#places[i * width + lineEndAt] as number
  }

  /** The fields behind all others, if there are any. */
  get block(): FieldBlock | undefined {
    return this.#block
  }

  /** The name as it was sent. */
  nameAt(i: number): string {
    const start = this.#places[i * width + lineStartAt] as number
    return start < 0
      ? (this.#names[i] as string)
      : this.text.slice(start, this.#places[i * width + nameEndAt])
  }

  valueAt(i: number): string {
    if ((this.#places[i * width + lineStartAt] as number) < 0) return this.#values[i] as string
    return this.text.slice(
      this.#places[i * width + valueStartAt],
      this.#places[i * width + valueEndAt],
    )
  }

  /** The value of the first field with this lower-case name, or undefined. The block is not searched. */
  get(lowerName: string): string | undefined {
    return this.getKnown(fieldId(lowerName), lowerName)
  }

  /** As `get`, where the number of the name is at hand. */
  getKnown(id: FieldId, lowerName: string): string | undefined {
    if (id > 0 && (this.mask & (1 << id)) === 0) return undefined
    for (let i = 0; i < this.size; i++) {
      if (this.#places[i * width] !== id) continue
      if (id > 0 || this.#hasName(i, lowerName)) return this.valueAt(i)
    }
    return undefined
  }

  /** The value of the first field of this lower-case name that was taken out: as it was sent. */
  getRemoved(lowerName: string): string | undefined {
    for (let i = 0; i < this.size; i++) {
      if (this.#places[i * width] === -1 && this.#hasName(i, lowerName)) return this.valueAt(i)
    }
    return undefined
  }

  /**
   * All values under this lower-case name joined by `separator` (RFC 9110 5.3), or undefined. The block is
   * not searched.
   */
  getJoined(lowerName: string, separator = ', '): string | undefined {
    const id = fieldId(lowerName)
    if (id > 0 && (this.mask & (1 << id)) === 0) return undefined
    let joined: string | undefined
    for (let i = 0; i < this.size; i++) {
      if (this.#places[i * width] !== id || (id === 0 && !this.#hasName(i, lowerName))) continue
      joined = joined === undefined ? this.valueAt(i) : joined + separator + this.valueAt(i)
    }
    return joined
  }

  /** Calls `visit` for every field in order, the block's included. */
  forEach(visit: (name: string, value: string) => void): void {
    for (let i = 0; i < this.size; i++) {
      if (this.present(i)) visit(this.nameAt(i), this.valueAt(i))
    }
    const pairs = this.#block?.pairs ?? []
    for (let i = 0; i < pairs.length; i += 2) visit(pairs[i] as string, pairs[i + 1] as string)
  }

  /** The fields as HTTP/1.1 lines, each with its CRLF. Runs of untouched received lines are one copy. */
  toLines(): string {
    return this.#linesOf(0, this.size) + (this.#block?.lines ?? '')
  }

  /** Which lines that `copyReceived` brought were taken out, a bit each; negative: that tells not all. */
  get removedLines(): number {
    return this.#removed
  }

  /** Of those lines what is left. */
  copiedLines(): string {
    return this.#linesOf(0, this.#copied)
  }

  /** All fields behind them. */
  addedLines(): string {
    return this.#linesOf(this.#copied, this.size) + (this.#block?.lines ?? '')
  }

  #linesOf(from: number, end: number): string {
    let lines = ''
    let runStart = -1
    let runEnd = -1
    for (let i = from; i < end; i++) {
      const id = this.#places[i * width] as number
      if (id < 0) continue
      const start = this.#places[i * width + lineStartAt] as number
      if (start < 0) {
        if (runStart >= 0) lines += this.text.slice(runStart, runEnd)
        runStart = -1
        if (start === asRepeated) lines += (this.#repeated[i] as RepeatedField).line
        else if (this.#isWhole(i)) {
          lines += this.#lines[i]
          i += (this.#places[i * width + lineEndAt] as number) - 1
        } else lines += fieldLine(this.#names[i] as string, this.#values[i] as string)
        continue
      }
      if (start !== runEnd || runStart < 0) {
        if (runStart >= 0) lines += this.text.slice(runStart, runEnd)
        runStart = start
      }
      runEnd = this.#places[i * width + lineEndAt] as number
    }
    if (runStart >= 0) lines += this.text.slice(runStart, runEnd)
    return lines
  }

  /** Whether prepared fields begin at an entry of our own, and all of them are still there. */
  #isWhole(i: number): boolean {
    const end = i + (this.#places[i * width + lineEndAt] as number)
    for (let at = i; at < end; at++) if ((this.#places[at * width] as number) < 0) return false
    return end > i
  }

  #nameLength(i: number): number {
    const start = this.#places[i * width + lineStartAt] as number
    return start < 0
      ? (this.#names[i] as string).length
      : (this.#places[i * width + nameEndAt] as number) - start
  }

  #hasName(i: number, lowerName: string): boolean {
    if (this.#nameLength(i) !== lowerName.length) return false
    const start = this.#places[i * width + lineStartAt] as number
    return start < 0
      ? equalsLower(this.#names[i] as string, 0, lowerName)
      : equalsLower(this.text, start, lowerName)
  }
}

/** The flat list [name, value, …], for tests and for code that is not on the request path. */
export function toPairs(fields: Fields): string[] {
  const pairs: string[] = []
  fields.forEach((name, value) => {
    pairs.push(name, value)
  })
  return pairs
}
