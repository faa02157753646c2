import type { Random } from '#algorithms/random.ts'
import type { Algorithm, BalanceOptions, Balancer, EndpointColumns } from '../balancer.ts'
import type { Outcome, PickInput } from '../balancer.ts'
import { inFlightAt } from '../columns.ts'
import { WeightedDraw, drawnMax } from '../turns/weighted-draw.ts'
import { LatencyEstimate } from './latency.ts'
import { LoadQuantile } from './load-quantile.ts'
import { perMeanWeight } from './mean-weight.ts'

/** Endpoints drawn: more than two, as the rule only rejects what is hot. */
const hotColdChoices = 5
/** Loads above this quantile of the recent ones are hot; Prequal found 0.6 to 0.9 good. */
export const hotQuantile = 2 ** -0.25

/**
 * Hot-cold, passive: draws five endpoints and leaves out the hot ones, those with more in flight
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
  summary: 'Of five random endpoints, none with a long queue, the one with the lowest wait.',
  keyed: false,
  create: (columns, random, options) => new HotCold(columns, random, options),
}

export class HotCold implements Balancer {
  readonly #columns: EndpointColumns
  readonly #draw: WeightedDraw
  readonly #estimate: LatencyEstimate
  readonly #hot = new LoadQuantile(hotQuantile)
  readonly #choices: number
  #perWeight: Float64Array
  readonly #load: Float64Array
  readonly #latency: Float64Array

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    this.#columns = columns
    this.#draw = new WeightedDraw(columns, random)
    this.#estimate = new LatencyEstimate(columns, options.decayMs, options.penaltyMs)
    this.#choices = Math.min(drawnMax, Math.max(1, options.choices ?? hotColdChoices))
    this.#perWeight = perMeanWeight(columns)
    this.#load = new Float64Array(this.#choices)
    this.#latency = new Float64Array(this.#choices)
  }

  rebuild(): void {
    this.#draw.rebuild()
    this.#estimate.rebuild()
    this.#perWeight = perMeanWeight(this.#columns)
  }

  pick(input: PickInput): number {
    const found = this.#draw.some(input, this.#choices)
    if (found === 0) return -1
    const { drawn } = this.#draw
    let longest = 0
    let known = 0
    let sum = 0
    for (let at = 0; at < found; at++) {
      const index = drawn[at] as number
      const load = inFlightAt(this.#columns, index) * (this.#perWeight[index] as number)
      const latency = this.#estimate.at(index, input.now)
      this.#load[at] = load
      this.#latency[at] = latency
      if (load > longest) longest = load
      if (latency > 0) known++
      sum += latency
    }
    // The first draw is as good a sample of the loads as all five.
    this.#hot.add(this.#load[0] as number)
    // Without history an endpoint counts as the mean of the others drawn.
    return drawn[this.#choose(found, longest, known === 0 ? 1 : sum / known)] as number
  }

  observe(index: number, now: number, latencyMs: number, outcome: Outcome): void {
    this.#estimate.observe(index, now, latencyMs, outcome)
  }

  /** Place of the best among the drawn. */
  #choose(found: number, longest: number, unknown: number): number {
    const { drawn } = this.#draw
    const hotAbove = this.#hot.value
    let best = -1
    let bestWait = Infinity
    let fewest = 0
    let fewestLoad = Infinity
    for (let at = 0; at < found; at++) {
      const load = this.#load[at] as number
      if (load < fewestLoad) {
        fewest = at
        fewestLoad = load
      }
      if (load > hotAbove) continue
      // A queue that is short because requests fail says nothing.
      const queue = this.#estimate.isFailing(drawn[at] as number) ? longest : load
      const wait = (this.#latency[at] || unknown) * (queue + 1)
      if (wait >= bestWait) continue
      best = at
      bestWait = wait
    }
    return best >= 0 ? best : fewest
  }
}
