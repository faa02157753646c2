import { fieldLine } from './field-block.ts'
import type { FieldBlock, RepeatedField } from './field-block.ts'
import { FieldEntries } from './field-entries.ts'
import { asRepeated, asStrings, gone, lineEndAt, lineStartAt, width } from './field-places.ts'
import { fieldText } from './field-text.ts'
import { fieldId } from './known-fields.ts'
import type { FieldId } from './known-fields.ts'
import type { PreparedFields } from './prepared-fields.ts'
import { keepRemoval, keptRemoval } from './removals.ts'
import type { Removal } from './removals.ts'

/**
 * The header or trailer fields of one message: flat, in order, latin1.
 *
 * Received lines stay where they are, as positions in the text of the head; a name or a value
 * becomes a string only when somebody asks for it, and an HTTP/1.1 writer copies untouched runs of
 * lines whole. Fields of other origin (HTTP/2, policies) are kept as strings, and prepared ones that
 * come last as what they are until somebody looks at them. Valid until the exchange ends; then the
 * object is used again.
 */
export class Fields extends FieldEntries {
  /**
   * A field other than a credential came "never indexed" (RFC 7541 6.2.3): an HTTP/2 writer keeps every
   * field of this message out of its compression table.
   */
  sensitive = false

  /** Prepared fields behind all entries. */
  #tail: PreparedFields | undefined
  #block: FieldBlock | undefined
  /** What `copyReceived` brought, how many entries, and which of them were taken out since, a bit each. */
  #origin: Fields | undefined
  #copied = 0
  #removed = 0
  /** What was taken out of the copies of this one. */
  readonly #removals: Removal[] = []

