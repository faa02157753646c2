import type { ClientStream, ClientStreamHandler, UpstreamFailure } from '#src/exchange/streams.ts'
import type { CloseReason, ConnectHandler, Connection } from '#src/transport/transport.ts'
import { BodyReader } from './body-reader.ts'
import { Http1ClientStream } from './client-stream.ts'
import type { ClientStreamOwner } from './client-stream.ts'
import { MessageWriter } from './message-writer.ts'
import type { Http1ClientOptions } from './options.ts'
import { ReadGate } from './read-gate.ts'
import { ResponseHeadReader, responseParser } from './response-head-reader.ts'
import type { LastResponse } from './response-head-reader.ts'
import { untilClose } from './response-parser.ts'

/** Who keeps the session between exchanges: a pool. */
export interface Http1ClientOwner {
  /**
   * An exchange ended so that another may follow; `open` may be called from now on, from here too.
   */
  onIdle(session: Http1ClientSession): void
  /** The session carries no exchange any more, for good. Exactly once. */
  onGone(session: Http1ClientSession): void
}

/**
 * - idle: no exchange; a byte or an end from the upstream closes the connection.
 * - head: a response head is due, interim or final.
 * - body: the response body is being read.
 * - tunnel: after 101; bytes pass as they are.
 * - closed.
 */
type Phase = 'idle' | 'head' | 'body' | 'tunnel' | 'closed'

/** Interim responses to one request; more are an attack on the client. */
const interimResponsesMax = 16

/**
 * The client role on one connection (RFC 9112): one exchange after the other, each begun by `open`.
 * It can be used while the connection is still being opened; output waits then.
 *
 * It is used again only when both directions of the last exchange ended in order, both sides keep
 * the connection, and not one surplus byte came. Such bytes never reach anybody.
 */
export class Http1ClientSession implements ConnectHandler, ClientStreamOwner {
  readonly options: Http1ClientOptions
  readonly writer = new MessageWriter()
  /** The connection is ready: TCP, and TLS where it is wanted. */
  connected = false
  /** Exchanges begun on this connection. */
  exchanges = 0
  readonly #owner: Http1ClientOwner
  readonly #heads: ResponseHeadReader
  readonly #body = new BodyReader()
  #connection: Connection | undefined
  #gate: ReadGate | undefined
  #phase: Phase = 'idle'
  /** The exchange under way. */
  #stream: Http1ClientStream | undefined
  /** The upstream ended its direction of the tunnel. */
  #inputEnded = false
  /** What the handler is told when the connection closes, if not the reason of that. */
  #failure: UpstreamFailure | undefined

  /** `last` may be shared by all connections to the same upstream. */
  constructor(owner: Http1ClientOwner, options: Http1ClientOptions, last?: LastResponse) {
    this.#owner = owner
    this.options = options
    this.#heads = new ResponseHeadReader(last)
  }

  /** Tells the session its connection, which may be connecting still. */
  attach(connection: Connection): void {
    this.#connection = connection
    this.#gate = new ReadGate(connection)
  }

  /** With the end of the connection: what the system or TLS said. */
  get problem(): string | undefined {
    return this.#connection?.problem
  }

  /** The session can begin an exchange. */
  get idle(): boolean {
    return this.#phase === 'idle'
  }

  /** Begins an exchange on an idle session; its head is to be sent next. */
  open(handler: ClientStreamHandler): ClientStream {
    const stream = new Http1ClientStream(this, handler, this.exchanges > 0)
    this.#stream = stream
    this.#phase = 'head'
    this.exchanges++
    return stream
  }

  /** Closes an idle session. */
  close(): void {
    this.#end(false)
  }

  // What the stream asks for.

