import type { Random } from '#algorithms/random.ts'
import type { Algorithm, BalanceOptions, Balancer, EndpointColumns } from '../balancer.ts'
import type { LoadReport, Outcome, PickInput } from '../balancer.ts'
import { CarryOver, carried } from '../carry-over.ts'
import { wasTried } from '../columns.ts'
import { WeightedDraw } from '../turns/weighted-draw.ts'
import { HotCold, hotQuantile } from './hot-cold.ts'
import { LoadQuantile } from './load-quantile.ts'
import { ProbePool, reuseLimit } from './probe-pool.ts'
import type { ProbeRates } from './probe-pool.ts'

const defaultProbesPerRequest = 3
const removalsPerRequest = 1
/** Probes that nobody asked for are not owed for ever. */
const probesDueMax = 16
/** Fewer results are no choice. */
const poolMin = 2
/** Nobody has more; what says so is beyond belief but harmless. */
const inFlightMax = 1_000_000_000
/** No pick follows the word of an endpoint for so long after it failed a request; doubles. */
const distrustMs = 1000
const distrustDoublings = 5

/**
 * Prequal: endpoints say how many requests they have and how long these take; the hot-cold rule
 * chooses among the last sixteen that said so.
 *
 * When to use: dozens of balancers that do not share their counts, endpoints that answer probes or
 * send load reports in response headers (ORCA). While fewer than two results are at hand it falls
 * back to passive hot-cold.
 * Cost: O(16); rebuild O(n). Probes: 3 a request by default. Weights other than 0 do not count.
 * Source: Wydrowski et al., "Load is not what you should balance: Introducing Prequal", NSDI 2024:
 * results hold for a second and a few uses; a use adds one to the requests in flight; hot is above
 * the 0.84 quantile of the requests in flight told of late; the coldest latency wins, of hot ones
 * the fewest in flight. An endpoint that fails a request looks fast, so we distrust its word for
 * a while (the paper has a guard, undisclosed).
 */
export const prequal: Algorithm = {
  summary: 'By what endpoints tell of their load, in probes or response headers.',
  keyed: false,
  create: (columns, random, options) => new Prequal(columns, random, options),
}

