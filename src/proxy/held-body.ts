import type { Fields } from '#src/exchange/fields.ts'

/** Receives what was held. */
export interface HeldBodyReceiver {
  onBody(buffer: Buffer, start: number, end: number): void
  onBodyEnd(trailers: Fields | undefined): void
}

/**
 * Response bytes that arrived although the upstream was paused, while the response is suspended: at
 * most what one read had already brought.
 */
export class HeldBody {
  readonly #chunks: Buffer[] = []
  #ended = false
  #trailers: Fields | undefined

  add(buffer: Buffer, start: number, end: number): void {
    this.#chunks.push(Buffer.from(buffer.subarray(start, end)))
  }

  end(trailers: Fields | undefined): void {
    this.#ended = true
    this.#trailers = trailers
  }

  release(receiver: HeldBodyReceiver): void {
    for (const chunk of this.#chunks) receiver.onBody(chunk, 0, chunk.length)
    if (this.#ended) receiver.onBodyEnd(this.#trailers)
  }
}
