import { carried } from '#algorithms/balance/carry-over.ts'
import { medianRule } from './median-rule.ts'
import type { OutlierRule } from './outlier-rules.ts'

/** Parameters of the detector; times in milliseconds. */
export interface OutlierOptions {
  /** What is out at the end of an interval. Default: the median rule. */
  readonly rules?: readonly OutlierRule[]
  /** Failures in a row that put an endpoint out at once. Default 5; 0: off. */
  readonly failuresInARow?: number
  /** An endpoint stays out for this times the number of its ejections, up to the maximum. */
  readonly ejectionMs?: number
  readonly ejectionMaxMs?: number
  /** Share of the endpoints that may be out at once. Default 0.1. */
  readonly ejectedShareMax?: number
  /** Whether one may be out where the share is less than one. Default true; Envoy's false. */
  readonly ejectAtLeastOne?: boolean
}

/**
 * Outlier ejection: watches the results of the endpoints of a backend and says which to leave out.
 *
 * When to use: per backend, beside active health checks or without them.
 * Cost: O(1) a request; `sweep` O(n log n) about every 10 s.
 * Source: Envoy outlier detection (5 in a row, 30 s times the ejections up to 300 s, a counter that
 * falls with every interval in peace, 10 % at most). Ours finds by the median rule what masks itself
 * in Envoy's, and may put out one of fewer than ten endpoints, where Envoy's 10 % is none.
 */
export class OutlierDetector {
  readonly #rules: readonly OutlierRule[]
  readonly #failuresInARowMax: number
  readonly #ejectionMs: number
  readonly #ejectionMaxMs: number
  readonly #shareMax: number
  readonly #ejectAtLeastOne: boolean
  #requests: Float64Array
  #failures: Float64Array
  #inARow: Int32Array
  /** Ejections, less the intervals in peace since. */
  #times: Int32Array
  /** When the endpoint comes back; 0: it is in. */
  #outUntil: Float64Array
  #out = 0

  constructor(count: number, options: OutlierOptions = {}) {
    this.#rules = options.rules ?? [medianRule()]
    this.#failuresInARowMax = options.failuresInARow ?? 5
    this.#ejectionMs = options.ejectionMs ?? 30_000
    this.#ejectionMaxMs = options.ejectionMaxMs ?? 300_000
    this.#shareMax = options.ejectedShareMax ?? 0.1
    this.#ejectAtLeastOne = options.ejectAtLeastOne ?? true
    this.#requests = new Float64Array(count)
    this.#failures = new Float64Array(count)
    this.#inARow = new Int32Array(count)
    this.#times = new Int32Array(count)
    this.#outUntil = new Float64Array(count)
  }

  get ejectedCount(): number {
    return this.#out
  }

  isEjected(index: number): boolean {
    return this.#outUntil[index] !== 0
  }

  /** One request has ended. True when that puts the endpoint out. */
  record(index: number, now: number, success: boolean): boolean {
    this.#requests[index] = (this.#requests[index] as number) + 1
    if (success) {
      this.#inARow[index] = 0
      return false
    }
    this.#failures[index] = (this.#failures[index] as number) + 1
    const inARow = (this.#inARow[index] as number) + 1
    this.#inARow[index] = inARow
    return inARow === this.#failuresInARowMax && this.#eject(index, now)
  }

  /** The end of an interval: lets endpoints in whose time is over, and puts new outliers out. */
  sweep(now: number): void {
    const count = this.#requests.length
    for (let i = 0; i < count; i++) this.#readmit(i, now)
    const window = { count, requests: this.#requests, failures: this.#failures }
    for (const rule of this.#rules) {
      const flags = rule(window)
      for (let i = 0; i < count; i++) if (flags[i] === 1) this.#eject(i, now)
    }
    this.#requests.fill(0)
    this.#failures.fill(0)
  }

  /** The set changed: `from` gives the old index of every endpoint, -1 for a new one. */
  rebuild(from: Int32Array): void {
    this.#requests = carried(this.#requests, from)
    this.#failures = carried(this.#failures, from)
    this.#inARow = carried(this.#inARow, from)
    this.#times = carried(this.#times, from)
    this.#outUntil = carried(this.#outUntil, from)
    this.#out = 0
    for (const until of this.#outUntil) if (until !== 0) this.#out++
  }

  #eject(index: number, now: number): boolean {
    if (this.isEjected(index) || !this.#hasRoom()) return false
    const times = (this.#times[index] as number) + 1
    this.#times[index] = times
    this.#outUntil[index] = now + Math.min(this.#ejectionMaxMs, this.#ejectionMs * times)
    this.#out++
    return true
  }

  #hasRoom(): boolean {
    const allowed = Math.floor(this.#shareMax * this.#outUntil.length)
    return this.#out < (this.#ejectAtLeastOne ? Math.max(1, allowed) : allowed)
  }

  #readmit(index: number, now: number): void {
    const until = this.#outUntil[index] as number
    if (until === 0) {
      this.#times[index] = Math.max(0, (this.#times[index] as number) - 1)
    } else if (now >= until) {
      this.#outUntil[index] = 0
      this.#inARow[index] = 0
      this.#out--
    }
  }
}
