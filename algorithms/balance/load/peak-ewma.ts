import type { Random } from '#algorithms/random.ts'
import type { Algorithm, BalanceOptions, Balancer, EndpointColumns } from '../balancer.ts'
import type { Outcome, PickInput } from '../balancer.ts'
import { LatencyEstimate } from './latency.ts'
import { candidatesOf, readLoads } from './load.ts'
import type { Candidates } from './load.ts'
import { defaultChoices } from './two-choices.ts'
import { WeightedDraw, drawnMax } from '../turns/weighted-draw.ts'

/**
 * Peak EWMA: draws two endpoints and sends to the one with the lower expected wait, that is the
 * latency times the requests ahead.
 *
 * When to use: endpoints differ in speed, or one of them turns slow now and then.
 * Cost: O(1); rebuild O(n). State: the latency columns.
 * Source: Finagle PeakEwma, Linkerd. cost = latency x (in flight + 1), where the estimate jumps to
 * every peak; versions that only average react too late, versions without the in-flight term flood
 * an endpoint until its first answer. Ours differs in three points:
 * - In flight counts per unit of weight, where the mean weight is 1, and draws go by weight.
 * - An endpoint without history is compared as if it were as fast as the other one, so requests in
 *   flight decide: it is neither flooded (as with 0) nor starved (as with a high constant).
 * - The queue of a failing endpoint counts as at least as long as the other one's: it is short
 *   because requests fail there.
 */
export const peakEwma: Algorithm = {
  summary: 'Of two random endpoints the one with the lower latency times requests in flight.',
  keyed: false,
  create: (columns, random, options) => new PeakEwma(columns, random, options),
}

class PeakEwma implements Balancer {
  readonly #columns: EndpointColumns
  readonly #draw: WeightedDraw
  readonly #estimate: LatencyEstimate
  readonly #choices: number
  readonly #latency = new Float64Array(drawnMax)
  #candidates: Candidates

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    this.#columns = columns
    this.#draw = new WeightedDraw(columns, random)
    this.#estimate = new LatencyEstimate(columns, options.decayMs, options.penaltyMs)
    this.#choices = options.choices ?? defaultChoices
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
    const { drawn } = this.#candidates
    readLoads(this.#columns, this.#candidates, found)
    this.#estimate.read(drawn, found, input, this.#latency)
    let best = 0
    for (let at = 1; at < found; at++) if (this.#isBetter(at, best)) best = at
    return drawn[best] as number
  }

  observe(index: number, now: number, latencyMs: number, outcome: Outcome): void {
    this.#estimate.observe(index, now, latencyMs, outcome)
  }

  /** Whether candidate a promises the shorter wait. */
  #isBetter(a: number, b: number): boolean {
    const { drawn, load } = this.#candidates
    let latencyA = this.#latency[a] as number
    let latencyB = this.#latency[b] as number
    if (latencyA === 0) latencyA = latencyB === 0 ? 1 : latencyB
    if (latencyB === 0) latencyB = latencyA
    let queueA = load[a] as number
    let queueB = load[b] as number
    if (this.#estimate.someFailing) {
      if (this.#estimate.isFailing(drawn[a] as number)) queueA = Math.max(queueA, queueB)
      if (this.#estimate.isFailing(drawn[b] as number)) queueB = Math.max(queueA, queueB)
    }
    return latencyA * (queueA + 1) < latencyB * (queueB + 1)
  }
}
