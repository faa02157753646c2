import type { Output } from '../session/output.ts'
import { DynamicTable, entryOverhead } from './dynamic-table.ts'
import type { TableEntry } from './dynamic-table.ts'
import { fieldHash, ownCopy, sentFieldName } from './field-name.ts'
import type { FieldName } from './field-name.ts'
import { huffmanBytes, huffmanEncode } from './huffman.ts'
import type { SentField } from './sent-lines.ts'
import { staticTable } from './static-table.ts'

/** Fields remembered for the table: a power of two. */
const cacheSlots = 128
/** A value longer than this is never put into the table: it would push out many others. */
const indexedValueBytesMax = 256

const methodName = sentFieldName(':method')
const schemeName = sentFieldName(':scheme')
const pathName = sentFieldName(':path')
const statusName = sentFieldName(':status')

/** By status the index of the static table; 0: it is not there. */
const staticStatuses = new Uint8Array(1000)
const staticPairs = new Map<FieldName, Map<string, number>>()
for (const [i, [name, value]] of staticTable.entries()) {
  if (value === '') continue
  if (name === ':status') staticStatuses[Number(value)] = i + 1
  const fieldName = sentFieldName(name)
  const values = staticPairs.get(fieldName) ?? new Map<string, number>()
  staticPairs.set(fieldName, values.set(value, i + 1))
}

/** An entry with its place in the order of insertions. */
interface CachedEntry extends TableEntry {
  readonly number: number
}

/**
 * Encodes the header blocks of one direction of a connection (RFC 7541).
 *
 * A field enters the dynamic table when it is met for the second time: values that come once (ids,
 * lengths, paths) never push out those that come again. Found again it costs one look into a small
 * direct-mapped cache and a byte or two of output. Credentials are literals "never indexed". What enters
 * the table is Huffman-coded, once; what does not is sent as it is: coding it each time would cost more
 * time than its few bytes are worth.
 */
export class HpackEncoder {
  readonly #table: DynamicTable<CachedEntry>
  readonly #tableBytesMax: number
  /** Table size last told to the peer. */
  #announced: number
  /** Smallest limit since; it must be told too (4.2). */
  #smallest: number
  /** Hashes of the fields met last, and the entry of each that is in the table. Made at first use. */
  #met: Int32Array | undefined
  #entries: (CachedEntry | undefined)[] = []