class Prequal implements Balancer {
  readonly #columns: EndpointColumns
  readonly #random: Random
  readonly #passive: HotCold
  readonly #probed: WeightedDraw
  readonly #pool = new ProbePool()
  readonly #hot = new LoadQuantile(hotQuantile)
  readonly #rates: ProbeRates
  readonly #carryOver: CarryOver
  #reuse = 1
  #probesDue = 0
  /** Probes drawn for the last request, -1: not yet; and how many of them were given out. */
  #probesFound = 0
  #probesGiven = 0
  #failures: Uint8Array
  #distrustedUntil: Float64Array
  /** Nobody is distrusted from then on. */
  #distrustEnd = 0
  readonly #probeInput: PickInput = {
    key: 0,
    now: 0,
    tried: new Int32Array(0),
    triedCount: 0,
    session: 0,
  }

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    this.#columns = columns
    this.#random = random
    this.#passive = new HotCold(columns, random, options)
    this.#probed = new WeightedDraw(columns, random)
    const probesPerRequest = options.probesPerRequest ?? defaultProbesPerRequest
    // Reports that come by themselves are as many as the requests: nothing need be thrown away.
    const removals = probesPerRequest === 0 ? 0 : removalsPerRequest
    this.#rates = { probesPerRequest, removalsPerRequest: removals }
    this.#reuse = reuseLimit(columns.count, this.#rates)
    this.#carryOver = new CarryOver(columns)
    this.#failures = new Uint8Array(columns.count)
    this.#distrustedUntil = new Float64Array(columns.count)
  }

  rebuild(): void {
    this.#passive.rebuild()
    this.#probed.rebuild()
    this.#reuse = reuseLimit(this.#columns.count, this.#rates)
    const from = this.#carryOver.next()
    // Results name endpoints by index, and one of them may have lost its weight.
    this.#pool.clear()
    if (from === undefined) return
    this.#failures = carried(this.#failures, from)
    this.#distrustedUntil = carried(this.#distrustedUntil, from)
  }

  pick(input: PickInput): number {
    this.#pool.expire(input)
    this.#probesDue = Math.min(probesDueMax, this.#probesDue + this.#rates.probesPerRequest)
    this.#probesFound = -1
    const place = this.#best(input)
    let index = -1
    if (place >= 0) {
      index = this.#pool.endpoint[place] as number
      this.#pool.use(place)
    } else index = this.#passive.pick(input)
    if (this.#rates.removalsPerRequest > 0) this.#pool.removeOne(this.#hot.value)
    return index
  }

  observe(index: number, now: number, latencyMs: number, outcome: Outcome): void {
    this.#passive.observe(index, now, latencyMs, outcome)
    const failures = this.#failures[index] as number
    if (outcome === 'success') {
      this.#failures[index] = 0
      this.#distrustedUntil[index] = 0
      return
    }
    this.#failures[index] = Math.min(distrustDoublings, failures + 1)
    const until = now + distrustMs * 2 ** failures
    this.#distrustedUntil[index] = until
    this.#distrustEnd = Math.max(this.#distrustEnd, until)
  }

  report(index: number, now: number, { inFlight, latencyMs }: LoadReport): void {
    if (!(inFlight >= 0) || !(latencyMs >= 0) || this.#columns.weight[index] === 0) return
    const own = Math.min(inFlightMax, Math.round(inFlight))
    this.#hot.add(own)
    const whole = Math.floor(this.#reuse)
    const uses = this.#random() < this.#reuse - whole ? whole + 1 : whole
    this.#pool.stamp(this.#pool.add(index, own, latencyMs), now, uses)
  }

  nextProbe(now: number): number {
    if (this.#probesFound < 0) this.#drawProbes(now)
    if (this.#probesGiven === this.#probesFound) return -1
    return this.#probed.drawn[this.#probesGiven++] as number
  }

  /** Distinct endpoints for the whole probes that are due; a fraction waits for more requests. */
  #drawProbes(now: number): void {
    const due = Math.floor(this.#probesDue)
    this.#probesDue -= due
    this.#probeInput.now = now
    this.#probesGiven = 0
    this.#probesFound = due === 0 ? 0 : this.#probed.some(this.#probeInput, due)
  }

  /** Place of the best result in the pool, -1 when there is no choice. */
  #best(input: PickInput): number {
    const { endpoint, inFlight, latencyMs, size } = this.#pool
    const { usable } = this.#columns
    const hotAbove = this.#hot.value
    const isPlain = input.triedCount === 0 && input.now >= this.#distrustEnd
    let candidates = 0
    let coldest = -1
    let coldestLatency = Infinity
    for (let place = 0; place < size; place++) {
      const index = endpoint[place] as number
      if (usable[index] === 0 || (!isPlain && !this.#mayUse(index, input))) continue
      candidates++
      const latency = latencyMs[place] as number
      if (latency >= coldestLatency || (inFlight[place] as number) > hotAbove) continue
      coldest = place
      coldestLatency = latency
    }
    if (candidates < poolMin) return -1
    return coldest >= 0 ? coldest : this.#fewest(input)
  }

  /** Where all are hot: the one with the fewest requests in flight. */
  #fewest(input: PickInput): number {
    const { endpoint, inFlight, size } = this.#pool
    let fewest = -1
    for (let place = 0; place < size; place++) {
      const index = endpoint[place] as number
      if (this.#columns.usable[index] === 0 || !this.#mayUse(index, input)) continue
      if (fewest < 0 || (inFlight[place] as number) < (inFlight[fewest] as number)) fewest = place
    }
    return fewest
  }

  #mayUse(index: number, input: PickInput): boolean {
    return !wasTried(input, index) && (this.#distrustedUntil[index] as number) <= input.now
  }
}
