import type { EndpointColumns, Outcome } from '../balancer.ts'
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
  readonly #perDecay: number
  readonly #penaltyMs: number
  readonly #carryOver: CarryOver
  /** Failures in a row that this balancer saw, up to 2. */
  #failures = new Uint8Array(0)
  // The greatest cell of the endpoint that is being folded.
  #peak = 0
  #decayed = 0
  #kept = 0

  constructor(columns: EndpointColumns, decayMs = defaultDecayMs, penaltyMs = defaultPenaltyMs) {
    this.#columns = columns
    this.#perDecay = 1 / decayMs
    this.#penaltyMs = penaltyMs
    this.#carryOver = new CarryOver(columns)
    this.#failures = new Uint8Array(columns.count)
  }

  rebuild(): void {
    const from = this.#carryOver.next()
    if (from !== undefined) this.#failures = carried(this.#failures, from)
  }

  /** Whether the last try at the endpoint failed: then a short queue there means nothing. */
  isFailing(index: number): boolean {
    return this.#failures[index] !== 0
  }

  /** The estimate in milliseconds, 0 when there is none. */
  at(index: number, now: number): number {
    const { latency, updated, writers } = this.#columns
    const first = this.#columns.cell[index] as number
    let greatest = 0
    for (let cell = first; cell < first + writers; cell++) {
      const value = latency[cell] as number
      // What decays from a smaller value is smaller still: most cells need no exponential.
      if (value <= greatest) continue
      const decayed = value * this.#keep(now - (updated[cell] as number))
      if (decayed > greatest) greatest = decayed
    }
    return greatest
  }

  /** Learns from one finished try. */
  observe(index: number, now: number, latencyMs: number, outcome: Outcome): void {
    this.#findGreatest(index, now)
    const sample = latencyMs > sampleMinMs ? latencyMs : sampleMinMs
    let estimate = sample > this.#peak ? sample : this.#decayed + sample * (1 - this.#kept)
    if (outcome === 'success') {
      this.#failures[index] = 0
    } else {
      const inFull = outcome === 'overload' || this.#failures[index] !== 0
      const penalty = inFull ? this.#penaltyMs : this.#penaltyMs * (1 - this.#kept) + this.#decayed
      estimate = Math.max(sample, this.#peak, penalty)
      this.#failures[index] = 1
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
      const kept = this.#keep(now - (updated[cell] as number))
      if (value * kept <= this.#decayed) continue
      this.#peak = value
      this.#decayed = value * kept
      this.#kept = kept
    }
  }

  /** exp(-elapsed / decay); by its series where that is exact to 7 digits, as it mostly is. */
  #keep(elapsedMs: number): number {
    if (elapsedMs <= 0) return 1
    const x = elapsedMs * this.#perDecay
    return x < 0.1 ? 1 - x * (1 - x * (0.5 - x * (1 / 6 - x / 24))) : Math.exp(-x)
  }
}
