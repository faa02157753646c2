/** Parts of a token: whole numbers add up exactly. */
const partsPerToken = 1000

/** Parameters of the throttle. */
export interface RetryThrottleOptions {
  readonly tokensMax?: number
  /** Tokens that a success gives back, in steps of 0.001. */
  readonly tokenRatio?: number
}

/**
 * Retry throttle: failures cost a token, successes give a part of one back, and with half of the
 * tokens gone there are no retries.
 *
 * When to use: a gRPC-like client towards one service, where the share of failures decides.
 * Cost: O(1). Source: gRPC A6 (10 tokens, 0.1 a success). Whole thousandths are counted, so that ten
 * successes make up exactly for a failure.
 */
export class RetryThrottle {
  readonly #max: number
  readonly #gain: number
  #parts: number

  constructor({ tokensMax = 10, tokenRatio = 0.1 }: RetryThrottleOptions = {}) {
    this.#max = Math.round(tokensMax * partsPerToken)
    this.#gain = Math.round(tokenRatio * partsPerToken)
    this.#parts = this.#max
  }

  get tokens(): number {
    return this.#parts / partsPerToken
  }

  get mayRetry(): boolean {
    return this.#parts > this.#max / 2
  }

  onSuccess(): void {
    this.#parts = Math.min(this.#max, this.#parts + this.#gain)
  }

  onFailure(): void {
    this.#parts = Math.max(0, this.#parts - partsPerToken)
  }
}
