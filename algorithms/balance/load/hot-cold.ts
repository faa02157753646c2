import type { Random } from '#algorithms/random.ts'
import type { Algorithm, BalanceOptions, Balancer, EndpointColumns } from '../balancer.ts'
import type { Outcome, PickInput } from '../balancer.ts'
import { inFlightAt } from '../columns.ts'
import { WeightedDraw } from '../turns/weighted-draw.ts'
import { ExpectedWait } from './expected-wait.ts'
import { LatencyEstimate } from './latency.ts'
import { LoadQuantile } from './load-quantile.ts'

/** Endpoints drawn: more than two, as the rule only rejects what is hot. */
const hotColdChoices = 3
/** Every so many picks one load is noted: a power of 2. */
const sampleEvery = 8
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
 * per load, so we rank by {@link ExpectedWait}: by latency alone p99 is 1.5 times as high.
 */
export const hotCold: Algorithm = {
  summary: 'Of three random endpoints, none with a long queue, the one with the lowest wait.',
  keyed: false,
  create: (columns, random, options) => new HotCold(columns, random, options),
}

/** The balancer behind {@link hotCold}, which others fall back to. */
export class HotCold implements Balancer {
  readonly #columns: EndpointColumns
  readonly #draw: WeightedDraw
  readonly #estimate: LatencyEstimate
  readonly #wait: ExpectedWait
  readonly #hot = new LoadQuantile(hotQuantile)
  readonly #choices: number
  #picks = -1

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    this.#columns = columns
    this.#draw = new WeightedDraw(columns, random)
    this.#estimate = new LatencyEstimate(columns, options.decayMs, options.penaltyMs)
    this.#wait = new ExpectedWait(columns, this.#draw, this.#estimate)
    this.#choices = options.choices ?? hotColdChoices
  }

  rebuild(): void {
    this.#draw.rebuild()
    this.#estimate.rebuild()
    this.#wait.rebuild()
  }

  pick(input: PickInput): number {
    const found = this.#draw.some(input, this.#choices)
    if (found === 0) return -1
    this.#picks = (this.#picks + 1) & (sampleEvery - 1)
    if (this.#picks === 0) this.#sampleLoad()
    return this.#wait.best(found, input, this.#hot.value)
  }

  observe(index: number, now: number, latencyMs: number, outcome: Outcome): void {
    this.#estimate.observe(index, now, latencyMs, outcome)
  }

  /** Learns what is hot: the first draw is as good a sample of the loads as all of them. */
  #sampleLoad(): void {
    const index = this.#draw.drawn[0] as number
    this.#hot.add(Math.round(inFlightAt(this.#columns, index) * this.#wait.perWeightAt(index)))
  }
}
