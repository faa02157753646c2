import type { EndpointColumns, Outcome, PickInput } from '../balancer.ts'
import { CarryOver, carried } from '../carry-over.ts'

/** Time constant of the estimate: the default of Finagle and Linkerd. */
export const defaultDecayMs = 10_000
/** What an answer of an overloaded endpoint (429, 503) counts as, at least. */
export const defaultPenaltyMs = 5000

/** The shortest sample. An estimate of 0 would say that there is none. */
const sampleMinMs = 0.001

/**
 * Peak EWMA over shared cells: the latency of endpoints, quick to rise and slow to fall.
 *
 * A sample above the estimate replaces it at once; one below is mixed in with the weight
 * 1 - exp(-dt / decayMs). Unread for long, the estimate decays towards 0, so that an endpoint that
 * was slow is asked again. Source: Finagle's PeakEwma and Linkerd's tower.
 *
 * **Several writers.** Each has its own cell (value, time). The estimate is the greatest of the
 * cells, each decayed to now. A writer folds a sample into that greatest cell, not into its own old
 * value, and stores the result in its own. The result is never below the decayed value it came
 * from, so the newest cell is the greatest: k writers in any order compute what one would. Should
 * two write at the same instant, the greater stays in force: a peak cannot be lost. That takes no
 * lock and no compare-and-swap.
 *
 * **Failures.** A fast failure is not a fast endpoint. No failure lowers an estimate, though time
 * does. An overloaded answer counts as `penaltyMs`. Of other failures the first is mixed in as
 * `penaltyMs` in proportion to time, for one error in a hundred says little, and the second in a
 * row counts in full.
 */
export class LatencyEstimate {
  readonly #columns: EndpointColumns
  /** 1 / decayMs. */
  readonly perDecay: number
  readonly #penaltyMs: number
  readonly #carryOver: CarryOver
  /** 1: the last try that this balancer saw failed. */
  #failures: Uint8Array
  #failingCount = 0
  // The greatest cell of the endpoint that is being folded.
  #peak = 0
  #decayed = 0
  #kept = 0

  constructor(columns: EndpointColumns, decayMs = defaultDecayMs, penaltyMs = defaultPenaltyMs) {
    this.#columns = columns
    this.perDecay = 1 / decayMs
    this.#penaltyMs = penaltyMs
    this.#carryOver = new CarryOver(columns)
    this.#failures = new Uint8Array(columns.count)
  }

  rebuild(): void {
    const from = this.#carryOver.next()
    if (from === undefined) return
    this.#failures = carried(this.#failures, from)
    this.#failingCount = this.#failures.reduce((sum, own) => sum + own, 0)
  }

  /** Whether the last try at any endpoint failed: mostly there is none to ask about. */
  get someFailing(): boolean {
    return this.#failingCount > 0
  }

  /** Whether the last try at the endpoint failed: then a short queue there means nothing. */
  isFailing(index: number): boolean {
    return this.#failures[index] !== 0
  }

  /**
   * Puts the estimates of endpoints in milliseconds into `out`, 0 where there is none: of the first
   * `count` of `indices`. Returns how many there are without one. Many at once and into an array,
   * as a number that is returned may be allocated.
   */
  read(indices: Int32Array, count: number, input: PickInput, out: Float64Array): number {
    const { cell, latency, updated, writers } = this.#columns
    const perDecay = this.perDecay
    const { now } = input
    let unknown = 0
    for (let at = 0; at < count; at++) {
      const first = cell[indices[at] as number] as number
      let greatest = 0
      for (let own = first; own < first + writers; own++) {
        const value = latency[own] as number
        // What decays from a smaller value is smaller still: most cells need no exponential.
        if (value <= greatest) continue
        const decayed = value * keep((now - (updated[own] as number)) * perDecay)
        if (decayed > greatest) greatest = decayed
      }
      out[at] = greatest
      if (greatest === 0) unknown++
    }
    return unknown
  }

  /** Learns from one finished try. */
  observe(index: number, now: number, latencyMs: number, outcome: Outcome): void {
    this.#findGreatest(index, now)
    const sample = latencyMs > sampleMinMs ? latencyMs : sampleMinMs
    let estimate = sample > this.#peak ? sample : this.#decayed + sample * (1 - this.#kept)
    const failedBefore = this.#failures[index] as number
    if (outcome === 'success') {
      this.#failures[index] = 0
      this.#failingCount -= failedBefore
    } else {
      const inFull = outcome === 'overload' || failedBefore === 1
      const penalty = inFull ? this.#penaltyMs : this.#penaltyMs * (1 - this.#kept) + this.#decayed
      estimate = Math.max(sample, this.#peak, penalty)
      this.#failures[index] = 1
      this.#failingCount += 1 - failedBefore
    }
    const { cell, writer, latency, updated } = this.#columns
    const own = (cell[index] as number) + writer
    latency[own] = estimate
    updated[own] = now
  }

  #findGreatest(index: number, now: number): void {
    const { latency, updated, writers } = this.#columns
    const first = this.#columns.cell[index] as number
    this.#peak = 0
    this.#decayed = 0
    this.#kept = 0
    for (let cell = first; cell < first + writers; cell++) {
      const value = latency[cell] as number
      const elapsed = Math.max(0, now - (updated[cell] as number))
      const kept = Math.exp(-elapsed * this.perDecay)
      if (value * kept <= this.#decayed) continue
      this.#peak = value
      this.#decayed = value * kept
      this.#kept = kept
    }
  }
}

/**
 * exp(-x), and 1 for x < 0. Near 0, where it mostly is, by a series that is off by 0.02 % at most:
 * enough for a comparison, and several times as fast.
 */
export function keep(x: number): number {
  if (x >= 0.1) return Math.exp(-x)
  return x > 0 ? 1 - x * (1 - 0.5 * x) : 1
}
