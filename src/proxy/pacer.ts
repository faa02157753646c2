import type { Fields } from '#src/exchange/fields.ts'
import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerOwner } from '#src/exchange/timer-wheel.ts'
import type { BodyTarget } from './body-filters.ts'
import type { Exchange } from './exchange.ts'
import { waitForUpstream } from './waiting.ts'

/** Bytes are let go about so often, and so many at once from the start. */
const stepMs = 250

/**
 * The end of a response body that may not go faster than a rate. What comes too early is held, the
 * upstream is paused meanwhile, and one timer lets it go step by step. It holds what the upstream had
 * sent when it was paused, which is what one read brings.
 */
export class Pacer implements BodyTarget, TimerOwner {
  readonly #exchange: Exchange
  readonly #bytesPerMs: number
  readonly #startedAt: number
  readonly #timer = new Timer(this)
  /** Bytes that may have been sent at the start. */
  readonly #bytesFirst: number
  readonly #held: Buffer[] = []
  #sent = 0
  #ended = false
  #trailers: Fields | undefined

  /** `bytesFirst` are sent at full speed before. */
  constructor(exchange: Exchange, bytesPerSecond: number, bytesFirst: number) {
    this.#exchange = exchange
    this.#bytesPerMs = bytesPerSecond / 1000
    this.#bytesFirst = bytesFirst + this.#bytesPerMs * stepMs
    this.#startedAt = exchange.services.now()
  }

  get holding(): boolean {
    return this.#held.length > 0
  }

  get backedUp(): boolean {
    return this.holding || this.#exchange.stream.backedUp
  }

  write(buffer: Buffer, start: number, end: number): boolean {
    const next = this.holding ? start : this.#pass(buffer, start, end)
    if (next < end) {
      if (!this.holding) this.#exchange.services.wheel.arm(this.#timer, stepMs)
      this.#held.push(Buffer.from(buffer.subarray(next, end)))
    }
    return !this.backedUp
  }

  writeText(text: string): boolean {
    const bytes = Buffer.from(text, 'latin1')
    return this.write(bytes, 0, bytes.length)
  }

  /** The body is complete. True: its end waits until what is held has gone, and comes by itself. */
  holdEnd(trailers: Fields | undefined): boolean {
    if (!this.holding) return false
    this.#ended = true
    this.#trailers = trailers
    // It ends in another turn than it came.
    this.#exchange.answeredAt = 0
    return true
  }

  onTimer(): void {
    this.release()
  }

  /** Lets go what the rate allows by now and the client takes. */
  release(): void {
    const exchange = this.#exchange
    const { stream } = exchange
    while (this.holding && !stream.backedUp) {
      const chunk = this.#held[0] as Buffer
      const next = this.#pass(chunk, 0, chunk.length)
      if (next === chunk.length) this.#held.shift()
      else {
        this.#held[0] = chunk.subarray(next)
        break
      }
    }
    if (!this.holding && this.#ended) {
      exchange.endResponse(this.#trailers)
      return
    }
    stream.flush()
    if (this.holding) {
      // A client that is slower than the rate says itself when it takes more.
      if (!stream.backedUp) exchange.services.wheel.arm(this.#timer, stepMs)
    } else if (!stream.backedUp) {
      exchange.attempt?.stream?.resumeBody()
      waitForUpstream(exchange)
    }
  }

  /** The exchange is over. */
  stop(): void {
    this.#exchange.services.wheel.remove(this.#timer)
    this.#held.length = 0
  }

  /** Sends what the rate allows; returns the place behind it. */
  #pass(buffer: Buffer, start: number, end: number): number {
    const elapsedMs = this.#exchange.services.now() - this.#startedAt
    const allowed = Math.floor(this.#bytesFirst + elapsedMs * this.#bytesPerMs - this.#sent)
    const next = Math.min(end, start + Math.max(0, allowed))
    if (next > start) {
      this.#sent += next - start
      this.#exchange.stream.sendData(buffer, start, next)
    }
    return next
  }
}
