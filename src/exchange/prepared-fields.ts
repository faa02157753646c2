import { fieldText } from './field-text.ts'
import { fieldId } from './known-fields.ts'
import type { FieldId } from './known-fields.ts'

type Pair = readonly [name: string, value: string]

/**
 * Fields that are known before any message is: their names looked up, their lines written. To set them
 * on a message costs a fraction of as many calls of `set`.
 *
 * Columns by field, and what is known of all of them.
 */
export class PreparedFields {
  readonly ids: readonly FieldId[]
  readonly names: readonly string[]
  readonly values: readonly string[]
  /** All as HTTP/1.1 lines, each with its CRLF. */
  readonly lines: string
  /** Bit 1 << id for each; bit 0 where a name is not a known one. */
  readonly mask: number
  readonly lowerNames: readonly string[]
  /** Bit 1 << (length modulo 32) for each that is not a known one: most other names have no such length. */
  readonly lengths: number
  /** These by their length modulo 32. */
  readonly unknownNames: readonly (readonly string[])[]

  /** Of valid fields. */
  private constructor(pairs: readonly Pair[]) {
    const lower = pairs.map(([name]) => name.toLowerCase())
    this.ids = lower.map(fieldId)
    this.names = pairs.map(([name]) => name)
    this.values = pairs.map(([, value]) => value)
    this.lines = pairs.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    this.mask = this.ids.reduce((mask, id) => mask | (1 << id), 0)
    this.lowerNames = [...new Set(lower)]
    const unknown = this.lowerNames.filter((name) => fieldId(name) === 0)
    this.lengths = unknown.reduce((bits, { length }) => bits | (1 << (length & 31)), 0)
    this.unknownNames = Array.from({ length: 32 }, (_, bits) =>
      unknown.filter(({ length }) => (length & 31) === bits),
    )
  }

  /** False: none has the name of one of these. */
  mayShareNames({ mask, lengths }: PreparedFields): boolean {
    return (this.mask & mask & ~1) !== 0 || (this.lengths & lengths) !== 0
  }

  /** False: none has this number, or this name where the number is 0. */
  mayHave(id: FieldId, lowerName: string): boolean {
    if (id > 0) return ((this.mask >>> id) & 1) === 1
    return ((this.lengths >>> (lowerName.length & 31)) & 1) === 1
  }

  /** `pairs` is flat: name, value, …; what may not stand in a value is escaped. Names may repeat. */
  static of(pairs: readonly string[]): PreparedFields {
    return new PreparedFields(entriesOf(pairs))
  }

  /** The same, but that of one name the last counts, as with `set`. */
  static lastOf(pairs: readonly string[]): PreparedFields {
    const byName = new Map<string, Pair>()
    for (const pair of entriesOf(pairs)) {
      const lower = pair[0].toLowerCase()
      byName.delete(lower)
      byName.set(lower, pair)
    }
    return new PreparedFields([...byName.values()])
  }
}

function entriesOf(pairs: readonly string[]): Pair[] {
  const entries: Pair[] = []
  for (let i = 0; i < pairs.length; i += 2) {
    entries.push([pairs[i] as string, fieldText(pairs[i + 1] as string)])
  }
  return entries
}

/** Names without values, for `removePrepared` alone. */
export function preparedNames(names: readonly string[]): PreparedFields {
  return PreparedFields.of(names.flatMap((name) => [name, '']))
}
