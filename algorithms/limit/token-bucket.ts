/**
 * Token bucket: `perSecond` tokens flow in, up to `burst`; a request takes what it costs.
 *
 * When to use: requests cost different amounts, or the fill must be shown. For many keys of cost 1
 * {@link gcraAdmit} decides the same in one number.
 * Cost: O(1); refilled when asked. Source: folklore; in no time T are more than burst + rate x T
 * admitted.
 */
export class TokenBucket {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #filledAt: number

  constructor(perSecond: number, burst: number, now: number) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#filledAt = now
  }

  /** Takes `cost` tokens; false, and none taken, when there are not so many. */
  tryTake(now: number, cost = 1): boolean {
    const tokens = this.tokens(now)
    if (tokens < cost) return false
    this.#tokens = tokens - cost
    this.#filledAt = Math.max(now, this.#filledAt)
    return true
  }

  tokens(now: number): number {
    const elapsedMs = Math.max(0, now - this.#filledAt)
    return Math.min(this.#burst, this.#tokens + elapsedMs * this.#perMs)
  }
}
