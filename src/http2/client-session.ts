import type { ClientStreamHandler, UpstreamFailure } from '#src/exchange/streams.ts'
import type { CloseReason, ConnectHandler, Connection } from '#src/transport/transport.ts'
import { Http2ClientStream } from './client-stream.ts'
import type { ClientStreamSession } from './client-stream.ts'
import type { Http2Environment } from './environment.ts'
import type { HeaderBlocks } from './session/header-blocks.ts'
import type { Http2Limits } from './limits.ts'
import { errorCode, maxStreamId, preface, setting } from './protocol.ts'
import { ResponseReader } from './messages/response-reader.ts'
import { SessionCore } from './session/session-core.ts'
import type { SessionRole } from './session/session-role.ts'
import { writeSettings } from './session/settings.ts'
import { TrailerReader } from './messages/trailer-reader.ts'

// One of each a thread: a field block is read in one go.
const responses = new ResponseReader()
const trailers = new TrailerReader()

/** Who owns a client session; the pool. */
export interface Http2ClientOwner {
  /** `capacity` may have changed: a stream ended, or SETTINGS came. */
  onCapacity(session: Http2ClientSession): void
  /** No more streams can be opened; those that are open go on. Called once, before the end too. */
  onDraining(session: Http2ClientSession): void
  /** The session is over; the last call. */
  onSessionClosed(session: Http2ClientSession, reason: CloseReason): void
}

/** How a session reaches its upstream. */
export interface Http2ClientOptions {
  /** For `:scheme`: whether TLS is spoken with the upstream. */
  readonly scheme: 'http' | 'https'
  /** The connection is ready; else call `onConnected` when it is. */
  readonly connected: boolean
}

/**
 * The client's end of an HTTP/2 connection (RFC 9113): many exchanges at once with one upstream. Streams
 * may be opened while the connection is still being made; what they send waits.
 */
export class Http2ClientSession implements ConnectHandler, SessionRole, ClientStreamSession {
  readonly isServer = false
  readonly scheme: 'http' | 'https'
  connected = false
  /** The upstream did not agree to speak HTTP/2 (RFC 9113 3.2): nothing is sent. */
  mismatch = false
  readonly #core: SessionCore
  readonly #owner: Http2ClientOwner
  /** Opened, head not sent. */
  readonly #unsent: Http2ClientStream[] = []
  #nextId = 1
  #draining = false
  #opened = 0

  // oxlint-disable-next-line max-params -- once a connection, from one place
  constructor(
    connection: Connection,
    owner: Http2ClientOwner,
    limits: Http2Limits,
    environment: Http2Environment,
    options: Http2ClientOptions,
  ) {
    this.#owner = owner
    this.scheme = options.scheme
    const core = new SessionCore(connection, this, limits, environment)
    this.#core = core
    connection.handler = this
    core.out.reserve(preface.length)
    core.out.bytes(preface, 0, preface.length)
    writeSettings(core.out, [
      [setting.enablePush, 0],
      [setting.initialWindowSize, limits.streamWindowBytes],
      [setting.maxHeaderListSize, limits.headerListBytes],
    ])
    core.receiver.open()
    if (options.connected) this.onConnected(connection)
  }

  /** With the end of the connection: what the system or TLS said. */
  get problem(): string | undefined {
    return this.mismatch ? 'HTTP/2 was not agreed on (ALPN)' : this.#core.connection.problem
  }

  /** Streams that are open or about to be. */
  get streamCount(): number {
    return this.#core.streams.size + this.#unsent.length
  }