  flush(): void {
    if (this.writer.pending === 0 || !this.connected) return
    if (this.#stream !== undefined) this.#stream.sent = true
    this.writer.flush()
  }

  read(on: boolean): void {
    if (this.connected) this.#gate?.set(on)
  }

  endOutput(): void {
    if (this.#phase !== 'tunnel') return
    this.flush()
    this.#connection?.end()
    if (this.#inputEnded && !this.writer.backedUp) this.#end(false)
  }

  refuse(failure: 'limit' | 'closed'): void {
    this.#failure = failure
    this.writer.drop()
    this.#connection?.reset()
  }

  abandon(): void {
    this.#end(true)
  }

  // The connection's events.

  onConnected(connection: Connection): void {
    if (this.#connection === undefined) this.attach(connection)
    this.connected = true
    this.#gate?.set(true)
    this.#stream?.handler?.onUpstreamConnected()
    if (this.#phase === 'closed') return
    this.writer.attach(connection)
    this.flush()
    if (!this.writer.backedUp) this.#stream?.handler?.onUpstreamWritable()
  }

  onData(buffer: Buffer, start: number, end: number): void {
    const stream = this.#stream
    const handler = stream?.handler
    // Nothing was asked that this could answer.
    if (stream?.sent === true) this.#receive(buffer, start, end)
    else this.#fail('closed')
    if (stream?.abandoned === false) handler?.onResponseFlush()
  }

  #receive(buffer: Buffer, start: number, end: number): void {
    let at = start
    while (at < end && this.#phase !== 'closed') {
      if (this.#phase === 'head') at = this.#readHead(buffer, at, end)
      else if (this.#phase === 'body') at = this.#readBody(buffer, at, end)
      else {
        this.#stream?.handler?.onResponseBody(buffer, at, end)
        at = end
      }
    }
    if (this.#phase === 'body' && this.#body.isLong(end - start)) this.#gate?.setBulk(true)
  }

  onEnd(): void {
    const stream = this.#stream
    const handler = stream?.handler
    if (this.#phase === 'tunnel' && stream !== undefined) this.#endTunnelInput(stream)
    else if (this.#phase === 'body' && this.#body.untilClose) {
      this.#finish(true)?.onResponseEnd(undefined)
    } else this.#fail('closed')
    if (stream?.abandoned === false) handler?.onResponseFlush()
  }

  #endTunnelInput(stream: Http1ClientStream): void {
    const { handler } = stream
    this.#inputEnded = true
    stream.handler = undefined
    handler?.onResponseEnd(undefined)
    if (stream.request === 'ended' && !this.writer.backedUp) this.#end(false)
  }

  onDrain(): void {
    if (this.#inputEnded && this.#stream?.request === 'ended') this.#end(false)
    else this.#stream?.handler?.onUpstreamWritable()
  }

  onClose(reason: CloseReason): void {
    const stream = this.#stream
    const handler = stream?.handler
    this.#fail(this.#failureOf(reason))
    if (stream?.abandoned === false) handler?.onResponseFlush()
  }

  // Reading.

  #readHead(buffer: Buffer, from: number, end: number): number {
    const stream = this.#stream as Http1ClientStream
    const position = this.#heads.read(buffer, from, end, this.options.responseHeadBytesMax, stream)
    const { outcome } = this.#heads
    if (outcome === 'part') return end
    if (outcome === 'refused') {
      this.#fail(responseParser.tooLarge ? 'head-too-large' : 'malformed')
      return end
    }
    if (!responseParser.persistent) stream.persistent = false
    this.#takeHead(stream, position < end)
    return position
  }

  /** Passes on the head that the parser has. */
  #takeHead(stream: Http1ClientStream, more: boolean): void {
    const head = responseParser.takeHead()
    const { framing } = responseParser
    if (head.status === 101) {
      this.#phase = 'tunnel'
      stream.request = 'open'
      this.writer.start('', 'raw', 0)
      stream.handler?.onResponse(head, false)
    } else if (head.status < 200) {
      if (++stream.interimResponses > interimResponsesMax) this.#fail('malformed')
      else stream.handler?.onInterimResponse(head)
    } else if (framing === 0) {
      this.#finish(more)?.onResponse(head, true)
    } else {
      this.#phase = 'body'
      this.#body.start(framing === untilClose ? Infinity : framing, undefined)
      stream.handler?.onResponse(head, false)
    }
  }

  #readBody(buffer: Buffer, from: number, end: number): number {
    const body = this.#body
    const position = body.read(buffer, from, end)
    if (body.problem !== '') {
      this.#fail('malformed')
      return end
    }
    if (body.dataEnd > body.dataStart) {
      this.#stream?.handler?.onResponseBody(buffer, body.dataStart, body.dataEnd)
    }
    if (this.#phase === 'body' && body.done) {
      const { trailers } = body
      this.#finish(position < end)?.onResponseEnd(trailers)
    }
    return position
  }

  // Ends.

  /**
   * The response is whole. The session is idle or gone before the handler hears of it, so that what
   * follows at once may use it again. Returns the handler.
   */
  #finish(surplus: boolean): ClientStreamHandler | undefined {
    const stream = this.#stream as Http1ClientStream
    const { handler } = stream
    const { writer } = this
    const clean = stream.request === 'ended' && writer.pending === 0 && !writer.backedUp
    if (!clean || surplus || !stream.persistent) {
      this.#end(false)
      return handler
    }
    stream.over = true
    this.#stream = undefined
    this.#phase = 'idle'
    this.#body.clear()
    this.#gate?.setBulk(false)
    this.#gate?.set(true)
    this.#owner.onIdle(this)
    return handler
  }

  #fail(failure: UpstreamFailure): void {
    const handler = this.#stream?.handler
    this.#end(false)
    handler?.onUpstreamFailure(failure)
  }

  #failureOf(reason: CloseReason): UpstreamFailure {
    if (this.#failure !== undefined) return this.#failure
    if (this.connected) return reason === '' ? 'closed' : 'reset'
    if (reason === 'timeout') return 'connect-timeout'
    return reason === 'tls' ? 'tls-failed' : 'connect-refused'
  }

  #end(abruptly: boolean): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    if (this.#stream !== undefined) this.#stream.over = true
    this.#stream = undefined
    this.#heads.clear()
    this.#body.clear()
    this.writer.drop()
    if (abruptly) this.#connection?.reset()
    else this.#connection?.destroy()
    this.#owner.onGone(this)
  }
}
