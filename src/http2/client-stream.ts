import type { Fields } from '#src/exchange/fields.ts'
import { releaseResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type {
  ClientStream,
  ClientStreamHandler,
  ResetReason,
  UpstreamFailure,
} from '#src/exchange/streams.ts'
import { errorCode } from './protocol.ts'
import type { ErrorCode } from './protocol.ts'
import type { SessionCore } from './session/session-core.ts'
import { Http2Stream } from './session/stream.ts'
import { webSocketAccept } from './messages/web-socket.ts'

/** Interim responses to one request; more are an attack on the client behind us. */
const interimsMax = 64

/** What a stream asks of its session. */
export interface ClientStreamSession {
  readonly connected: boolean
  readonly scheme: 'http' | 'https'
  /** The next identifier; the stream is the session's from here on. */
  begin(stream: Http2ClientStream): number
  /** A stream is given up that was never sent. */
  forgetUnsent(stream: Http2ClientStream): void
}

/** One request to an upstream and its answer. */
export class Http2ClientStream extends Http2Stream implements ClientStream {
  readonly reused: boolean
  readonly handler: ClientStreamHandler
  /** The final head has come. */
  answered = false
  readonly #session: ClientStreamSession
  /** A head that waits for the upstream's SETTINGS. */
  #head: RequestHead | undefined
  #headEnded = false
  /** Whether an answer to this request has no body, whatever its fields say. */
  #toHead = false
  /** An extended CONNECT was sent; the key of the WebSocket client, '' if it sent none. */
  #asksTunnel = false
  #webSocketKey = ''
  #interims = 0
  /** The output's count of writes when the head was put there. */
  #headWrite = 0

  // oxlint-disable-next-line max-params -- once a stream, from one place
  constructor(
    core: SessionCore,
    session: ClientStreamSession,
    handler: ClientStreamHandler,
    reused: boolean,
  ) {
    super(core)
    this.#session = session
    this.handler = handler
    this.reused = reused
  }

  get connected(): boolean {
    return this.#session.connected
  }

  get sent(): boolean {
    return this.id !== 0 && this.core.out.writes > this.#headWrite
  }

  sendHead(head: RequestHead, ended: boolean): void {
    if (this.closed || this.id !== 0) return
    if (head.upgrade !== '' && !this.core.peer.received) {
      // Whether the upstream takes an extended CONNECT is in its SETTINGS, which come first.
      this.#head = head
      this.#headEnded = ended
      return
    }
    this.#start(head, ended)
  }

  /** The upstream's SETTINGS are here. */
  onSettings(): void {
    const head = this.#head
    this.#head = undefined
    if (head !== undefined && !this.closed) this.#start(head, this.#headEnded)
  }

  /** An Upgrade that the upstream cannot take is left out, as RFC 9110 7.8 allows. */
  #start(head: RequestHead, ended: boolean): void {
    const { core } = this
    const extended = head.upgrade !== '' && core.peer.enableConnectProtocol
    const bodyless = !extended && (ended || (head.upgrade !== '' && head.contentLength === 0))
    this.#asksTunnel = extended
    if (extended) this.#webSocketKey = head.fields.get('sec-websocket-key') ?? ''
    this.#toHead = head.method === 'HEAD'
    this.begin(this.#session.begin(this))
    core.open(this)
    const { scheme } = this.#session
    this.frameAt = core.heads.request(this.id, head, { scheme, extended, endStream: bodyless })
    this.frameWrite = core.out.writes
    this.#headWrite = core.out.writes
    core.floods.earn()
    if (bodyless) this.ended()
    else this.sendWaiting()
  }

  /** There is no body before the head (RFC 9113 8.1). */
  override takeFrame(bytes: number): ErrorCode {
    return this.answered ? super.takeFrame(bytes) : errorCode.protocol
  }

  /** The first field block, or one behind interim responses. False: it is malformed. */
  takeHead(head: ResponseHead, ended: boolean): boolean {
    if (head.status < 200) return this.#takeInterim(head, ended)
    this.answered = true
    if (this.#asksTunnel && head.status < 300) this.#becomeTunnel(head)
    else if (!this.#expectBody(head, ended)) return false
    this.core.touch(this)
    this.remoteEnded = ended
    this.handler.onResponse(head, ended)
    if (ended) this.#answerEnded()
    return true
  }

  /** Notes how long the body must be. False: it cannot be what the head says. */
  #expectBody(head: ResponseHead, ended: boolean): boolean {
    const bodyless = this.#toHead || head.status === 304 || head.status === 204
    if (ended && !bodyless && head.contentLength > 0) {
      releaseResponseHead(head)
      return false
    }
    this.expectedBytes = bodyless ? 0 : head.contentLength
    if (ended && !bodyless) head.contentLength = 0
    return true
  }

  /** The 200 stands for the 101 of HTTP/1.1, with the answer to the key that only HTTP/1.1 has. */
  #becomeTunnel(head: ResponseHead): void {
    this.tunnel = true
    head.status = 101
    head.upgrade = 'websocket'
    head.contentLength = -1
    if (this.#webSocketKey === '') return
    head.fields.set('sec-websocket-accept', webSocketAccept(this.#webSocketKey))
  }

  #takeInterim(head: ResponseHead, ended: boolean): boolean {
    if (ended || ++this.#interims > interimsMax) {
      releaseResponseHead(head)
      return false
    }
    this.core.touch(this)
    this.handler.onInterimResponse(head)
    return true
  }

  /** The answer is whole; the rest of the request has no use (RFC 9113 8.1). */
  #answerEnded(): void {
    if (this.tunnel || this.closed) return
    if (this.localEnded) this.core.streamDone(this)
    else this.core.closeWith(this, errorCode.cancel)
  }

  override reset(reason: ResetReason): void {
    this.#head = undefined
    if (this.id !== 0 || this.closed) {
      super.reset(reason)
      return
    }
    this.release(false)
    this.#session.forgetUnsent(this)
  }

  /** Fails a stream that was never sent. */
  failUnsent(failure: UpstreamFailure): void {
    this.#head = undefined
    this.release(false)
    this.handler.onUpstreamFailure(failure)
  }

  protected onLocalEnd(): void {
    // The answer is still to come, or to end.
  }

  protected deliverBody(buffer: Buffer, start: number, end: number): void {
    this.handler.onResponseBody(buffer, start, end)
  }

  protected deliverEnd(trailers: Fields | undefined): void {
    this.handler.onResponseEnd(trailers)
    this.#answerEnded()
  }

  deliverFlush(): void {
    if (!this.closed) this.handler.onResponseFlush()
  }

  protected deliverWritable(): void {
    this.handler.onUpstreamWritable()
  }

  /** An answer that came whole is not lost by what happens later. */
  deliverAbort(_reason: ResetReason, failure: UpstreamFailure): void {
    if (!this.remoteEnded || this.tunnel) this.handler.onUpstreamFailure(failure)
  }
}