  /** How many more streams may be opened now. */
  get capacity(): number {
    if (this.#draining) return 0
    const { peer, limits } = this.#core
    const most = Math.min(peer.maxConcurrentStreams, limits.concurrentStreams)
    return Math.max(0, most - this.streamCount)
  }

  /** Opens a stream; only while `capacity` is above 0. Its identifier is taken with its head. */
  open(handler: ClientStreamHandler): Http2ClientStream {
    const stream = new Http2ClientStream(this.#core, this, handler, this.#opened > 0)
    this.#opened++
    this.#unsent.push(stream)
    return stream
  }

  /** Opens no more streams and ends the session when the last is done. */
  drain(): void {
    this.#drain()
    this.onStreamGone()
  }

  /** Ends the session at once; open streams fail with `closed`. */
  close(): void {
    this.#drain()
    if (this.connected) this.#core.finish(errorCode.none)
    else this.#core.destroy()
  }

  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    this.#owner.onDraining(this)
  }

  // The connection's events.

  onConnected(connection: Connection): void {
    if (this.connected) return
    const { tls } = connection.peer
    if (tls !== undefined && tls.alpn !== 'h2') {
      this.mismatch = true
      this.#drain()
      connection.destroy()
      return
    }
    this.connected = true
    for (const stream of [...this.#core.streams.list(), ...this.#unsent]) {
      if (!stream.closed) (stream as Http2ClientStream).handler.onUpstreamConnected()
    }
    this.#core.opened()
    this.#core.connection.resume()
  }

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

  // What the streams ask.

  begin(stream: Http2ClientStream): number {
    this.#leaveUnsent(stream)
    const id = this.#nextId
    this.#nextId += 2
    if (this.#nextId > maxStreamId) this.#drain()
    return id
  }

  forgetUnsent(stream: Http2ClientStream): void {
    this.#leaveUnsent(stream)
    this.onStreamGone()
  }

  /** Nearly always the stream opened last, which is sent at once. */
  #leaveUnsent(stream: Http2ClientStream): void {
    const at = this.#unsent.lastIndexOf(stream)
    if (at === this.#unsent.length - 1) this.#unsent.pop()
    else if (at >= 0) this.#unsent.splice(at, 1)
  }

  // What the frames bring.

  isIdle(streamId: number): boolean {
    return streamId % 2 === 0 || streamId >= this.#nextId
  }

  onHeaderBlock(block: HeaderBlocks, streamId: number): void {
    const core = this.#core
    const stream = core.streams.get(streamId) as Http2ClientStream | undefined
    if (stream === undefined) this.#closedStream(block, streamId)
    else if (stream.answered) this.#trailers(block, stream)
    else this.#response(block, stream)
  }

  #closedStream(block: HeaderBlocks, streamId: number): void {
    const core = this.#core
    if (this.isIdle(streamId)) {
      core.fail(errorCode.protocol, 'http2_protocol_error')
      return
    }
    trailers.begin(0, undefined)
    if (!this.#decode(block, trailers)) return
    // Late fields on a stream that we reset are no fault, all others are (5.1).
    const how = core.closedStreams.find(streamId)
    if (how === 'ended' || how === 'reset-by-peer') {
      core.fail(errorCode.streamClosed, 'http2_protocol_error')
    }
  }

  /** False: the session has ended. */
  #decode(block: HeaderBlocks, sink: ResponseReader | TrailerReader): boolean {
    const core = this.#core
    const result = core.decoder.decode(block.buffer as Buffer, block.start, block.end, sink)
    this.#whole = result === 'ok'
    if (result !== 'error') return true
    core.fail(errorCode.compression, 'http2_compression_error')
    return false
  }

  #whole = false

  #response(block: HeaderBlocks, stream: Http2ClientStream): void {
    const core = this.#core
    responses.begin(core.limits.fields)
    const decoded = this.#decode(block, responses)
    const head = responses.finish(this.#whole)
    if (!decoded) return
    if (head !== undefined) {
      if (!stream.takeHead(head, block.endStream)) this.#malformed(stream)
    } else if (responses.fault === '') {
      core.count('http2_header_list_too_large')
      core.closeWith(stream, errorCode.cancel)
      stream.deliverAbort('too-large', 'head-too-large')
    } else {
      this.#malformed(stream)
    }
  }

  #malformed(stream: Http2ClientStream): void {
    if (!stream.closed) this.#core.streamError(stream, errorCode.protocol, 'http2_malformed')
  }

  #trailers(block: HeaderBlocks, stream: Http2ClientStream): void {
    const core = this.#core
    trailers.begin(core.limits.fields, undefined)
    if (!this.#decode(block, trailers)) return
    core.receiveTrailers(stream, block.endStream, trailers.finish(this.#whole))
  }

  onSettings(): void {
    // Each leaves the set as it is sent, and none is added meanwhile.
    for (const stream of this.#unsent.slice()) stream.onSettings()
    this.#owner.onCapacity(this)
  }

  /** What the upstream has not processed can go elsewhere (6.8). */
  onGoaway(lastStreamId: number): void {
    const core = this.#core
    this.#drain()
    for (const stream of core.streams.list()) {
      if (stream.id > lastStreamId && !stream.closed)
        core.resetByPeer(stream, 'refused', 'refused-stream')
    }
    this.#failUnsent('refused-stream')
    this.onStreamGone()
  }

  #failUnsent(failure: UpstreamFailure): void {
    const unsent = this.#unsent.splice(0)
    for (const stream of unsent) stream.failUnsent(failure)
  }

  onStreamGone(): void {
    if (this.#draining) {
      if (this.streamCount === 0) this.close()
    } else {
      this.#owner.onCapacity(this)
    }
  }

  checkStream(): void {
    // The proxy times its upstreams.
  }

  closeFailure(reason: CloseReason): UpstreamFailure {
    if (reason === 'tls' || this.mismatch) return 'tls-failed'
    if (this.connected) return reason === 'reset' ? 'reset' : 'closed'
    if (reason === 'timeout') return 'connect-timeout'
    return reason === 'refused' || reason === 'unreachable' ? 'connect-refused' : 'closed'
  }

  onEnding(): void {
    this.#drain()
  }

  onClosed(reason: CloseReason): void {
    this.#failUnsent(this.closeFailure(reason))
    this.#owner.onSessionClosed(this, reason)
  }
}
