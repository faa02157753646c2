import type { Fields } from './fields.ts'
import { PreparedFields, preparedNames } from './prepared-fields.ts'

/** What is done to the fields of many messages in the same way: some names leave, then fields come. */
export class FieldChange {
  /** Lower-case names that leave. */
  readonly #removed: readonly string[]
  /** Flat [name, value, …] of what comes; names may repeat. */
  readonly #added: readonly string[]
  readonly #names: PreparedFields
  readonly #fields: PreparedFields

  private constructor(removed: readonly string[], added: readonly string[]) {
    this.#removed = removed
    this.#added = added
    this.#names = preparedNames(removed)
    this.#fields = PreparedFields.of(added)
  }

  /** Nothing is done. */
  static readonly none = new FieldChange([], [])

  /** Every field of these names leaves. */
  static removing(names: readonly string[]): FieldChange {
    return new FieldChange(names.map(lower), [])
  }

  /** Fields come beside those that there are. `pairs` is flat: name, value, … */
  static adding(pairs: readonly string[]): FieldChange {
    return new FieldChange([], pairs)
  }

  /** Fields take the place of all of their names; of one name the last counts. */
  static setting(pairs: readonly string[]): FieldChange {
    const { names, values } = PreparedFields.lastOf(pairs)
    const added = names.flatMap((name, i) => [name, values[i] as string])
    return new FieldChange(names.map(lower), added)
  }

  /** This change and then another one, as one. */
  followedBy(next: FieldChange): FieldChange {
    const gone = new Set(next.#removed)
    const left = this.#added.filter((_, i) => !gone.has(lower(this.#added[i & ~1] as string)))
    return new FieldChange([...this.#removed, ...next.#removed], [...left, ...next.#added])
  }

  apply(fields: Fields): void {
    fields.removePrepared(this.#names)
    fields.appendPrepared(this.#fields)
  }
}

function lower(name: string): string {
  return name.toLowerCase()
}
