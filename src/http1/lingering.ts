import type { Timer, TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Connection } from '#src/transport/transport.ts'
import { serverTiming } from './timing.ts'

/**
 * The last part of a connection's life (RFC 9112 9.6): our direction has ended, and what the client
 * still sends is thrown away for a while, so that no RST overtakes what we have sent.
 */
export class Lingering {
  readonly #wheel: TimerWheel
  /** Fires when the time is over. */
  readonly #timer: Timer
  readonly #lingerMs: number
  #discarded = 0

  /** `lingerMs` runs from when all that we have sent is out of our hands. */
  // oxlint-disable-next-line max-params -- each is of another owner
  constructor(connection: Connection, wheel: TimerWheel, timer: Timer, lingerMs: number) {
    this.#wheel = wheel
    this.#timer = timer
    this.#lingerMs = lingerMs
    connection.end()
    if (connection.backedUp) wheel.disarm(timer)
    else this.onDrain()
  }

  onDrain(): void {
    this.#wheel.arm(this.#timer, this.#lingerMs)
  }

  /** Counts bytes that were thrown away; false: they are too many. */
  discard(size: number): boolean {
    this.#discarded += size
    return this.#discarded <= serverTiming.lingerBytesMax
  }
}