  /** `tableBytesMax` bounds our memory, whatever the peer allows. */
  constructor(tableBytesMax: number) {
    const limit = Math.min(4096, tableBytesMax)
    this.#tableBytesMax = tableBytesMax
    this.#table = new DynamicTable(limit)
    this.#announced = 4096
    this.#smallest = limit
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. Takes effect with the next block. */
  allow(tableBytes: number): void {
    const limit = Math.min(tableBytes, this.#tableBytesMax)
    this.#table.limit = limit
    this.#smallest = Math.min(this.#smallest, limit)
  }

  /** Octets that the dynamic table counts, for tests. */
  get tableBytes(): number {
    return this.#table.size
  }

  /** Begins a block. */
  begin(out: Output): void {
    const { limit } = this.#table
    if (limit === this.#announced && this.#smallest >= limit) return
    out.reserve(12)
    if (this.#smallest < limit) writeInteger(out, 0x20, 0x1f, this.#smallest)
    writeInteger(out, 0x20, 0x1f, limit)
    this.#announced = limit
    this.#smallest = limit
  }

  status(out: Output, status: number): void {
    const index = staticStatuses[status] ?? 0
    if (index === 0) this.field(out, statusName, String(status))
    else out.reserve(1)[out.length++] = 0x80 | index
  }

  /** The pseudo-header fields that most requests repeat. */
  method(out: Output, method: string): void {
    this.#staticOr(out, methodName, method)
  }

  scheme(out: Output, scheme: string): void {
    this.#staticOr(out, schemeName, scheme)
  }

  path(out: Output, path: string): void {
    this.#staticOr(out, pathName, path)
  }

  #staticOr(out: Output, name: FieldName, value: string): void {
    const index = staticPairs.get(name)?.get(value)
    if (index === undefined) this.field(out, name, value)
    else out.reserve(1)[out.length++] = 0x80 | index
  }

  field(out: Output, name: FieldName, value: string): void {
    if (name.secret) {
      this.sensitiveField(out, name, value)
      return
    }
    this.#field(out, name, value, fieldHash(name, value), false)
  }

  /** The same for a field at hand in strings of its own. The table keeps these, and a comparison ends at once. */
  sentField(out: Output, { name, value, hash }: SentField): void {
    this.#field(out, name, value, hash, true)
  }

  // oxlint-disable-next-line max-params -- once a field
  #field(out: Output, name: FieldName, value: string, hash: number, own: boolean): void {
    const slot = hash & (cacheSlots - 1)
    const entry = this.#entries[slot]
    const { inserted, count } = this.#table
    if (entry !== undefined && entry.number > inserted - count) {
      if (entry.name === name && entry.value === value) {
        out.reserve(4)
        writeInteger(out, 0x80, 0x7f, staticTable.length + 1 + inserted - entry.number)
        return
      }
    }
    this.#met ??= new Int32Array(cacheSlots)
    const again = this.#met[slot] === hash && value.length <= indexedValueBytesMax
    this.#met[slot] = hash
    const size = name.name.length + value.length + entryOverhead
    if (again && size <= this.#table.limit) {
      this.#insert(out, name, own ? value : ownCopy(value), slot)
    } else writeLiteral(out, 0x00, name, value)
  }

  /** A literal that no intermediary may put into a table (6.2.3). */
  sensitiveField(out: Output, name: FieldName, value: string): void {
    writeLiteral(out, 0x10, name, value)
  }

  // oxlint-disable-next-line max-params -- once a new field, from one place
  #insert(out: Output, name: FieldName, value: string, slot: number): void {
    reserveLiteral(out, name, value)
    if (name.staticIndex > 0) {
      writeInteger(out, 0x40, 0x3f, name.staticIndex)
    } else {
      out.buffer[out.length++] = 0x40
      writeCoded(out, name.name)
    }
    writeCoded(out, value)
    const entry = {
      name,
      value,
      size: name.name.length + value.length + entryOverhead,
      valid: true,
      number: this.#table.inserted + 1,
    }
    this.#table.insert(entry)
    this.#entries[slot] = entry
  }
}

function writeInteger(out: Output, bits: number, mask: number, value: number): void {
  const { buffer } = out
  if (value < mask) {
    buffer[out.length++] = bits | value
    return
  }
  buffer[out.length++] = bits | mask
  let rest = value - mask
  while (rest >= 0x80) {
    buffer[out.length++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[out.length++] = rest
}

function reserveLiteral(out: Output, name: FieldName, value: string): void {
  out.reserve(name.name.length + value.length + 24)
}

/** A literal that stays out of the table; `bits` tell which of the two kinds. */
function writeLiteral(out: Output, bits: number, name: FieldName, value: string): void {
  reserveLiteral(out, name, value)
  if (name.staticIndex > 0) {
    writeInteger(out, bits, 0x0f, name.staticIndex)
  } else {
    out.buffer[out.length++] = bits
    writePlain(out, name.name)
  }
  writePlain(out, value)
}

/** A string (5.2) as it is. The caller has reserved the room. */
function writePlain(out: Output, text: string): void {
  writeInteger(out, 0x00, 0x7f, text.length)
  const { buffer } = out
  let at = out.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    buffer[at++] = code > 0xff ? 0x3f : code
  }
  out.length = at
}

/** A string in Huffman code where that is shorter. */
function writeCoded(out: Output, text: string): void {
  const coded = huffmanBytes(text)
  if (coded >= text.length) {
    writePlain(out, text)
    return
  }
  writeInteger(out, 0x80, 0x7f, coded)
  out.length = huffmanEncode(text, out.buffer, out.length)
}
