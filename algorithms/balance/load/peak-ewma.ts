import type { Random } from '#algorithms/random.ts'
import type { Algorithm, BalanceOptions, Balancer, EndpointColumns } from '../balancer.ts'
import type { Outcome, PickInput } from '../balancer.ts'
import { ExpectedWait, nothingHot } from './expected-wait.ts'
import { LatencyEstimate } from './latency.ts'
import { defaultChoices } from './two-choices.ts'
import { WeightedDraw } from '../turns/weighted-draw.ts'

/**
 * Peak EWMA: draws two endpoints and sends to the one with the lower expected wait, that is the
 * latency times the requests ahead.
 *
 * When to use: endpoints differ in speed, or one of them turns slow now and then.
 * Cost: O(1); rebuild O(n). State: the latency columns.
 * Source: Finagle PeakEwma, Linkerd. cost = latency x (in flight + 1), where the estimate jumps to
 * every peak; versions that only average react too late, versions without the in-flight term flood
 * an endpoint until its first answer. Ours treats weights, new endpoints and failing ones as
 * {@link ExpectedWait} says.
 */
export const peakEwma: Algorithm = {
  summary: 'Of two random endpoints the one with the lower latency times requests in flight.',
  keyed: false,
  create: (columns, random, options) => new PeakEwma(columns, random, options),
}

class PeakEwma implements Balancer {
  readonly #draw: WeightedDraw
  readonly #estimate: LatencyEstimate
  readonly #wait: ExpectedWait
  readonly #choices: number

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    this.#draw = new WeightedDraw(columns, random)
    this.#estimate = new LatencyEstimate(columns, options.decayMs, options.penaltyMs)
    this.#wait = new ExpectedWait(columns, this.#draw, this.#estimate)
    this.#choices = options.choices ?? defaultChoices
  }

  rebuild(): void {
    this.#draw.rebuild()
    this.#estimate.rebuild()
    this.#wait.rebuild()
  }

  pick(input: PickInput): number {
    const found = this.#draw.some(input, this.#choices)
    return found === 0 ? -1 : this.#wait.best(found, input, nothingHot)
  }

  observe(index: number, now: number, latencyMs: number, outcome: Outcome): void {
    this.#estimate.observe(index, now, latencyMs, outcome)
  }
}
