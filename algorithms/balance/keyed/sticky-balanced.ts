import { hashPair } from '#algorithms/hash.ts'
import { Rendezvous } from '#algorithms/hash/rendezvous.ts'
import type { Random } from '#algorithms/random.ts'
import type {
  Algorithm,
  BalanceOptions,
  Balancer,
  EndpointColumns,
  PickInput,
} from '../balancer.ts'
import { inFlightAt, mayKeepSession, mayPick } from '../columns.ts'
import { twoChoices } from '../load/two-choices.ts'

/** Keys that one pick looks at before it gives up finding one whose endpoint may be picked. */
const keysMax = 32

/** Keys are 1 to this. */
export const sessionKeyMax = 0x7fffffff

/**
 * Sticky sessions that follow the number of endpoints: a session has a key, and the key has a place
 * among the endpoints that there are, by consistent hashing.
 *
 * When to use: sessions should stay where they are, but an endpoint that is added should get its part
 * of those that there are, too: of n endpoints a new one takes 1/n of each other's. `key` is that
 * of the session, or 0 for none; a new session gets, of two random keys, the one whose endpoint is
 * less busy, and its key is left in `session`.
 * Cost: O(n), 2 ns an endpoint (20 ns where weights differ); rebuild O(n log n).
 * Source: affinity-mode balanced of ingress-nginx, which hashes the cookie onto a ring; places by
 * {@link Rendezvous}, which gives even shares, where a ring is off by half among a hundred.
 */
export const stickyBalanced: Algorithm = {
  summary: 'By the key of a session; an endpoint that is added takes its share of the sessions.',
  keyed: true,
  sessions: 'key',
  create: (columns, random, options) => new StickyBalanced(columns, random, options),
}

class StickyBalanced implements Balancer {
  readonly #columns: EndpointColumns
  readonly #random: Random
  readonly #places: Rendezvous
  readonly #inner: Balancer

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    this.#columns = columns
    this.#random = random
    this.#places = new Rendezvous(columns)
    this.#inner = twoChoices.create(columns, random, options)
  }

  rebuild(): void {
    this.#places.rebuild()
    this.#inner.rebuild()
  }

  pick(input: PickInput): number {
    input.session = 0
    if (input.key === 0) return this.#begin(input)
    const home = this.#placeOf(input.key)
    if (!mayKeepSession(this.#columns, home, input)) return this.#elsewhere(input)
    input.session = input.key
    return home
  }

  #placeOf(key: number): number {
    return this.#places.locate(key)
  }

  /** A new session: of two keys the one whose endpoint is less busy for its weight. */
  #begin(input: PickInput): number {
    const columns = this.#columns
    let first = -1
    for (let turn = 0; turn < keysMax; turn++) {
      const key = 1 + Math.floor(this.#random() * sessionKeyMax)
      const index = this.#placeOf(key)
      if (index < 0 || !mayPick(columns, index, input, false)) continue
      if (first < 0) {
        first = index
        input.session = key
        continue
      }
      if (this.#loadOf(index) >= this.#loadOf(first)) return first
      input.session = key
      return index
    }
    return first >= 0 ? first : this.#inner.pick(input)
  }

  /** The endpoint of the session is out: all its requests go to the same other one meanwhile. */
  #elsewhere(input: PickInput): number {
    for (let turn = 1; turn < keysMax; turn++) {
      const key = hashPair(input.key, turn) & sessionKeyMax
      const index = key === 0 ? -1 : this.#placeOf(key)
      if (index < 0 || !mayPick(this.#columns, index, input, false)) continue
      input.session = key
      return index
    }
    return this.#inner.pick(input)
  }

  #loadOf(index: number): number {
    return inFlightAt(this.#columns, index) / (this.#columns.weight[index] as number)
  }
}
