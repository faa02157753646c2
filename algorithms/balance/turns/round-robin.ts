import type { Random } from '#algorithms/random.ts'
import type { Algorithm, Balancer, EndpointColumns, PickInput } from '../balancer.ts'
import { CarryOver } from '../carry-over.ts'
import { isEligible, wasTried } from '../columns.ts'

/**
 * Round robin: every endpoint in turn.
 *
 * When to use: requests cost about the same and endpoints are equal. It is exactly even, and blind
 * to slow endpoints.
 * Cost: O(1) amortised; rebuild O(n).
 * Source: folklore. Two things are done that common versions leave out. The start is random, or
 * every worker would begin with the first endpoint. And an unusable endpoint is taken out of the
 * cycle instead of being stepped over, which would double the load of its successor.
 */
export const roundRobin: Algorithm = {
  summary: 'Every endpoint in turn, whatever its weight and load.',
  keyed: false,
  create: (columns, random) => new RoundRobin(columns, random),
}

class RoundRobin implements Balancer {
  readonly #columns: EndpointColumns
  readonly #random: Random
  readonly #carryOver: CarryOver
  /** The cycle: places below `#live` take part, the rest were unusable when their turn came. */
  #order = new Int32Array(0)
  #live = 0
  #next = 0

  constructor(columns: EndpointColumns, random: Random) {
    this.#columns = columns
    this.#random = random
    this.#carryOver = new CarryOver(columns)
    this.#restart()
  }

  rebuild(): void {
    if (this.#carryOver.next() !== undefined) this.#restart()
  }

  pick(input: PickInput): number {
    for (let turn = 0; turn < 2; turn++) {
      const index = this.#nextInCycle(input, false)
      if (index >= 0) return index
      this.#startCycle()
    }
    // Every usable endpoint was tried; the cycle is at its start.
    return this.#nextInCycle(input, true)
  }

  #nextInCycle(input: PickInput, again: boolean): number {
    const order = this.#order
    let at = this.#next
    while (at < this.#live) {
      const index = order[at] as number
      if (!isEligible(this.#columns, index)) {
        this.#swap(at, --this.#live)
      } else if (again || input.triedCount === 0 || !wasTried(input, index)) {
        // An endpoint passed over as tried keeps its turn in this cycle.
        this.#swap(at, this.#next++)
        return index
      } else at++
    }
    return -1
  }

  #restart(): void {
    const { count } = this.#columns
    this.#order = Int32Array.from({ length: count }, (_, index) => index)
    this.#live = count
    // What lies before the random start counts as done in this first cycle.
    this.#next = Math.floor(this.#random() * count)
  }

  #startCycle(): void {
    this.#next = 0
    this.#live = this.#columns.count
  }

  #swap(a: number, b: number): void {
    const order = this.#order
    const index = order[a] as number
    order[a] = order[b] as number
    order[b] = index
  }
}
