import type { Fields } from '#src/exchange/fields.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import type {
  ClientStream,
  ClientStreamHandler,
  ResetReason,
  UpstreamFailure,
} from '#src/exchange/streams.ts'

/**
 * A stream whose protocol is not known yet. It keeps what is sent, which is one read at most, as it says
 * that it is backed up; then it hands everything on.
 */
export class DeferredStream implements ClientStream {
  readonly handler: ClientStreamHandler
  readonly idleMsMax: number
  /** The proxy has given it up. */
  over = false
  #inner: ClientStream | undefined
  #head: RequestHead | undefined
  #headEnded = false
  readonly #chunks: Buffer[] = []
  #ended = false
  #trailers: Fields | undefined
  #paused = false

  constructor(handler: ClientStreamHandler, idleMsMax: number) {
    this.handler = handler
    this.idleMsMax = idleMsMax
  }

  get reused(): boolean {
    return this.#inner?.reused ?? false
  }

  get connected(): boolean {
    return this.#inner?.connected ?? false
  }

  get sent(): boolean {
    return this.#inner?.sent ?? false
  }

  get backedUp(): boolean {
    return this.#inner?.backedUp ?? true
  }

  /** The stream that does the work from here on. */
  bind(inner: ClientStream): void {
    this.#inner = inner
    if (inner.connected) this.handler.onUpstreamConnected()
    if (this.over) return
    if (this.#head !== undefined) inner.sendHead(this.#head, this.#headEnded)
    for (const chunk of this.#chunks) inner.sendData(chunk, 0, chunk.length)
    if (this.#ended) inner.sendEnd(this.#trailers)
    if (this.#paused) inner.pauseBody()
    this.#chunks.length = 0
    this.#head = undefined
    inner.flush()
    if (inner.connected && !inner.backedUp) this.handler.onUpstreamWritable()
  }

  fail(failure: UpstreamFailure): void {
    this.over = true
    this.handler.onUpstreamFailure(failure)
  }

  sendHead(head: RequestHead, ended: boolean): void {
    if (this.#inner !== undefined) {
      this.#inner.sendHead(head, ended)
      return
    }
    this.#head = head
    this.#headEnded = ended
  }

  sendText(text: string): boolean {
    if (this.#inner !== undefined) return this.#inner.sendText(text)
    this.#chunks.push(Buffer.from(text, 'latin1'))
    return false
  }

  sendData(buffer: Buffer, start: number, end: number): boolean {
    if (this.#inner !== undefined) return this.#inner.sendData(buffer, start, end)
    this.#chunks.push(Buffer.from(buffer.subarray(start, end)))
    return false
  }

  sendEnd(trailers: Fields | undefined): void {
    if (this.#inner !== undefined) {
      this.#inner.sendEnd(trailers)
      return
    }
    this.#ended = true
    this.#trailers = trailers
  }

  flush(): void {
    this.#inner?.flush()
  }

  reset(reason: ResetReason): void {
    this.over = true
    this.#chunks.length = 0
    this.#inner?.reset(reason)
  }

  pauseBody(): void {
    this.#paused = true
    this.#inner?.pauseBody()
  }

  resumeBody(): void {
    this.#paused = false
    this.#inner?.resumeBody()
  }
}
