import type { EndpointColumns, PickInput } from '../balancer.ts'
import type { WeightedDraw } from '../turns/weighted-draw.ts'
import { drawnMax } from '../turns/weighted-draw.ts'
import { keep } from './latency.ts'
import type { LatencyEstimate } from './latency.ts'
import { candidatesOf, readLoads } from './load.ts'
import type { Candidates } from './load.ts'

/** For a caller that takes no endpoint for hot. */
export const nothingHot = 0x7fffffff

/**
 * The endpoint with the lowest expected wait of those drawn: latency x (requests in flight + 1),
 * where requests count per endpoint of mean weight.
 *
 * An endpoint without history counts as fast as the mean of the others drawn, so that its queue
 * decides: it is neither flooded (as with 0) nor starved (as with a high constant). The queue of a
 * failing endpoint counts as the longest of all, for it is short because requests fail there.
 */
export class ExpectedWait {
  readonly #columns: EndpointColumns
  readonly #draw: WeightedDraw
  readonly #estimate: LatencyEstimate
  readonly #latency = new Float64Array(drawnMax)
  #candidates: Candidates

  constructor(columns: EndpointColumns, draw: WeightedDraw, estimate: LatencyEstimate) {
    this.#columns = columns
    this.#draw = draw
    this.#estimate = estimate
    this.#candidates = candidatesOf(columns, draw)
  }

  rebuild(): void {
    this.#candidates = candidatesOf(this.#columns, this.#draw)
  }

  /** The factor from requests in flight at an endpoint to its load. */
  perWeightAt(index: number): number {
    return this.#candidates.perWeight[index] as number
  }

  /**
   * Index of the best of the first `found` drawn. Those with a load above `hotAbove` count only
   * where there is no other: then the one with the lowest load is the best.
   */
  best(found: number, input: PickInput, hotAbove: number): number {
    const index = this.#estimate.someFailing ? -1 : this.#bestOfEven(found, input, hotAbove)
    return index >= 0 ? index : this.#bestOfUneven(found, input, hotAbove)
  }

  /** The usual case in one pass, since reading columns is what costs; -1 where it is not usual. */
  #bestOfEven(found: number, { now }: PickInput, hotAbove: number): number {
    const { cell, inFlight, latency, updated, writers } = this.#columns
    const { drawn, perWeight, equal } = this.#candidates
    const { perDecay } = this.#estimate
    let best = -1
    let bestWait = Infinity
    for (let at = 0; at < found; at++) {
      const index = drawn[at] as number
      const first = cell[index] as number
      let queue = inFlight[first] as number
      let latest = (latency[first] as number) * keep((now - (updated[first] as number)) * perDecay)
      for (let own = first + 1; own < first + writers; own++) {
        queue += inFlight[own] as number
        const value = latency[own] as number
        if (value <= latest) continue
        const decayed = value * keep((now - (updated[own] as number)) * perDecay)
        if (decayed > latest) latest = decayed
      }
      if (latest === 0) return -1
      const load = equal ? queue : queue * (perWeight[index] as number)
      const wait = latest * (load + 1)
      if (wait < bestWait && load <= hotAbove) {
        best = index
        bestWait = wait
      }
    }
    return best
  }

  /** The same where history is missing, requests fail or all are hot. */
  #bestOfUneven(found: number, input: PickInput, hotAbove: number): number {
    const { drawn, load } = this.#candidates
    readLoads(this.#columns, this.#candidates, found)
    this.#estimate.read(drawn, found, input, this.#latency)
    this.#completeLatencies(found)
    let best = -1
    let fewest = 0
    for (let at = 0; at < found; at++) {
      if ((load[at] as number) < (load[fewest] as number)) fewest = at
      if ((load[at] as number) > hotAbove) continue
      if (best < 0 || this.#waitOf(at) < this.#waitOf(best)) best = at
    }
    return drawn[best >= 0 ? best : fewest] as number
  }

  #waitOf(place: number): number {
    return (this.#latency[place] as number) * ((this.#candidates.load[place] as number) + 1)
  }

  /** Fills what is unknown, and makes failing endpoints as slow as if they had the longest queue. */
  #completeLatencies(found: number): void {
    const { drawn, load } = this.#candidates
    const latency = this.#latency
    let known = 0
    let sum = 0
    let longest = 0
    for (let at = 0; at < found; at++) {
      if ((latency[at] as number) > 0) known++
      sum += latency[at] as number
      if ((load[at] as number) > longest) longest = load[at] as number
    }
    const unknown = known === 0 ? 1 : sum / known
    for (let at = 0; at < found; at++) {
      if (latency[at] === 0) latency[at] = unknown
      if (!this.#estimate.isFailing(drawn[at] as number)) continue
      latency[at] = ((latency[at] as number) * (longest + 1)) / ((load[at] as number) + 1)
    }
  }
}
