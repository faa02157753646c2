import { fieldLine } from '#src/exchange/field-block.ts'
import type { RepeatedField } from '#src/exchange/field-block.ts'
import { entryOverhead } from './dynamic-table.ts'
import type { TableEntry } from './dynamic-table.ts'
import { fieldHash, ownCopy } from './field-name.ts'
import type { FieldName } from './field-name.ts'

/** An entry of a decoder's table: a field that its sender means to send again. */
export class ReceivedEntry implements TableEntry, RepeatedField {
  readonly name: FieldName
  readonly value: string
  readonly size: number
  readonly valid: boolean
  #line: string | undefined

  constructor(name: FieldName, value: string, valid: boolean) {
    this.name = name
    this.value = value
    this.size = name.name.length + value.length + entryOverhead
    this.valid = valid
  }

  /** In one piece of memory, which copies faster than what it was put together of. */
  get line(): string {
    this.#line ??= ownCopy(fieldLine(this.name.name, this.value))
    return this.#line
  }
}

/** Entries remembered for a thread: a power of two. */
const slots = 512
/** Larger ones are not: with this and `slots` the memory is bounded. */
const sharedSizeMax = 512
const shared: (ReceivedEntry | undefined)[] = Array.from({ length: slots }, () => undefined)

/**
 * An entry for this field. Clients say what others said before them (`user-agent`, `accept`, `:authority`), and
 * have one entry in common: so it is in the processor's cache when the next one asks. Credentials never are.
 */
export function receivedEntry(name: FieldName, value: string, valid: boolean): ReceivedEntry {
  const slot = fieldHash(name, value) & (slots - 1)
  const known = shared[slot]
  if (known !== undefined && known.name === name && known.value === value) return known
  const entry = new ReceivedEntry(name, value, valid)
  if (!name.secret && entry.size <= sharedSizeMax) shared[slot] = entry
  return entry
}
