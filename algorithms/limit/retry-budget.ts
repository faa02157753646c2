/** Parameters of a retry budget. */
export interface RetryBudgetOptions {
  /** Retries as a share of requests. Default 0.2, as in Finagle, Envoy and the Gateway API. */
  readonly ratio?: number
  /** Milliseconds that a request counts. Default 10 s. */
  readonly windowMs?: number
  /** Retries a second that are allowed whatever the requests. Default 10. */
  readonly retriesPerSecondMin?: number
}

const slices = 10
/** What a request pays in; a retry takes this divided by the ratio. Whole numbers do not drift. */
const depositUnits = 1000

/**
 * Retry budget: requests pay in, retries draw out, and what was paid in expires.
 *
 * When to use: wherever there are retries. Without a budget an outage multiplies the load on every
 * layer (three layers of four tries: 64 times); with it the backend sees at most 1.2 times.
 * Cost: O(1). Source: Finagle RetryBudget: a leaky bucket over ten slices of the window with a
 * reserve for callers of few requests; fresh balance 100. The Gateway API's retry constraint
 * (GEP-3388) has the same parameters.
 */
export class RetryBudget {
  readonly #sliceMs: number
  readonly #withdrawal: number
  readonly #deposit: number
  /** What is there without any request. */
  readonly #reserve: number
  /** Deposits less withdrawals by slice, in a circle. */
  readonly #slices = new Float64Array(slices)
  #slice = 0
  #sum = 0

  constructor(options: RetryBudgetOptions = {}) {
    const { ratio = 0.2, windowMs = 10_000, retriesPerSecondMin = 10 } = options
    this.#sliceMs = windowMs / slices
    this.#deposit = ratio > 0 ? depositUnits : 0
    this.#withdrawal = ratio > 0 ? Math.round(depositUnits / ratio) : depositUnits
    this.#reserve = retriesPerSecondMin * (windowMs / 1000) * this.#withdrawal
  }

  /** A request, not a retry, was sent. */
  onRequest(now: number): void {
    this.#turnTo(now)
    this.#add(this.#deposit)
  }

  /** Draws a retry; false when the budget is used up. */
  tryRetry(now: number): boolean {
    if (this.balance(now) < 1) return false
    this.#add(-this.#withdrawal)
    return true
  }

  /** Retries that may be made at once. */
  balance(now: number): number {
    this.#turnTo(now)
    return Math.max(0, Math.floor((this.#reserve + this.#sum) / this.#withdrawal))
  }

  #add(amount: number): void {
    const place = this.#slice % slices
    this.#slices[place] = (this.#slices[place] as number) + amount
    this.#sum += amount
  }

  /** Empties the slices that have left the window. */
  #turnTo(now: number): void {
    const slice = Math.floor(now / this.#sliceMs)
    const passed = Math.min(slices, slice - this.#slice)
    for (let step = 1; step <= passed; step++) {
      const place = (slice - passed + step) % slices
      this.#sum -= this.#slices[place] as number
      this.#slices[place] = 0
    }
    if (slice > this.#slice) this.#slice = slice
  }
}
