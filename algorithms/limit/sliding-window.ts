/**
 * Requests in the last window, estimated from the counts of two fixed windows: the previous one
 * counts by the part of it that the sliding window still covers. `elapsed` is the part of the
 * current window that is over, 0 to 1.
 */
export function slidingCount(previous: number, current: number, elapsed: number): number {
  return previous * (1 - elapsed) + current
}

/**
 * Sliding-window counter: at most `limit` requests in any window, approximately.
 *
 * When to use: limits over long windows (an hour, a day) where a burst at the turn of a fixed window
 * must not pass twice, and a log of every request would be too much.
 * Cost: O(1), two counts. It is exact when requests were even in the previous window; Cloudflare
 * found 0.003 % of 400 million requests decided wrongly.
 * Source: Cloudflare, "How we built rate limiting capable of scaling to millions of domains" (2017).
 */
export class SlidingWindow {
  readonly #limit: number
  readonly #windowMs: number
  #window = -Infinity
  #current = 0
  #previous = 0

  constructor(limit: number, windowMs: number) {
    this.#limit = limit
    this.#windowMs = windowMs
  }

  /** Counts a request if the limit allows it. */
  tryTake(now: number): boolean {
    if (this.count(now) + 1 > this.#limit) return false
    this.#current++
    return true
  }

  /** Estimate of the requests admitted in the window that ends now. */
  count(now: number): number {
    const window = Math.floor(now / this.#windowMs)
    if (window > this.#window) {
      this.#previous = window === this.#window + 1 ? this.#current : 0
      this.#current = 0
      this.#window = window
    }
    const elapsed = now / this.#windowMs - this.#window
    return slidingCount(this.#previous, this.#current, Math.min(1, Math.max(0, elapsed)))
  }
}
