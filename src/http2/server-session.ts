import { releaseResponseHead, takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import type { Listed } from '#src/exchange/roster.ts'
import type { Peer, RequestAcceptor, UpstreamFailure } from '#src/exchange/streams.ts'
import type { CloseReason, Connection, ConnectionHandler } from '#src/transport/transport.ts'
import type { Http2Environment } from './environment.ts'
import type { HeaderBlocks } from './session/header-blocks.ts'
import type { Http2Limits } from './limits.ts'
import { errorCode, frameType, flag, setting } from './protocol.ts'
import { refusals, RequestReader } from './messages/request-reader.ts'
import type { Refusal } from './messages/request-reader.ts'
import { Http2ServerStream } from './server-stream.ts'
import { SessionCore } from './session/session-core.ts'
import type { SessionRole } from './session/session-role.ts'
import { writeSettings } from './session/settings.ts'
import type { Http2Stream } from './session/stream.ts'
import { TrailerReader } from './messages/trailer-reader.ts'

// One of each a thread: a field block is read in one go.
const requests = new RequestReader()
const trailers = new TrailerReader()

/** Who owns a server session; the listener. */
export interface Http2ServerOwner {
  /** The session is over; the last call. */
  onSessionClosed(session: Http2ServerSession, reason: CloseReason): void
}

/**
 * The server's end of an HTTP/2 connection (RFC 9113): brings each request to the acceptor as a stream of
 * its own. It answers by itself only what it refuses.
 *
 * Takes the connection over from its previous handler; then give `onData` what was already read of it
 * (the preface included), if anything. Reading is started here.
 */
export class Http2ServerSession implements ConnectionHandler, SessionRole, Listed {
  readonly isServer = true
  readonly peer: Peer
  /** See `Listed`. */
  place = -1
  readonly #core: SessionCore
  readonly #acceptor: RequestAcceptor
  readonly #owner: Http2ServerOwner | undefined
  #requests = 0

  // oxlint-disable-next-line max-params -- once a connection, from one place
  constructor(
    connection: Connection,
    acceptor: RequestAcceptor,
    limits: Http2Limits,
    environment: Http2Environment,
    owner?: Http2ServerOwner,
  ) {
    this.#acceptor = acceptor
    this.#owner = owner
    this.peer = connection.peer
    const core = new SessionCore(connection, this, limits, environment)
    this.#core = core
    connection.handler = this
    writeSettings(core.out, [
      [setting.maxConcurrentStreams, limits.concurrentStreams],
      [setting.initialWindowSize, limits.streamWindowBytes],
      [setting.maxHeaderListSize, limits.headerListBytes],
      [setting.enableConnectProtocol, 1],
      [setting.noRfc7540Priorities, 1],
    ])
    core.receiver.open()
    core.opened()
    core.scheduleFlush()
    connection.resume()
  }

  /** Streams that are open. */
  get streamCount(): number {
    return this.#core.streams.size
  }

  // The connection's events.

  onData(buffer: Buffer, start: number, end: number): void {
    this.#core.onData(buffer, start, end)
  }

  onEnd(): void {
    this.#core.onEnd()
  }

  onDrain(): void {
    this.#core.onDrain()
  }

  onClose(reason: CloseReason): void {
    this.#core.onClose(reason)
  }

  /**
   * Ends the session when its streams have: GOAWAY without a last stream, then, when the client must
   * have seen it, GOAWAY with the last one taken (RFC 9113 6.8). No request is lost.
   */
  drain(): void {
    this.#core.watch.drain()
  }

  /** Ends the session at once; open streams fail. */
  close(): void {
    this.#core.finish(errorCode.none)
  }

  // What the frames bring.

  isIdle(streamId: number): boolean {
    return streamId % 2 === 0 || streamId > this.#core.lastPeerStream
  }

  onHeaderBlock(block: HeaderBlocks, streamId: number): void {
    const core = this.#core
    const stream = core.streams.get(streamId)
    if (stream !== undefined) this.#trailers(block, stream)
    else if (streamId % 2 === 0) core.fail(errorCode.protocol, 'http2_protocol_error')
    else if (streamId <= core.lastPeerStream) this.#closedStream(block, streamId)
    else this.#request(block, streamId)
  }

  /** Fields for a stream that is gone: late ones are read and dropped, others are errors (5.1, 5.1.1). */
  #closedStream(block: HeaderBlocks, streamId: number): void {
    const how = this.#core.closedStreams.find(streamId)
    if (how === 'reset-by-us') this.#drop(block)
    else {
      const code = how === undefined ? errorCode.protocol : errorCode.streamClosed
      this.#core.fail(code, 'http2_protocol_error')
    }
  }

  /** Keeps the compression state in step. */
  #drop(block: HeaderBlocks): void {
    trailers.begin(0, undefined)
    const result = this.#core.decoder.decode(
      block.buffer as Buffer,
      block.start,
      block.end,
      trailers,
    )
    if (result === 'error') this.#compressionError()
  }

  #compressionError(): void {
    this.#core.fail(errorCode.compression, 'http2_compression_error')
  }

  #request(block: HeaderBlocks, streamId: number): void {
    const core = this.#core
    const { limits } = core
    if (core.watch.draining) {
      this.#drop(block)
      return
    }
    core.lastPeerStream = streamId
    requests.begin(limits.fields, limits)
    const result = core.decoder.decode(block.buffer as Buffer, block.start, block.end, requests)
    const over = core.streams.size >= limits.concurrentStreams
    if (block.selfDependent) requests.refusal = refusals.selfDependency
    const head = requests.finish(result === 'ok' && !over, block.endStream)
    if (result === 'error') {
      this.#compressionError()
    } else if (over) {
      core.refuseStream(streamId, errorCode.refusedStream, 'http2_streams_over_limit')
    } else if (head === undefined) {
      this.#refuse(streamId, requests.refusal as Refusal, block.endStream)
    } else {
      this.#accept(streamId, head, block.endStream)
    }
  }

  #accept(streamId: number, head: RequestHead, ended: boolean): void {
    const core = this.#core
    const tunnel = head.upgrade !== ''
    const key = tunnel ? core.environment.createWebSocketKey() : ''
    if (tunnel) head.fields.set('sec-websocket-key', key)
    const stream = new Http2ServerStream(core, streamId, key)
    stream.expectedBytes = tunnel ? -1 : head.contentLength
    stream.remoteEnded = ended && !tunnel
    core.open(stream)
    core.touch(stream)
    stream.handler = this.#acceptor.onRequest(stream, head, stream.remoteEnded)
    // An end that came with the head of a tunnel waits as its bytes would.
    if (ended && tunnel && !stream.closed) core.receiveEnd(stream, undefined)
    this.#countRequest()
  }

  #countRequest(): void {
    if (++this.#requests === this.#core.limits.requests) this.drain()
  }

  /** The second field block of a stream: trailers, and its end (8.1). */
  #trailers(block: HeaderBlocks, stream: Http2Stream): void {
    const core = this.#core
    trailers.begin(core.limits.fields, core.limits)
    const result = core.decoder.decode(block.buffer as Buffer, block.start, block.end, trailers)
    if (result === 'error') {
      this.#compressionError()
      return
    }
    core.receiveTrailers(stream, block.endStream, trailers.finish(result === 'ok'))
  }

  /** Malformed: a stream error. Otherwise the request is understood, and gets an answer. */
  #refuse(streamId: number, refusal: Refusal, ended: boolean): void {
    const core = this.#core
    const text = this.#acceptor.onRejected(core.connection.peer, refusal.status, refusal.code)
    if (refusal.status === 400) {
      core.refuseStream(streamId, errorCode.protocol, 'http2_malformed')
      return
    }
    if (refusal.status === 431) core.count('http2_header_list_too_large')
    this.#answer(streamId, refusal.status, text)
    if (!ended) core.writeReset(streamId, errorCode.none)
    core.closedStreams.note(streamId, 'reset-by-us')
    if (!core.floods.error()) core.fail(errorCode.enhanceYourCalm)
  }

  #answer(streamId: number, status: number, text: string): void {
    const core = this.#core
    const { heads, out, sender } = core
    const body = Buffer.from(text, 'latin1')
    const fits = body.length <= Math.min(sender.window, sender.initialWindow)
    const length = fits ? body.length : 0
    const head = takeResponseHead()
    head.status = status
    head.contentLength = length
    if (length > 0) head.fields.append('content-type', 'text/plain; charset=utf-8')
    heads.response(streamId, head, length === 0)
    releaseResponseHead(head)
    if (length === 0) return
    sender.window -= length
    out.frame(frameType.data, flag.endStream, streamId, length)
    out.bytes(body, 0, length)
  }

  onSettings(): void {
    // Nothing of a server depends on them but windows and tables, which are seen to.
  }

  onGoaway(): void {
    this.drain()
  }

  onStreamGone(): void {
    const core = this.#core
    if (core.watch.draining && core.streams.size === 0) core.finish(errorCode.none)
  }

  checkStream(stream: Http2Stream): void {
    const { limits, now } = this.#core
    const server = stream as Http2ServerStream
    if (stream.queuedBytes > 0) {
      if (isPast(now - stream.sendMark, limits.sendTimeoutMs))
        this.#slow(stream, 'http2_slow_reader')
    } else if (!stream.remoteEnded && !stream.paused && !server.answered) {
      if (isPast(now - stream.receiveMark, limits.bodyTimeoutMs))
        this.#slow(stream, 'http2_slow_body')
    }
  }

  #slow(stream: Http2Stream, counter: 'http2_slow_reader' | 'http2_slow_body'): void {
    const core = this.#core
    core.count(counter)
    core.closeWith(stream, errorCode.cancel)
    stream.deliverAbort('timeout', 'reset')
  }

  onEnding(): void {
    // A server opens no streams.
  }

  closeFailure(): UpstreamFailure {
    return 'closed'
  }

  onClosed(reason: CloseReason): void {
    this.#owner?.onSessionClosed(this, reason)
  }
}

function isPast(elapsedMs: number, limitMs: number): boolean {
  return limitMs > 0 && elapsedMs >= limitMs
}
