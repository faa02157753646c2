import type { TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Http2Counter, Http2Counters } from '../counters.ts'
import type { Http2Limits } from '../limits.ts'

/** A budget that is spent by events and comes back with time: a token bucket. */
export class Budget {
  #tokens: number
  #filledAt: number
  readonly #burst: number
  readonly #perSecond: number

  /** Full at `now` (milliseconds). */
  constructor(burst: number, perSecond: number, now: number) {
    this.#tokens = burst
    this.#burst = burst
    this.#perSecond = perSecond
    this.#filledAt = now
  }

  /** Spends `cost`; false: there was not so much left. */
  take(cost: number, now: number): boolean {
    const elapsed = now - this.#filledAt
    if (elapsed > 0) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (elapsed * this.#perSecond) / 1000)
      this.#filledAt = now
    }
    this.#tokens -= cost
    return this.#tokens >= 0
  }

  /** Gives back some, up to the burst. */
  give(amount: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + amount)
  }
}

/**
 * The budgets of one session against floods: what a peer may make us do without bringing work forward.
 *
 * - Resets: a client may cancel every stream that it can have open at once, then so many a second
 *   (CVE-2023-44487). Finished streams give credit, so that a busy connection may cancel up to half.
 * - Errors: streams that we must reset or refuse (CVE-2025-8671, "MadeYouReset"), far fewer.
 * - Control frames: everything else that is cheap to send. Bodies and heads in either direction earn
 *   more than an honest peer needs for its WINDOW_UPDATEs and PINGs.
 */
export class Floods {
  readonly #resets: Budget
  readonly #errors: Budget
  readonly #controls: Budget
  readonly #wheel: TimerWheel
  readonly #counters: Http2Counters

  constructor(limits: Http2Limits, wheel: TimerWheel, counters: Http2Counters) {
    const { now } = wheel
    this.#resets = new Budget(limits.resetBurst, limits.resetsPerSecond, now)
    this.#errors = new Budget(limits.errorBurst, limits.errorsPerSecond, now)
    this.#controls = new Budget(limits.controlBurst, limits.controlsPerSecond, now)
    this.#wheel = wheel
    this.#counters = counters
  }

  /** A frame that carries nothing forward. False: too many; counted under `name`. */
  control(name: Http2Counter, cost = 1): boolean {
    return this.#controls.take(cost, this.#wheel.now) || this.#exceeded(name)
  }

  /** DATA or HEADERS went in either direction. */
  earn(credit = 3): void {
    this.#controls.give(credit)
  }

  /** The peer reset a stream that was not finished. */
  reset(): boolean {
    return this.#resets.take(1, this.#wheel.now) || this.#exceeded('http2_rapid_reset')
  }

  /** A stream ended by an error of the peer, or was refused. */
  error(): boolean {
    return this.#errors.take(1, this.#wheel.now) || this.#exceeded('http2_stream_errors')
  }

  /** A stream ended well. */
  finished(): void {
    this.#resets.give(1)
  }

  #exceeded(name: Http2Counter): false {
    this.#counters.increment(name)
    return false
  }
}
