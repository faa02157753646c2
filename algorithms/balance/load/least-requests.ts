import type { Random } from '#algorithms/random.ts'
import type { Algorithm, Balancer, EndpointColumns, PickInput } from '../balancer.ts'
import { inFlightAt, wasTried } from '../columns.ts'

/**
 * Least requests (least connections, join the shortest queue): a scan for the endpoint with the
 * fewest requests in flight for its weight.
 *
 * When to use: requests differ in cost, and all balancers of the endpoints share their counts.
 * Balancers that do not share would all lead to the same endpoint: prefer two-choices there.
 * Cost: O(n); rebuild nothing.
 * Source: nginx least_conn, HAProxy leastconn, Envoy FULL_SCAN. Ties are drawn in proportion to the
 * weights, so that idle endpoints get their shares; the first would get everything otherwise.
 */
export const leastRequests: Algorithm = {
  summary: 'The endpoint with the fewest requests in flight for its weight.',
  keyed: false,
  create: (columns, random) => new LeastRequests(columns, random),
}

class LeastRequests implements Balancer {
  readonly #columns: EndpointColumns
  readonly #random: Random
  /** 1 / weight, 0 for an endpoint that takes no part: a scan has no time for divisions. */
  #perWeight = new Float64Array(0)
  /** Endpoints with the least load, filled anew by each scan. */
  #ties = new Int32Array(0)
  #equalWeights = true

  constructor(columns: EndpointColumns, random: Random) {
    this.#columns = columns
    this.#random = random
    this.rebuild()
  }

  rebuild(): void {
    const { count, weight } = this.#columns
    this.#perWeight = Float64Array.from({ length: count }, (_, i) => {
      const own = weight[i] as number
      return own > 0 ? 1 / own : 0
    })
    this.#ties = new Int32Array(count)
    this.#equalWeights = weight.subarray(0, count).every((own) => own === weight[0])
  }

  pick(input: PickInput): number {
    const index = this.#least(input, false)
    return index < 0 && input.triedCount > 0 ? this.#least(input, true) : index
  }

  #least(input: PickInput, again: boolean): number {
    const columns = this.#columns
    const { count, usable } = columns
    const perWeight = this.#perWeight
    const ties = this.#ties
    const avoidTried = !again && input.triedCount > 0
    let tied = 0
    let leastLoad = Infinity
    for (let i = 0; i < count; i++) {
      const own = perWeight[i] as number
      if (usable[i] === 0 || own === 0) continue
      const load = inFlightAt(columns, i) * own
      if (load > leastLoad || (avoidTried && wasTried(input, i))) continue
      if (load < leastLoad) {
        leastLoad = load
        tied = 0
      }
      ties[tied++] = i
    }
    return tied <= 1 ? this.#only(tied) : this.#drawTie(tied)
  }

  #only(tied: number): number {
    return tied === 1 ? (this.#ties[0] as number) : -1
  }

  #drawTie(tied: number): number {
    const { weight } = this.#columns
    const ties = this.#ties
    if (this.#equalWeights) return ties[Math.floor(this.#random() * tied)] as number
    let sum = 0
    for (let at = 0; at < tied; at++) sum += weight[ties[at] as number] as number
    let rest = this.#random() * sum
    for (let at = 0; at < tied - 1; at++) {
      rest -= weight[ties[at] as number] as number
      if (rest < 0) return ties[at] as number
    }
    return ties[tied - 1] as number
  }
}
