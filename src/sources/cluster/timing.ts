import { systemSchedule } from '../schedule.ts'
import type { Schedule } from '../schedule.ts'

/** Clock and chance, so that tests have their own. */
export interface Timing {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** From 0 up to 1. */
  readonly random: () => number
  readonly schedule: Schedule
}

export const systemTiming: Timing = {
  now: () => performance.now(),
  random: Math.random,
  schedule: systemSchedule,
}

/** Resolves after `delayMs`, or at once when the signal is set off. */
export async function pause(
  delayMs: number,
  signal: AbortSignal,
  schedule: Schedule,
): Promise<void> {
  if (signal.aborted || delayMs <= 0) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = schedule(resolve, delayMs)
  const stop = (): void => {
    cancel()
    resolve()
  }
  signal.addEventListener('abort', stop, { once: true })
  await promise
  signal.removeEventListener('abort', stop)
}

export interface BackoffRange {
  readonly firstMs: number
  readonly maxMs: number
  /** Spread over all of the delay in place of its upper half. */
  readonly fullSpread?: boolean
}

/** Delays that double up to a bound, without end; each is spread, so that replicas part ways. */
export class Backoff {
  readonly #range: BackoffRange
  readonly #random: () => number
  #inARow = 0

  constructor(range: BackoffRange, random: () => number) {
    this.#range = range
    this.#random = random
  }

  next(): number {
    const { firstMs, maxMs, fullSpread = false } = this.#range
    const delay = Math.min(firstMs * 2 ** this.#inARow, maxMs)
    if (delay < maxMs) this.#inARow++
    return delay * (fullSpread ? this.#random() : 0.5 + this.#random() / 2)
  }

  reset(): void {
    this.#inARow = 0
  }
}
