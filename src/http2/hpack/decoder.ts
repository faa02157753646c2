import type { RepeatedField } from '#src/exchange/field-block.ts'
import { valueByte } from '../messages/syntax.ts'
import { DynamicTable, entryOverhead } from './dynamic-table.ts'
import { receivedFieldName } from './field-name.ts'
import type { FieldName } from './field-name.ts'
import { decodedBytesMax, huffmanDecode } from './huffman.ts'
import { ReceivedEntry, receivedEntry } from './received-entry.ts'
import { staticTable } from './static-table.ts'

/** Who hears the fields of a block, in order. */
export interface FieldSink {
  /**
   * `valid`: the value may stand in a message. `neverIndexed`: it asks not to be compressed again. `entry`:
   * the field is one of a table.
   */
  onField(
    name: FieldName,
    value: string,
    valid: boolean,
    neverIndexed: boolean,
    entry: RepeatedField | undefined,
  ): void
}

/** `error`: COMPRESSION_ERROR, the connection cannot go on. `too-large`: decoded, but not all was told. */
export type DecodeResult = 'ok' | 'too-large' | 'error'

const staticEntries = staticTable.map(
  ([name, value]) => new ReceivedEntry(receivedFieldName(name), value, true),
)

/** Shared by all decoders of the thread; decoding is synchronous. Grows to what one block may need. */
let scratch = Buffer.allocUnsafeSlow(4096)

/**
 * Decodes the header blocks of one direction of a connection (RFC 7541). Blocks must come whole and in
 * order, those that nobody wants too. Fields beyond the limits are decoded but not told, so that a
 * small block cannot become a large list.
 */
export class HpackDecoder {
  readonly #table: DynamicTable<ReceivedEntry>
  /** What we announced as SETTINGS_HEADER_TABLE_SIZE. */
  readonly #tableBytesMax: number
  readonly #listBytesMax: number
  #buffer: Buffer = scratch
  #at = 0
  #end = 0
  /** Whether the string read last may stand as a value. */
  #valid = true
  /** Size of the list so far (RFC 9113 6.5.2). */
  #listBytes = 0

  constructor(tableBytesMax: number, listBytesMax: number) {
    this.#table = new DynamicTable(tableBytesMax)
    this.#tableBytesMax = tableBytesMax
    this.#listBytesMax = listBytesMax
  }

  /** Octets that the dynamic table counts, for tests. */
  get tableBytes(): number {
    return this.#table.size
  }

  decode(buffer: Buffer, start: number, end: number, sink: FieldSink): DecodeResult {
    this.#buffer = buffer
    this.#at = start
    this.#end = end
    this.#listBytes = 0
    if (!this.#sizeUpdates()) return 'error'
    while (this.#at < end) {
      const first = buffer[this.#at] as number
      const done = first >= 0x80 ? this.#indexed(sink) : this.#literal(first, sink)
      if (!done) return 'error'
    }
    return this.#listBytes > this.#listBytesMax ? 'too-large' : 'ok'
  }

  /** Changes of the table's size stand at the beginning of a block, two at most (4.2). */
  #sizeUpdates(): boolean {
    for (let updates = 0; this.#at < this.#end; updates++) {
      const first = this.#buffer[this.#at] as number
      if ((first & 0xe0) !== 0x20) return true
      const size = this.#integer(0x1f)
      if (size < 0 || size > this.#tableBytesMax || updates === 2) return false
      this.#table.limit = size
    }
    return true
  }

  #indexed(sink: FieldSink): boolean {
    const entry = this.#entry(this.#integer(0x7f))
    if (entry === undefined) return false
    this.#listBytes += entry.size
    if (this.#listBytes <= this.#listBytesMax) {
      sink.onField(entry.name, entry.value, entry.valid, false, entry)
    }
    return true
  }

  #literal(first: number, sink: FieldSink): boolean {
    const indexing = (first & 0x40) !== 0
    // What is neither is a size update amid a block.
    if (!indexing && (first & 0x20) !== 0) return false
    const index = this.#integer(indexing ? 0x3f : 0x0f)
    const name = index === 0 ? this.#name() : this.#entry(index)?.name
    if (name === undefined) return false
    const value = this.#string()
    if (value === undefined) return false
    const valid = this.#valid
    const size = name.name.length + value.length + entryOverhead
    if (indexing) this.#table.insert(receivedEntry(name, value, valid))
    this.#listBytes += size
    if (this.#listBytes <= this.#listBytesMax) {
      sink.onField(name, value, valid, (first & 0xf0) === 0x10, undefined)
    }
    return true
  }

  #name(): FieldName | undefined {
    const name = this.#string()
    return name === undefined ? undefined : receivedFieldName(name)
  }

  #entry(index: number): ReceivedEntry | undefined {
    if (index > staticEntries.length) return this.#table.at(index - staticEntries.length - 1)
    return staticEntries[index - 1]
  }

  /** An integer (5.1) whose prefix is `mask`; -1: cut off, or larger than anything that we allow. */
  #integer(mask: number): number {
    const prefix = (this.#buffer[this.#at++] as number) & mask
    if (prefix < mask) return prefix
    let value = prefix
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= this.#end) return -1
      const byte = this.#buffer[this.#at++] as number
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    return -1
  }

  /** A string (5.2); undefined: cut off or coded wrongly. */
  #string(): string | undefined {
    if (this.#at >= this.#end) return undefined
    const huffman = (this.#buffer[this.#at] as number) >= 0x80
    const length = this.#integer(0x7f)
    const start = this.#at
    const end = start + length
    if (length < 0 || end > this.#end) return undefined
    this.#at = end
    if (!huffman) return this.#text(this.#buffer, start, end)
    const most = decodedBytesMax(length)
    if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most * 2)
    const decoded = huffmanDecode(this.#buffer, start, end, scratch)
    return decoded < 0 ? undefined : this.#text(scratch, 0, decoded)
  }

  #text(bytes: Buffer, start: number, end: number): string {
    this.#valid = isValue(bytes, start, end)
    return start === end ? '' : bytes.latin1Slice(start, end)
  }
}

/** No control characters but HTAB, no white space at either end (RFC 9113 8.2.1, RFC 9110 5.5). */
function isValue(bytes: Buffer, start: number, end: number): boolean {
  if (start === end) return true
  if (isSpace(bytes[start] as number) || isSpace(bytes[end - 1] as number)) return false
  for (let i = start; i < end; i++) {
    if (valueByte[bytes[i] as number] !== 1) return false
  }
  return true
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09
}
