import { overflowSlot } from './columns.ts'

/** What a kind of slot needs done when it changes hands. */
export interface SlotMemory {
  readonly capacity: number
  /** Zeroes a slot for its next owner. */
  reassignSlot(slot: number): void
}

/**
 * Gives slots of a shared memory to things with a key. A slot is given again only when its owner is
 * gone and nobody writes to it any more, which the subclass knows; until then the owner may come back
 * to it. When the memory is full the rest shares slot 0.
 */
abstract class Slots {
  readonly memory: SlotMemory
  readonly #slots = new Map<string, number>()
  readonly #keys: (string | undefined)[] = [undefined]
  readonly #named = new Set<number>()
  readonly #free: number[] = []
  /** Keys that the table names and that found no slot. */
  readonly #overflowed = new Set<string>()

  constructor(memory: SlotMemory) {
    this.memory = memory
  }

  /** The slot of a key that the table names, given now if it has none. 0: the memory is full. */
  admit(key: string): number {
    const slot = this.#slots.get(key) ?? this.#take(key)
    if (slot === overflowSlot) {
      this.#overflowed.add(key)
    } else {
      this.#overflowed.delete(key)
      this.#named.add(slot)
    }
    return slot
  }

  /** One more than the highest slot ever given. */
  get end(): number {
    return this.#keys.length
  }

  /** Slots that are not free. */
  get used(): number {
    return this.#slots.size
  }

  /** Keys that share the overflow slot. */
  get overflowed(): number {
    return this.#overflowed.size
  }

  /** The key that a slot belongs to; undefined: it is free. */
  keyOf(slot: number): string | undefined {
    return this.#keys[slot]
  }

  slotOf(key: string): number | undefined {
    return this.#slots.get(key)
  }

  protected named(slot: number): boolean {
    return this.#named.has(slot)
  }

  /** The table names the key no more; the slot is kept until `freeSlot`. Undefined: it had none. */
  protected unname(key: string): number | undefined {
    this.#overflowed.delete(key)
    const slot = this.#slots.get(key)
    return slot !== undefined && this.#named.delete(slot) ? slot : undefined
  }

  protected freeSlot(slot: number): void {
    const key = this.#keys[slot]
    if (key === undefined) return
    this.#slots.delete(key)
    this.#keys[slot] = undefined
    this.#free.push(slot)
  }

  #take(key: string): number {
    const recycled = this.#free.pop()
    const slot = recycled ?? this.#keys.length
    if (slot >= this.memory.capacity) return overflowSlot
    // A slot that nobody had is zero, and its pages cost nothing until somebody writes them.
    if (recycled !== undefined) this.memory.reassignSlot(slot)
    this.#keys[slot] = key
    this.#slots.set(key, slot)
    return slot
  }
}

/**
 * Slots of endpoints. A request or a tunnel may hold an endpoint long after it left the table, so
 * every worker says when nothing of it does: once for each time that the endpoint left.
 */
export class EndpointSlots extends Slots {
  /** By slot: for each worker, how often it has yet to report. */
  readonly #owed = new Map<number, Int32Array>()
  readonly #writers: number
  readonly #onFree: (slot: number, key: string) => void

  /** `onFree` hears of a slot before it is free, while its sums can still be read. */
  constructor(memory: SlotMemory, writers: number, onFree: (slot: number, key: string) => void) {
    super(memory)
    this.#writers = writers
    this.#onFree = onFree
  }

  /** The endpoint left the table that the workers `attached` run or are about to run. */
  retire(key: string, attached: Iterable<number>): void {
    const slot = this.unname(key)
    if (slot === undefined) return
    let owed = this.#owed.get(slot)
    if (owed === undefined) this.#owed.set(slot, (owed = new Int32Array(this.#writers)))
    for (const writer of attached) owed[writer] = (owed[writer] as number) + 1
    this.#freeWhenSettled(slot, owed)
  }

  /** A worker reports that nothing of it refers to the endpoint that had left. */
  release(slot: number, writer: number): void {
    const owed = this.#owed.get(slot)
    if (owed === undefined || owed[writer] === 0) return
    owed[writer] = (owed[writer] as number) - 1
    this.#freeWhenSettled(slot, owed)
  }

  /** A worker is dead: it holds nothing. */
  dropWriter(writer: number): void {
    for (const [slot, owed] of this.#owed) {
      owed[writer] = 0
      this.#freeWhenSettled(slot, owed)
    }
  }

  #freeWhenSettled(slot: number, owed: Int32Array): void {
    if (owed.some((reports) => reports > 0)) return
    this.#owed.delete(slot)
    if (this.named(slot)) return
    this.#onFree(slot, this.keyOf(slot) ?? '')
    this.freeSlot(slot)
  }
}

/**
 * Slots of rules. Free once every worker runs a table without the rule; exchanges that outlive it
 * notice by the slot's generation (see RuleMemory.row).
 */
export class RuleSlots extends Slots {
  /** In the order of versions. */
  readonly #leaving: { version: number; slot: number }[] = []
  /** By slot: the version of its last entry in `#leaving`, the only one that counts. */
  readonly #left = new Map<number, number>()

  /** The rule is not in the table of this version. Versions never fall. */
  retire(key: string, version: number): void {
    const slot = this.unname(key)
    if (slot === undefined) return
    this.#left.set(slot, version)
    this.#leaving.push({ version, slot })
  }

  /** Every worker runs this version or a later one. */
  settle(version: number): void {
    let settled = 0
    for (const leaving of this.#leaving) {
      if (leaving.version > version) break
      settled++
      if (this.#left.get(leaving.slot) !== leaving.version) continue
      this.#left.delete(leaving.slot)
      if (!this.named(leaving.slot)) this.freeSlot(leaving.slot)
    }
    this.#leaving.splice(0, settled)
  }
}
