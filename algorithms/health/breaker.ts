/** Parameters of a breaker. */
export interface BreakerOptions {
  /** Share of failures (0 to 1) at which it opens. Default 0.5. */
  readonly failureRatio?: number
  /** Results in the window below which it never opens. Default 20. */
  readonly resultsMin?: number
  /** Window in milliseconds, moved on in tenths. Default 10 s. */
  readonly windowMs?: number
  /** First time open; doubled by each probe that fails. Default 5 s. */
  readonly openMs?: number
  readonly openMaxMs?: number
}

export type BreakerState = 'closed' | 'open' | 'half-open'

const slices = 10

/**
 * State breaker: after too many failures it lets nothing through for a while, then one request as a
 * probe, and everything again when that succeeds.
 *
 * When to use: per backend, where waiting for a broken service costs more than failing at once.
 * Cost: O(1).
 * Source: Nygard, "Release It!", 2007; exponential back-off as in Traefik and Linkerd.
 *
 * | state     | allow             | success          | failure                                   |
 * |-----------|-------------------|------------------|-------------------------------------------|
 * | closed    | yes               | counts           | counts; open when the ratio is reached    |
 * | open      | no, until its end | ignored (late)   | ignored (late)                            |
 * | half-open | the probe only    | closed, all new  | open, twice as long                       |
 */
export class Breaker {
  readonly #failureRatio: number
  readonly #resultsMin: number
  readonly #sliceMs: number
  readonly #openMs: number
  readonly #openMaxMs: number
  readonly #successes = new Float64Array(slices)
  readonly #failures = new Float64Array(slices)
  #slice = 0
  #openUntil = 0
  #timesOpened = 0
  #isOpen = false
  #isProbing = false
  /** When the probe was let through: one without a result is given up for lost after an open time. */
  #probedAt = 0
  /** Changes with the state and with each probe, so that a late result is known by its ticket. */
  #ticket = 1

  constructor(options: BreakerOptions = {}) {
    this.#failureRatio = options.failureRatio ?? 0.5
    this.#resultsMin = options.resultsMin ?? 20
    this.#sliceMs = (options.windowMs ?? 10_000) / slices
    this.#openMs = options.openMs ?? 5000
    this.#openMaxMs = options.openMaxMs ?? 60_000
  }

  state(now: number): BreakerState {
    if (!this.#isOpen) return 'closed'
    return now < this.#openUntil ? 'open' : 'half-open'
  }

  /**
   * Whether a request may go out: 0 for no, else a ticket to be given to `record` when the request
   * has ended.
   */
  allow(now: number): number {
    if (!this.#isOpen) return this.#ticket
    if (now < this.#openUntil) return 0
    if (this.#isProbing && now - this.#probedAt < this.#openTime()) return 0
    this.#isProbing = true
    this.#probedAt = now
    return ++this.#ticket
  }

  /** A request that was allowed has ended. Late results, from an earlier state, change nothing. */
  record(ticket: number, now: number, success: boolean): void {
    if (ticket !== this.#ticket) return
    if (this.#isOpen) {
      this.#settleProbe(now, success)
      return
    }
    this.#turnTo(now)
    const place = this.#slice % slices
    const results = success ? this.#successes : this.#failures
    results[place] = (results[place] as number) + 1
    if (!success && this.#isBroken()) this.#open(now)
  }

  #settleProbe(now: number, success: boolean): void {
    this.#isProbing = false
    if (!success) {
      this.#open(now)
      return
    }
    this.#isOpen = false
    this.#ticket++
    this.#timesOpened = 0
    this.#successes.fill(0)
    this.#failures.fill(0)
  }

  #open(now: number): void {
    this.#isOpen = true
    this.#ticket++
    this.#openUntil = now + this.#openTime()
    this.#timesOpened++
  }

  #openTime(): number {
    return Math.min(this.#openMaxMs, this.#openMs * 2 ** this.#timesOpened)
  }

  #isBroken(): boolean {
    let successes = 0
    let failures = 0
    for (let place = 0; place < slices; place++) {
      successes += this.#successes[place] as number
      failures += this.#failures[place] as number
    }
    const results = successes + failures
    return results >= this.#resultsMin && failures >= this.#failureRatio * results
  }

  #turnTo(now: number): void {
    const slice = Math.floor(now / this.#sliceMs)
    const passed = Math.min(slices, slice - this.#slice)
    for (let step = 1; step <= passed; step++) {
      const place = (slice - passed + step) % slices
      this.#successes[place] = 0
      this.#failures[place] = 0
    }
    if (slice > this.#slice) this.#slice = slice
  }
}
