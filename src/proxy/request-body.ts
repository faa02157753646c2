import type { Fields } from '#src/exchange/fields.ts'
import { GatheredText } from '#src/exchange/gathered-text.ts'
import type { ClientStream } from '#src/exchange/streams.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { Services } from './services.ts'

/** Bytes kept of a request body so that it can be sent again (design: 64 KiB). */
export const replayBytesPerExchange = 64 * 1024

/** The same of a request that may be repeated, where its route does not say otherwise. */
export const repeatableBytesPerExchange = 1024 * 1024

const noRoom = workerCell('replay_bodies_dropped_total')

/** Chunks up to this size become text at once: one copy serves the write and the replay. */
export const textBytesMax = 16 * 1024

/**
 * The request body on its way: what has come, and a copy of it while it is small enough to be sent
 * once more. Until an upstream takes the body, the copy is the body.
 */
export class RequestBody {
  /** Body bytes received. */
  bytes = 0
  /** The client has sent all of it. */
  ended: boolean
  trailers: Fields | undefined
  /** The copy holds everything received so far. */
  repeatable = true
  #discarded = false
  /** Made with the first byte: most requests have none. */
  #copy: GatheredText | undefined
  readonly #services: Services
  #limit = replayBytesPerExchange

  constructor(services: Services, ended: boolean) {
    this.#services = services
    this.ended = ended
  }

  /** Lets the copy grow to `bytesMax`. */
  raiseLimit(bytesMax: number): void {
    this.#limit = Math.max(this.#limit, bytesMax)
  }

  /** There is nothing to send behind the head. */
  get absent(): boolean {
    if (!this.ended || this.trailers !== undefined) return false
    return this.bytes === 0 || this.#discarded
  }

  /** The copy as latin1 text. */
  get text(): string {
    return this.#copy?.toString() ?? ''
  }

  /**
   * Takes a chunk and passes it to `stream`, if there is one. False: the stream is backed up.
   * Without a stream the chunk is kept whatever the limit; the caller has paused the client.
   */
  take(buffer: Buffer, start: number, end: number, stream: ClientStream | undefined): boolean {
    const size = end - start
    this.bytes += size
    const keep = stream === undefined || (this.repeatable && this.#mayGrow(size))
    if (!keep) this.drop()
    if (stream === undefined || size <= textBytesMax) {
      const text = buffer.latin1Slice(start, end)
      if (keep) this.#keep(text, size)
      return stream === undefined || stream.sendText(text)
    }
    if (keep) this.#keep(buffer.latin1Slice(start, end), size)
    return stream.sendData(buffer, start, end)
  }

  /** Gives back what has come, as latin1 text, as if none of it had: it comes again. */
  takeBack(): string {
    const { text } = this
    this.#services.replayBytes -= text.length
    this.#copy = undefined
    this.bytes = 0
    return text
  }

  /** Sends the copy and, if the body is complete, its end. */
  replay(stream: ClientStream): void {
    if (this.#copy !== undefined) stream.sendText(this.text)
    if (this.ended) stream.sendEnd(this.trailers)
  }

  /** No other try will be made: the copy goes. */
  drop(): void {
    this.repeatable = false
    if (this.#copy === undefined) return
    this.#services.replayBytes -= this.#copy.length
    this.#copy = undefined
  }

  /** Nobody wants the body any more, whatever of it is still to come: it counts as ended, and empty. */
  discard(): void {
    this.drop()
    this.#discarded = true
    this.ended = true
    this.trailers = undefined
    this.repeatable = true
  }

  #mayGrow(size: number): boolean {
    const { replayBytes, replayBytesMax, worker, writer } = this.#services
    if ((this.#copy?.length ?? 0) + size > this.#limit) return false
    if (replayBytes + size <= replayBytesMax) return true
    worker.add(writer, noRoom, 1)
    return false
  }

  #keep(text: string, size: number): void {
    this.#copy ??= new GatheredText()
    this.#copy.append(text)
    this.#services.replayBytes += size
  }
}