  clear(): void {
    this.text = ''
    this.count = 0
    this.mask = 0
    this.sent = 0
    this.sentMask = 0
    this.sensitive = false
    this.#tail = undefined
    this.#block = undefined
    this.#origin = undefined
    this.#copied = 0
    this.#removed = 0
    if (this.#removals.length > 0) this.#removals.length = 0
  }

  /** Entries, removed ones included. */
  get size(): number {
    if (this.#tail !== undefined) this.#spread()
    return this.count
  }

  /** Every entry is a received line, removed ones included. */
  get onlyReceived(): boolean {
    for (let i = 0; i < this.count; i++)
      if ((this.places[i * width + lineStartAt] as number) < 0) return false
    return this.#block === undefined && this.#tail === undefined
  }

  /** Becomes what `other` is, which holds received lines alone. */
  copyReceived(other: Fields): void {
    const { count } = other
    this.text = other.text
    this.count = count
    this.mask = other.mask
    this.#origin = other
    this.#copied = count
    const { places } = this
    const from = other.places
    const end = count * width
    for (let at = 0; at < end; at++) places[at] = from[at] as number
  }

  /** Adds a field. What may not stand in a value is escaped, so that none of it begins another line. */
  append(name: string, value: string): void {
    this.appendKnown(fieldId(name.toLowerCase()), name, fieldText(value))
  }

  /** As `append`, where the number of the name is at hand and the value is known to be valid. */
  appendKnown(id: FieldId, name: string, value: string): void {
    if (this.#tail !== undefined) this.#spread()
    this.addStrings(id, name, value)
  }

  /** As `appendKnown`, where the field's line is at hand. */
  // oxlint-disable-next-line max-params -- once a field
  appendRepeated(id: FieldId, name: string, value: string, field: RepeatedField): void {
    this.appendKnown(id, name, value)
    const i = this.count - 1
    this.places[i * width + lineStartAt] = asRepeated
    this.repeated[i] = field
  }

  /** Adds prepared fields, in their order. */
  appendPrepared(fields: PreparedFields): void {
    if (fields.ids.length === 0) return
    if (this.#tail !== undefined) this.#spread()
    this.#tail = fields
    this.mask |= fields.mask
  }

  /** Makes entries of the prepared fields behind them. */
  #spread(): void {
    const { ids, names, values, lines } = this.#tail as PreparedFields
    this.#tail = undefined
    const first = this.count
    for (let at = 0; at < ids.length; at++) {
      this.addStrings(ids[at] as FieldId, names[at] as string, values[at] as string)
    }
    this.places[first * width + lineEndAt] = ids.length
    this.lines[first] = lines
  }

  /** Replaces every field of the names of these by these. */
  setPrepared(fields: PreparedFields): void {
    this.removePrepared(fields)
    this.appendPrepared(fields)
  }

  /** Removes every field of the names of these. */
  removePrepared(fields: PreparedFields): void {
    if (this.#block !== undefined) this.#block = this.#block.withoutAll(fields)
    if (this.#tail?.mayShareNames(fields) === true) this.#spread()
    for (let i = this.#removeCopied(fields); i < this.count; i++) {
      if (this.isAmong(i, fields)) this.removeAt(i)
    }
    this.mask &= ~(fields.mask & ~1)
  }

  /** The same of the entries that `copyReceived` brought: what leaves may be known. Gives the entry to go on with. */
  #removeCopied(fields: PreparedFields): number {
    const before = this.#removed
    if (this.#origin === undefined || before < 0) return 0
    const removals = this.#origin.#removals
    const kept = keptRemoval(removals, fields, before)
    if (kept >= 0) {
      for (let left = kept; left !== 0; left &= left - 1)
        this.removeAt(31 - Math.clz32(left & -left))
      return this.#copied
    }
    for (let i = 0; i < this.#copied; i++) if (this.isAmong(i, fields)) this.removeAt(i)
    if (this.#removed >= 0) keepRemoval(removals, fields, before, this.#removed)
    return this.#copied
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

  /** Removes every field of this lower-case name that the message came with. What was put in its place stays. */
  removeSent(lowerName: string): void {
    const id = fieldId(lowerName)
    for (let i = this.findSent(id, lowerName); i >= 0 && i < this.sent; i++) {
      if (this.isSent(i, id, lowerName)) this.removeAt(i)
    }
  }

  #remove(id: FieldId, lower: string): void {
    this.#block = this.#block?.without(lower)
    if (id > 0) {
      this.removeKnown(1 << id)
      return
    }
    for (let i = 0; i < this.size; i++) {
      if (this.places[i * width] === 0 && this.hasName(i, lower)) this.removeAt(i)
    }
  }

  /** Removes every known field whose bit is in the mask; the block stays. */
  removeKnown(mask: number): void {
    if ((this.mask & mask) === 0) return
    for (let i = 0; i < this.size; i++) {
      const id = this.places[i * width] as number
      if (id > 0 && ((mask >>> id) & 1) === 1) this.removeAt(i)
    }
    this.mask &= ~mask
  }

  /** Gives one entry another value, at its place; what may not stand in a value is escaped. */
  setAt(i: number, value: string): void {
    this.#reach(i)
    // Lines that were prepared tell the old one.
    for (let at = i; at >= 0 && (this.places[at * width + lineStartAt] as number) < 0; at--)
      this.places[at * width + lineEndAt] = 0
    this.names[i] = this.nameAt(i)
    this.values[i] = fieldText(value)
    this.places[i * width + lineStartAt] = asStrings
    this.places[i * width + lineEndAt] = 0
    if (i < this.#copied) this.#removed = -1
  }

  /**
   * What was taken out, and what came behind the first `before` entries, counts as if the message had come so. Of
   * known fields in the mask `except` what was taken out still counts as it came.
   */
  acceptChanges(before: number, except: number): void {
    const { size } = this
    const own: number[] = []
    for (let i = 0; i < size; i++) {
      const id = this.places[i * width] as number
      if (id < 0 && (except & (1 << ~id) & ~1) === 0) this.places[i * width] = gone
      else if (id >= 0 && i >= this.sent && i < before) own.push(i)
    }
    const kept = own.map((i) => [this.idAt(i), this.nameAt(i), this.valueAt(i)] as const)
    for (const i of own) this.places[i * width] = gone
    const sentMask = this.sentMask & except
    this.markSent()
    this.sentMask |= sentMask
    for (const [id, name, value] of kept) this.appendKnown(id, name, value)
  }

  /** Takes one entry out. */
  removeAt(i: number): void {
    this.#reach(i)
    const id = this.places[i * width] as number
    if (id >= 0) this.places[i * width] = ~id
    if (i < this.#copied) this.#removed |= 1 << Math.min(i, 31)
  }

  /** Makes entries of the prepared fields behind them if entry i is one of those. */
  #reach(i: number): void {
    if (i >= this.count && this.#tail !== undefined) this.#spread()
  }

  /** The fields behind all others, if there are any. */
  get block(): FieldBlock | undefined {
    return this.#block
  }

  /** The value of the first field with this lower-case name, or undefined. The block is not searched. */
  get(lowerName: string): string | undefined {
    return this.getKnown(fieldId(lowerName), lowerName)
  }

  /** As `get`, where the number of the name is at hand. */
  getKnown(id: FieldId, lowerName: string): string | undefined {
    const i = this.find(id, lowerName)
    return i < 0 ? undefined : this.valueAt(i)
  }

  /** The first entry with this lower-case name, which has this number; -1: there is none. The block is not searched. */
  find(id: FieldId, lowerName: string): number {
    if (id > 0 && (this.mask & (1 << id)) === 0) return -1
    if (this.#tail?.mayHave(id, lowerName) === true) this.#spread()
    for (let i = 0; i < this.count; i++) {
      if (this.places[i * width] !== id) continue
      if (id > 0 || this.hasName(i, lowerName)) return i
    }
    return -1
  }

  /**
   * All values under this lower-case name joined by `separator` (RFC 9110 5.3), or undefined. The block is
   * not searched.
   */
  getJoined(lowerName: string, separator = ', '): string | undefined {
    const id = fieldId(lowerName)
    if (id > 0 && (this.mask & (1 << id)) === 0) return undefined
    if (this.#tail?.mayHave(id, lowerName) === true) this.#spread()
    let joined: string | undefined
    for (let i = 0; i < this.count; i++) {
      if (this.places[i * width] !== id || (id === 0 && !this.hasName(i, lowerName))) continue
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
    return this.#linesOf(0, this.count) + (this.#tail?.lines ?? '') + (this.#block?.lines ?? '')
  }

  /** Which lines that `copyReceived` brought were taken out, a bit each; negative: that tells not all. */
  get removedLines(): number {
    return this.#removed
  }

  /** Prepared fields that follow those lines with nothing between. */
  get copiedTail(): PreparedFields | undefined {
    return this.count === this.#copied ? this.#tail : undefined
  }

  /** Of those lines what is left. */
  copiedLines(): string {
    return this.#linesOf(0, this.#copied)
  }

  /** All fields behind them and behind `copiedTail`. */
  addedLines(): string {
    const block = this.#block?.lines ?? ''
    if (this.count === this.#copied) return block
    return this.#linesOf(this.#copied, this.count) + (this.#tail?.lines ?? '') + block
  }

  #linesOf(from: number, end: number): string {
    let lines = ''
    let runStart = -1
    let runEnd = -1
    for (let i = from; i < end; i++) {
      const id = this.places[i * width] as number
      if (id < 0) continue
      const start = this.places[i * width + lineStartAt] as number
      if (start < 0) {
        if (runStart >= 0) lines += this.text.slice(runStart, runEnd)
        runStart = -1
        if (start === asRepeated) lines += (this.repeated[i] as RepeatedField).line
        else if (this.#isWhole(i)) {
          lines += this.lines[i]
          i += (this.places[i * width + lineEndAt] as number) - 1
        } else lines += fieldLine(this.names[i] as string, this.values[i] as string)
        continue
      }
      if (start !== runEnd || runStart < 0) {
        if (runStart >= 0) lines += this.text.slice(runStart, runEnd)
        runStart = start
      }
      runEnd = this.places[i * width + lineEndAt] as number
    }
    if (runStart >= 0) lines += this.text.slice(runStart, runEnd)
    return lines
  }

  /** Whether prepared fields begin at an entry of our own, and all of them are still there. */
  #isWhole(i: number): boolean {
    const end = i + (this.places[i * width + lineEndAt] as number)
    for (let at = i; at < end; at++) if ((this.places[at * width] as number) < 0) return false
    return end > i
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
