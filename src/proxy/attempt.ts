import type { Fields } from '#src/exchange/fields.ts'
import { releaseResponseHead } from '#src/exchange/heads.ts'
import type { ResponseHead } from '#src/exchange/heads.ts'
import type { ClientStream, ClientStreamHandler, UpstreamFailure } from '#src/exchange/streams.ts'
import type { LiveEndpoint } from '#src/upstream/live-endpoint.ts'
import type { LiveTarget } from './live-rule.ts'

/** What an attempt reports to; the exchange. Calls come from the current attempt only. */
export interface AttemptOwner {
  onConnected(): void
  onInterim(head: ResponseHead): void
  onHead(head: ResponseHead, ended: boolean): void
  onBody(buffer: Buffer, start: number, end: number): void
  onBodyEnd(trailers: Fields | undefined): void
  onFailure(failure: UpstreamFailure): void
  onFlush(): void
  onWritable(): void
}

/**
 * One try of one exchange at one endpoint. It holds the endpoint's in-flight count from its start
 * until the response body has ended, and shields the exchange from events of tries it gave up.
 */
export class Attempt implements ClientStreamHandler {
  readonly endpoint: LiveEndpoint
  readonly target: LiveTarget
  /** Monotonic milliseconds. */
  readonly startedAt: number
  stream: ClientStream | undefined
  /** A final response head has come. */
  answered = false
  #owner: AttemptOwner | undefined
  /** Bytes of the answer that are read though nobody wants them. */
  #unwantedMax = 0

  constructor(owner: AttemptOwner, target: LiveTarget, endpoint: LiveEndpoint, startedAt: number) {
    this.#owner = owner
    this.target = target
    this.endpoint = endpoint
    this.startedAt = startedAt
    target.backend.hold(endpoint)
  }

  get over(): boolean {
    return this.#owner === undefined
  }

  /** Gives the try up: the upstream's stream is reset and nothing more is heard of it. */
  abandon(): void {
    if (this.#owner === undefined) return
    this.#end()
    this.stream?.reset('cancel')
  }

  /**
   * Reports nothing more. What is left of the answer is read off the connection, up to so many bytes:
   * with more of them the stream is reset.
   */
  disown(bytesMax: number): void {
    this.#unwantedMax = bytesMax
    this.#end()
  }

  #end(): AttemptOwner | undefined {
    const owner = this.#owner
    if (owner === undefined) return undefined
    this.#owner = undefined
    this.target.backend.release(this.endpoint)
    return owner
  }

  onUpstreamConnected(): void {
    this.#owner?.onConnected()
  }

  onInterimResponse(head: ResponseHead): void {
    if (this.#owner === undefined) releaseResponseHead(head)
    else this.#owner.onInterim(head)
  }

  onResponse(head: ResponseHead, ended: boolean): void {
    this.answered = true
    const owner = ended ? this.#end() : this.#owner
    if (owner === undefined) releaseResponseHead(head)
    else owner.onHead(head, ended)
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    if (this.#owner !== undefined) this.#owner.onBody(buffer, start, end)
    else this.#drop(end - start)
  }

  #drop(bytes: number): void {
    this.#unwantedMax -= bytes
    if (this.#unwantedMax < 0) this.stream?.reset('cancel')
  }

  onResponseEnd(trailers: Fields | undefined): void {
    this.#end()?.onBodyEnd(trailers)
  }

  onUpstreamFailure(failure: UpstreamFailure): void {
    this.#end()?.onFailure(failure)
  }

  onResponseFlush(): void {
    this.#owner?.onFlush()
  }

  onUpstreamWritable(): void {
    this.#owner?.onWritable()
  }
}
