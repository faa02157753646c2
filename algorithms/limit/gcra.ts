/** A rate as GCRA counts it. */
export interface GcraRate {
  /** Milliseconds between requests at the steady rate. */
  readonly intervalMs: number
  /** How far ahead of the steady rate a burst may run: (burst - 1) intervals. */
  readonly toleranceMs: number
}

/** A rate of `perSecond` requests with bursts of up to `burst` (>= 1) at once. */
export function gcraRate(perSecond: number, burst: number): GcraRate {
  const intervalMs = 1000 / perSecond
  return { intervalMs, toleranceMs: (burst - 1) * intervalMs }
}

/**
 * Generic cell rate algorithm: a token bucket in one number per key.
 *
 * When to use: rate limits per client, where the state of millions of keys must be small and one
 * atomic exchange must do.
 * Cost: O(1). State: the theoretical arrival time, the moment when the key would be back in step
 * with its rate; 0 for a new key.
 * Source: ITU-T I.371. Conforming while now >= arrival - tolerance, and then the arrival is
 * max(now, arrival) + interval. nginx limit_req is a close relative.
 *
 * @returns the new arrival time if the request conforms, -1 if not (the state stays).
 */
export function gcraAdmit(rate: GcraRate, arrivalAt: number, now: number): number {
  if (now < arrivalAt - rate.toleranceMs) return -1
  return Math.max(now, arrivalAt) + rate.intervalMs
}

/** Milliseconds until the next request conforms, 0 if one would now: for Retry-After. */
export function gcraWaitMs(rate: GcraRate, arrivalAt: number, now: number): number {
  return Math.max(0, arrivalAt - rate.toleranceMs - now)
}

/** Requests that would conform at once: for RateLimit headers. */
export function gcraRemaining(rate: GcraRate, arrivalAt: number, now: number): number {
  const ahead = Math.max(0, arrivalAt - now)
  const left = (rate.toleranceMs - ahead) / rate.intervalMs
  // A quotient of decimal fractions may miss the whole number it stands for.
  return left < 0 ? 0 : Math.floor(left + 1e-9) + 1
}
