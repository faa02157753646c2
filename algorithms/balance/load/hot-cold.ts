import type { Random } from '#algorithms/random.ts'
import type { Algorithm, BalanceOptions, Balancer, EndpointColumns } from '../balancer.ts'
import type { Outcome, PickInput } from '../balancer.ts'
import { inFlightAt } from '../columns.ts'
import { WeightedDraw, drawnMax } from '../turns/weighted-draw.ts'
import { LatencyEstimate, keep } from './latency.ts'
import { candidatesOf, readLoads } from './load.ts'
import type { Candidates } from './load.ts'
import { LoadQuantile } from './load-quantile.ts'

/** Endpoints drawn: more than two, as the rule only rejects what is hot. */
const hotColdChoices = 3
/** Every so many picks one load is noted. */
const sampleEvery = 4
/** Loads above this quantile of the recent ones are hot; Prequal found 0.6 to 0.9 good. */
export const hotQuantile = 2 ** -0.25

/**
 * Hot-cold, passive: draws three endpoints and leaves out the hot ones, those with more in flight
 * than 84 % of all draws of late; of the cold ones the lowest expected wait wins, of nothing but hot
 * ones the fewest in flight.
 *
 * When to use: endpoints differ in speed from moment to moment (noisy neighbours), and balancers
 * are few or share their counts. It needs nothing from the endpoints. The best choice for a gateway
 * in our simulations; with some dozens of balancers that do not share, prequal is better.
 * Cost: O(choices); rebuild O(n). State: the latency columns.
 * Source: the hot-cold lexicographic rule of Wydrowski et al., "Load is not what you should balance:
 * Introducing Prequal", NSDI 2024, on what a balancer sees by itself: its requests in flight and its
 * Peak EWMA. The paper ranks cold endpoints by their latency at the present load. We have no latency
 * per load, so we rank by latency x (in flight + 1): by latency alone p99 is 1.5 times as high.
 */
export const hotCold: Algorithm = {
  summary: 'Of three random endpoints, none with a long queue, the one with the lowest wait.',
  keyed: false,
  create: (columns, random, options) => new HotCold(columns, random, options),
}

export class HotCold implements Balancer {
  readonly #columns: EndpointColumns
  readonly #draw: WeightedDraw
  readonly #estimate: LatencyEstimate
  readonly #hot = new LoadQuantile(hotQuantile)
  readonly #choices: number
  readonly #latency = new Float64Array(drawnMax)
  #candidates: Candidates
  #picks = -1

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    this.#columns = columns
    this.#draw = new WeightedDraw(columns, random)
    this.#estimate = new LatencyEstimate(columns, options.decayMs, options.penaltyMs)
    this.#choices = options.choices ?? hotColdChoices
    this.#candidates = candidatesOf(columns, this.#draw)
  }

  rebuild(): void {
    this.#draw.rebuild()
    this.#estimate.rebuild()
    this.#candidates = candidatesOf(this.#columns, this.#draw)
  }

  pick(input: PickInput): number {
    const found = this.#draw.some(input, this.#choices)
    if (found === 0) return -1
    this.#picks = (this.#picks + 1) % sampleEvery
    if (this.#picks === 0) this.#sampleLoad()
    const best = this.#estimate.someFailing ? -1 : this.#bestOf(found, input)
    return best >= 0 ? best : this.#bestOfUneven(found, input)
  }

  observe(index: number, now: number, latencyMs: number, outcome: Outcome): void {
    this.#estimate.observe(index, now, latencyMs, outcome)
  }

  /** Learns what is hot: the first draw is as good a sample of the loads as all of them. */
  #sampleLoad(): void {
    const { drawn, perWeight } = this.#candidates
    const index = drawn[0] as number
    this.#hot.add(Math.round(inFlightAt(this.#columns, index) * (perWeight[index] as number)))
  }

  /**
   * The best of the drawn, or -1 where one has no history: the usual case in one pass, for half of
   * the time goes into reading columns.
   */
  #bestOf(found: number, { now }: PickInput): number {
    const { cell, inFlight, latency, updated, writers } = this.#columns
    const { drawn, perWeight } = this.#candidates
    const { perDecay } = this.#estimate
    const hotAbove = this.#hot.value
    let best = -1
    let bestWait = Infinity
    let fewest = -1
    let fewestLoad = Infinity
    for (let at = 0; at < found; at++) {
      const index = drawn[at] as number
      const first = cell[index] as number
      let queue = 0
      let latest = 0
      for (let own = first; own < first + writers; own++) {
        queue += inFlight[own] as number
        const value = latency[own] as number
        if (value <= latest) continue
        const decayed = value * keep((now - (updated[own] as number)) * perDecay)
        if (decayed > latest) latest = decayed
      }
      if (latest === 0) return -1
      const load = queue * (perWeight[index] as number)
      if (load < fewestLoad) {
        fewest = index
        fewestLoad = load
      }
      const wait = latest * (load + 1)
      if (load > hotAbove || wait >= bestWait) continue
      best = index
      bestWait = wait
    }
    return best >= 0 ? best : fewest
  }

  /** The same where something is missing: slower, and seldom needed. */
  #bestOfUneven(found: number, input: PickInput): number {
    const { drawn, load } = this.#candidates
    const latency = this.#latency
    readLoads(this.#columns, this.#candidates, found)
    this.#estimate.read(drawn, found, input, latency)
    this.#completeLatencies(found)
    let best = -1
    let fewest = 0
    for (let at = 0; at < found; at++) {
      if ((load[at] as number) < (load[fewest] as number)) fewest = at
      if ((load[at] as number) > this.#hot.value) continue
      if (best < 0 || this.#waitOf(at) < this.#waitOf(best)) best = at
    }
    return drawn[best >= 0 ? best : fewest] as number
  }

  #waitOf(place: number): number {
    return (this.#latency[place] as number) * ((this.#candidates.load[place] as number) + 1)
  }

  /**
   * Without history an endpoint counts as the mean of the others drawn. Where requests fail the
   * queue is short for that, so a failing endpoint counts as if it had the longest one.
   */
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
