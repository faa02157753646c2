import { fieldText } from './field-text.ts'
import { fieldId } from './known-fields.ts'
import type { FieldId } from './known-fields.ts'

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
  /** Those that are not known ones. */
  readonly unknownNames: readonly string[]
  /** Bit 1 << (length modulo 32) for each of these: most other names have no such length. */
  readonly lengths: number

  /** `pairs` is flat: name, value, …; what may not stand in a value is escaped. Of one name the last counts, as with `set`. */
  constructor(pairs: readonly string[]) {
    const byName = new Map<string, readonly [name: string, value: string]>()
    for (let i = 0; i < pairs.length; i += 2) {
      const [name = '', value = ''] = pairs.slice(i, i + 2)
      const lower = name.toLowerCase()
      byName.delete(lower)
      byName.set(lower, [name, fieldText(value)])
    }
    const kept = [...byName.values()]
    this.ids = [...byName.keys()].map(fieldId)
    this.names = kept.map(([name]) => name)
    this.values = kept.map(([, value]) => value)
    this.lines = kept.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    this.mask = this.ids.reduce((mask, id) => mask | (1 << id), 0)
    this.lowerNames = [...byName.keys()]
    this.unknownNames = this.lowerNames.filter((name) => fieldId(name) === 0)
    this.lengths = this.unknownNames.reduce((bits, { length }) => bits | (1 << (length & 31)), 0)
  }
}

/** Names without values, for `removePrepared` alone. */
export function preparedNames(names: readonly string[]): PreparedFields {
  return new PreparedFields(names.flatMap((name) => [name, '']))
}
