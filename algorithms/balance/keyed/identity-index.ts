import { mixInteger } from '#algorithms/hash.ts'
import type { EndpointColumns } from '../balancer.ts'

/**
 * Finds an endpoint by its identity: an open hash table in two typed arrays, at most half full.
 * Of two endpoints with the same identity it finds the first.
 */
export class IdentityIndex {
  readonly #columns: EndpointColumns
  /** Index + 1 by place; 0 is free. */
  #places = new Int32Array(2)

  constructor(columns: EndpointColumns) {
    this.#columns = columns
    this.rebuild()
  }

  rebuild(): void {
    const { count, identity } = this.#columns
    const size = 2 ** Math.ceil(Math.log2(2 * count + 2))
    this.#places = new Int32Array(size)
    for (let i = 0; i < count; i++) {
      const own = identity[i] as number
      if (this.indexOf(own) < 0) this.#places[this.#placeOf(own)] = i + 1
    }
  }

  /** Index of the endpoint, -1 when there is none of this identity (32 bits, signed or not). */
  indexOf(identity: number): number {
    return (this.#places[this.#placeOf(identity)] as number) - 1
  }

  /** The place that holds the identity, or the free one where it belongs. */
  #placeOf(identity: number): number {
    const places = this.#places
    const last = places.length - 1
    const wanted = identity | 0
    let place = mixInteger(wanted) & last
    for (;;) {
      const index = (places[place] as number) - 1
      if (index < 0 || ((this.#columns.identity[index] as number) | 0) === wanted) return place
      place = (place + 1) & last
    }
  }
}
