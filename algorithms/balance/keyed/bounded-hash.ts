import { hashPair } from '#algorithms/hash.ts'
import type { Placement } from '#algorithms/hash/placement.ts'
import type { BalanceOptions, Balancer, EndpointColumns, PickInput } from '../balancer.ts'
import { inFlightAt, mayPick } from '../columns.ts'

/** No endpoint holds more than this multiple of the mean load. */
export const defaultBoundFactor = 1.25

/** Places that a key jumps to before it goes through all endpoints. */
const jumpsMax = 8
/** Up to so many cells the total load is counted for every pick, and the bound is exact. */
const exactCells = 64
/** Beyond that, milliseconds between counts per cell: some 0.1 % of a core. */
const countEveryMs = 0.001

/**
 * Balancing by the hash of a key over any placement, with bounded loads.
 *
 * A key goes to its endpoint unless that holds more than its share: the capacity of endpoint i is
 * ceil(c (m + 1) w_i / w), with m requests in flight and the weight w of all usable endpoints, and
 * never below 1. From a full, unusable or tried endpoint the key jumps to the places of further
 * hashes of itself, then through the other endpoints in an order shuffled by its hash. So the load
 * of a lost endpoint is spread over all, not piled on a neighbour, and a key that spills finds the
 * same second endpoint while the set changes elsewhere. Is none free, the least loaded takes it.
 *
 * Cost over that of the placement: O(1) typical, O(n) worst. No state beyond in flight.
 * Source: Mirrokni, Thorup, Zadimoghaddam 2016 (arXiv 1608.01350); jumps after Chen, Coleman,
 * Shrivastava 2019 (arXiv 1908.08762), which avoid the cascades of walking on round the ring.
 */
export class BoundedHash implements Balancer {
  readonly #columns: EndpointColumns
  readonly #placement: Placement
  readonly #boundFactor: number
  /** Usable load and weight as last counted, and our own picks since. */
  #load = 0
  #weight = 0
  #countedAt = -Infinity
  /** All endpoints; in this order between picks. */
  #order = new Int32Array(0)
  #swaps = new Int32Array(0)

  constructor(columns: EndpointColumns, placement: Placement, options: BalanceOptions) {
    this.#columns = columns
    this.#placement = placement
    this.#boundFactor = Math.max(1, options.boundFactor ?? defaultBoundFactor)
    this.#resize()
  }

  rebuild(): void {
    this.#placement.rebuild()
    this.#resize()
  }

  pick(input: PickInput): number {
    let index = this.#placement.locate(input.key | 0)
    if (index < 0) return -1
    if (!this.#mayTake(index, input)) index = this.#spill(input)
    this.#load++
    return index
  }

  #spill(input: PickInput): number {
    const key = input.key | 0
    for (let jump = 1; jump <= jumpsMax; jump++) {
      const index = this.#placement.locate(hashPair(key, jump))
      if (this.#mayTake(index, input)) return index
    }
    const shuffled = this.#shuffle(input)
    if (shuffled >= 0) return shuffled
    const least = this.#leastLoaded(input, false)
    return least < 0 && input.triedCount > 0 ? this.#leastLoaded(input, true) : least
  }

  #mayTake(index: number, input: PickInput): boolean {
    return mayPick(this.#columns, index, input, false) && this.#hasRoom(index, input)
  }

  #hasRoom(index: number, input: PickInput): boolean {
    if (this.#boundFactor === Infinity) return true
    const inFlight = inFlightAt(this.#columns, index)
    if (inFlight === 0) return true
    this.#count(input)
    const own = this.#columns.weight[index] as number
    // A whole number is below the capacity when it is below the quotient before rounding up.
    return inFlight * this.#weight < this.#boundFactor * (this.#load + 1) * own
  }

  /** Brings the total up to date, unless that was done a moment ago and costs too much. */
  #count({ now }: PickInput): void {
    const columns = this.#columns
    const { count, usable, weight } = columns
    const cells = count * columns.writers
    if (cells > exactCells) {
      const elapsed = now - this.#countedAt
      if (elapsed >= 0 && elapsed < Math.max(1, cells * countEveryMs)) return
      this.#countedAt = now
    }
    let load = 0
    let sum = 0
    for (let i = 0; i < count; i++) {
      if (usable[i] === 0 || weight[i] === 0) continue
      load += inFlightAt(columns, i)
      sum += weight[i] as number
    }
    this.#load = load
    this.#weight = sum
  }

  /** The first free endpoint in an order shuffled by the key, or -1; leaves `#order` as it was. */
  #shuffle(input: PickInput): number {
    const { length } = this.#order
    let found = -1
    let swaps = 0
    while (swaps < length && found < 0) {
      const hash = hashPair(input.key | 0, jumpsMax + 1 + swaps) >>> 0
      const other = swaps + ((hash * ((length - swaps) / 4_294_967_296)) | 0)
      this.#swap(swaps, other)
      this.#swaps[swaps] = other
      const index = this.#order[swaps++] as number
      if (this.#mayTake(index, input)) found = index
    }
    while (swaps > 0) {
      swaps--
      this.#swap(swaps, this.#swaps[swaps] as number)
    }
    return found
  }

  #leastLoaded(input: PickInput, again: boolean): number {
    const columns = this.#columns
    let best = -1
    let bestLoad = Infinity
    let bestRank = 0
    for (let i = 0; i < columns.count; i++) {
      if (!mayPick(columns, i, input, again)) continue
      const load = inFlightAt(columns, i) / (columns.weight[i] as number)
      const rank = hashPair(input.key | 0, columns.identity[i] as number)
      if (load > bestLoad || (load === bestLoad && rank <= bestRank && best >= 0)) continue
      best = i
      bestLoad = load
      bestRank = rank
    }
    return best
  }

  #swap(a: number, b: number): void {
    const order = this.#order
    const index = order[a] as number
    order[a] = order[b] as number
    order[b] = index
  }

  #resize(): void {
    const { count } = this.#columns
    this.#order = Int32Array.from({ length: count }, (_, index) => index)
    this.#swaps = new Int32Array(count)
    this.#countedAt = -Infinity
  }
}
