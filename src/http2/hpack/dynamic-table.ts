import type { FieldName } from './field-name.ts'

/** A field in a table of HPACK. */
export interface TableEntry {
  readonly name: FieldName
  readonly value: string
  /** Octets of name and value plus 32 (RFC 7541 4.1). */
  readonly size: number
  /** Whether the value may stand in a message (RFC 9113 8.2.1). */
  readonly valid: boolean
}

/** What one entry counts beside its octets. */
export const entryOverhead = 32

/**
 * The dynamic table of RFC 7541 2.3.2: entries from newest to oldest, the oldest leave when the sum of
 * sizes exceeds the limit. A ring, grown as needed; an unused connection holds none.
 */
export class DynamicTable<Entry extends TableEntry> {
  /** Sum of the entries' sizes. */
  size = 0
  count = 0
  /** How many entries were ever inserted; the newest has this number. */
  inserted = 0
  #limit: number
  #ring: (Entry | undefined)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  get limit(): number {
    return this.#limit
  }

  set limit(limit: number) {
    this.#limit = limit
    this.#evict(limit)
  }

  /** The entry `index` places behind the newest, which is 0. */
  at(index: number): Entry | undefined {
    if (index >= this.count) return undefined
    return this.#ring[(this.inserted - index) & (this.#ring.length - 1)]
  }

  /** An entry larger than the limit empties the table and is not kept, which is no error (4.4). */
  insert(entry: Entry): void {
    this.#evict(this.#limit - entry.size)
    if (entry.size > this.#limit) return
    if (this.count === this.#ring.length) this.#grow()
    this.inserted++
    this.#ring[this.inserted & (this.#ring.length - 1)] = entry
    this.size += entry.size
    this.count++
  }

  #evict(limit: number): void {
    while (this.size > limit && this.count > 0) {
      const slot = (this.inserted - this.count + 1) & (this.#ring.length - 1)
      this.size -= (this.#ring[slot] as Entry).size
      this.#ring[slot] = undefined
      this.count--
    }
  }

  #grow(): void {
    const old = this.#ring
    const ring = Array.from(
      { length: Math.max(16, old.length * 2) },
      () => undefined as Entry | undefined,
    )
    for (let age = 0; age < this.count; age++) {
      const number = this.inserted - age
      ring[number & (ring.length - 1)] = old[number & (old.length - 1)]
    }
    this.#ring = ring
  }
}
