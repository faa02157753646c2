import type { Span } from '#src/exchange/span.ts'

/** Spans of all workers that may wait for the control plane. */
export const relayedSpansMax = 4096

/**
 * Hands the spans of the workers to the control plane, one batch at a time, so that one that stands still
 * gathers no heap of messages. What does not fit is dropped, and told with the next batch.
 */
export class SpanRelay {
  readonly #send: (spans: readonly Span[], dropped: number) => void
  #waiting: Span[] = []
  #dropped = 0
  /** A batch is on its way. */
  #busy = false
  #used = false

  constructor(send: (spans: readonly Span[], dropped: number) => void) {
    this.#send = send
  }

  add(spans: readonly Span[]): void {
    const room = Math.max(0, relayedSpansMax - this.#waiting.length)
    this.#waiting.push(...spans.slice(0, room))
    this.#dropped += Math.max(0, spans.length - room)
    if (!this.#busy) this.#next()
  }

  /** Some batch was ever sent. */
  get used(): boolean {
    return this.#used
  }

  /** The last batch was taken. */
  taken(): void {
    this.#busy = false
    this.#next()
  }

  /** Whoever took them is gone, and with it what it had; what waits goes to the next. */
  reset(): void {
    this.#busy = false
  }

  #next(): void {
    if (this.#waiting.length + this.#dropped === 0) return
    const spans = this.#waiting
    const dropped = this.#dropped
    this.#waiting = []
    this.#dropped = 0
    this.#busy = true
    this.#used = true
    this.#send(spans, dropped)
  }
}
