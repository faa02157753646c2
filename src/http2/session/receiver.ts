import { defaultWindow, frameType } from '../protocol.ts'
import type { Output } from './output.ts'

/** Sends WINDOW_UPDATE (RFC 9113 6.9). */
export function writeWindowUpdate(out: Output, streamId: number, increment: number): void {
  out.frame(frameType.windowUpdate, 0, streamId, 4)
  out.uint32(increment)
}

/**
 * The connection's receive window. It is renewed as bytes arrive, so that a paused stream does not stop
 * the others; but once `heldMax` bytes wait for paused streams, only as they are consumed. So a
 * connection never holds more than `heldMax` and one window.
 */
export class Receiver {
  /** Bytes kept for streams whose reader has paused. */
  held = 0
  readonly #out: Output
  readonly #size: number
  readonly #heldMax: number
  #window = defaultWindow
  /** Received and not yet given back. */
  #spent = 0

  constructor(out: Output, windowBytes: number, heldMax: number) {
    this.#out = out
    this.#size = Math.max(defaultWindow, windowBytes)
    this.#heldMax = heldMax
  }

  /** Widens the window to its size; part of the first flight. */
  open(): void {
    if (this.#size > this.#window) writeWindowUpdate(this.#out, 0, this.#size - this.#window)
    this.#window = this.#size
  }

  /** A DATA frame of `bytes` arrives. False: the peer overran the window. */
  take(bytes: number): boolean {
    this.#window -= bytes
    this.#spent += bytes
    return this.#window >= 0
  }

  /** Gives back what was received, if that is worth a frame and may be. */
  renew(): void {
    if (this.#spent * 2 < this.#size || this.held > this.#heldMax) return
    writeWindowUpdate(this.#out, 0, this.#spent)
    this.#window += this.#spent
    this.#spent = 0
  }

  hold(bytes: number): void {
    this.held += bytes
  }

  release(bytes: number): void {
    this.held -= bytes
    this.renew()
  }
}
