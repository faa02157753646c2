import type { Fields } from '#src/exchange/fields.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import type {
  ClientStream,
  ClientStreamHandler,
  ResetReason,
  UpstreamFailure,
} from '#src/exchange/streams.ts'
import type { CloseReason, ConnectHandler, Connection } from '#src/transport/transport.ts'
import { BodyReader } from './body-reader.ts'
import { requestFraming, requestText } from './head-text.ts'
import { MessageWriter } from './message-writer.ts'
import type { Http1ClientOptions } from './options.ts'
import { ReadGate } from './read-gate.ts'
import { ResponseHeadReader, responseParser } from './response-head-reader.ts'
import { untilClose } from './response-parser.ts'

/** Who keeps the session between exchanges: a pool. */
export interface Http1ClientOwner {
  /** An exchange ended so that another may follow; `open` may be called from now on, from here too. */
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
export class Http1ClientSession implements ConnectHandler, ClientStream {
  readonly #owner: Http1ClientOwner
  readonly #options: Http1ClientOptions
  readonly #heads = new ResponseHeadReader()
  readonly #writer = new MessageWriter()
  readonly #body = new BodyReader()
  #connection: Connection | undefined
  #gate: ReadGate | undefined
  #connected = false
  #phase: Phase = 'idle'
  #handler: ClientStreamHandler | undefined
  readonly #asked = { method: '', upgrade: '' }
  /** How far the request is. */
  #request: 'none' | 'open' | 'ended' = 'none'
  /** Nothing in this exchange has said that the connection ends with it. */
  #persistent = true
  #interimResponses = 0
  /** The upstream ended its direction of the tunnel. */
  #inputEnded = false
  /** The proxy gave the exchange up: it hears nothing more. */
  #abandoned = false
  #sent = false
  /** What the handler is told when the connection closes, if not the reason of that. */
  #failure: UpstreamFailure | undefined
  /** Exchanges begun on this connection. */
  exchanges = 0

  constructor(owner: Http1ClientOwner, options: Http1ClientOptions) {
    this.#owner = owner
    this.#options = options
  }

  /** Tells the session its connection, which may be connecting still. Once, before anything else. */
  attach(connection: Connection): void {
    this.#connection = connection
    this.#gate = new ReadGate(connection)
  }

  /** The session can begin an exchange. */
  get idle(): boolean {
    return this.#phase === 'idle'
  }

  get connected(): boolean {
    return this.#connected
  }

  get reused(): boolean {
    return this.exchanges > 1
  }

  get sent(): boolean {
    return this.#sent
  }

  get backedUp(): boolean {
    return this.#writer.backedUp
  }

  /** Begins an exchange on an idle session. `sendHead` is due next. */
  open(handler: ClientStreamHandler): ClientStream {
    this.#handler = handler
    this.#phase = 'head'
    this.#request = 'none'
    this.#persistent = this.#options.persistent && this.#options.version > 10
    this.#interimResponses = 0
    this.#abandoned = false
    this.#sent = false
    this.exchanges++
    return this
  }

  /** Closes an idle session. */
  close(): void {
    this.#end(false)
  }

  // The stream of the exchange.

  sendHead(head: RequestHead, ended: boolean): void {
    if (this.#phase !== 'head' || this.#request !== 'none') return
    const { version } = this.#options
    const framing = requestFraming(head, ended)
    if (framing === 'chunked' && version === 10) {
      this.#refuse('limit')
      return
    }
    this.#asked.method = head.method
    this.#asked.upgrade = version === 10 ? '' : head.upgrade
    const text = requestText(head, framing, version, !this.#persistent)
    this.#writer.start(text, framing, framing === 'length' ? head.contentLength : 0)
    this.#request = ended ? 'ended' : 'open'
  }

  sendText(text: string): boolean {
    if (this.#request !== 'open') return true
    this.#sent = this.#connected
    return this.#writer.text(text)
  }

  sendData(buffer: Buffer, start: number, end: number): boolean {
    if (this.#request !== 'open') return true
    this.#sent = this.#connected
    return this.#writer.data(buffer, start, end)
  }

  sendEnd(trailers: Fields | undefined): void {
    if (this.#request !== 'open') return
    if (!this.#writer.end(trailers)) {
      this.#refuse('closed')
      return
    }
    this.#request = 'ended'
    if (this.#phase !== 'tunnel') return
    this.flush()
    this.#connection?.end()
    if (this.#inputEnded && !this.backedUp) this.#end(false)
  }

  flush(): void {
    if (this.#writer.pending === 0 || !this.#connected) return
    this.#sent = true
    this.#writer.flush()
  }

  reset(_reason: ResetReason): void {
    this.#abandoned = true
    this.#handler = undefined
    this.#end(true)
  }

  pauseBody(): void {
    if (this.#handler !== undefined) this.#gate?.set(false)
  }

  resumeBody(): void {
    if (this.#handler !== undefined && this.#connected) this.#gate?.set(true)
  }

  // The connection's events.

  onConnected(connection: Connection): void {
    const handler = this.#handler
    if (this.#connection === undefined) this.attach(connection)
    this.#connected = true
    this.#gate?.set(true)
    handler?.onUpstreamConnected()
    if (this.#phase === 'closed') return
    this.#writer.attach(connection)
    this.flush()
    if (!this.backedUp) this.#handler?.onUpstreamWritable()
  }

  onData(buffer: Buffer, start: number, end: number): void {
    const handler = this.#handler
    // Nothing was asked that this could answer.
    if (!this.#sent) this.#fail('closed')
    let at = start
    while (at < end && this.#phase !== 'closed') {
      if (this.#phase === 'head') at = this.#readHead(buffer, at, end)
      else if (this.#phase === 'body') at = this.#readBody(buffer, at, end)
      else {
        this.#handler?.onResponseBody(buffer, at, end)
        at = end
      }
    }
    if (this.#phase === 'body' && this.#body.isLong(end - start)) this.#gate?.setBulk(true)
    if (!this.#abandoned) handler?.onResponseFlush()
  }

  onEnd(): void {
    const handler = this.#handler
    if (this.#phase === 'tunnel') {
      this.#inputEnded = true
      this.#handler = undefined
      handler?.onResponseEnd(undefined)
      if (this.#request === 'ended' && !this.backedUp) this.#end(false)
    } else if (this.#phase === 'body' && this.#body.untilClose) {
      this.#finish(true)?.onResponseEnd(undefined)
    } else {
      this.#fail('closed')
    }
    if (!this.#abandoned) handler?.onResponseFlush()
  }

  onDrain(): void {
    if (this.#inputEnded && this.#request === 'ended') this.#end(false)
    else this.#handler?.onUpstreamWritable()
  }

  onClose(reason: CloseReason): void {
    const handler = this.#handler
    this.#fail(this.#failureOf(reason))
    if (!this.#abandoned) handler?.onResponseFlush()
  }

  // Reading.

  #readHead(buffer: Buffer, from: number, end: number): number {
    const position = this.#heads.read(buffer, from, end, this.#options.responseHeadBytesMax)
    const { outcome } = this.#heads
    if (outcome === 'part') return end
    if (outcome === 'refused' || !responseParser.interpret(this.#asked)) {
      this.#fail(responseParser.tooLarge ? 'head-too-large' : 'malformed')
      return end
    }
    if (!responseParser.persistent) this.#persistent = false
    this.#takeHead(position < end)
    return position
  }

  /** Passes on the head that the parser has. */
  #takeHead(more: boolean): void {
    const head = responseParser.takeHead()
    const { framing } = responseParser
    if (head.status === 101) {
      this.#phase = 'tunnel'
      this.#request = 'open'
      this.#writer.start('', 'raw', 0)
      this.#handler?.onResponse(head, false)
    } else if (head.status < 200) {
      if (++this.#interimResponses > interimResponsesMax) this.#fail('malformed')
      else this.#handler?.onInterimResponse(head)
    } else if (framing === 0) {
      this.#finish(more)?.onResponse(head, true)
    } else {
      this.#phase = 'body'
      this.#body.start(framing === untilClose ? Infinity : framing, undefined)
      this.#handler?.onResponse(head, false)
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
      this.#handler?.onResponseBody(buffer, body.dataStart, body.dataEnd)
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
    const handler = this.#handler
    this.#handler = undefined
    const clean = this.#request === 'ended' && this.#writer.pending === 0 && !this.backedUp
    if (!clean || surplus || !this.#persistent) {
      this.#end(false)
      return handler
    }
    this.#phase = 'idle'
    this.#sent = false
    this.#body.clear()
    this.#gate?.setBulk(false)
    this.#gate?.set(true)
    this.#owner.onIdle(this)
    return handler
  }

  #fail(failure: UpstreamFailure): void {
    const handler = this.#handler
    this.#handler = undefined
    this.#end(false)
    handler?.onUpstreamFailure(failure)
  }

  /** The exchange cannot go on from our side; its handler hears of it when the connection has closed. */
  #refuse(failure: UpstreamFailure): void {
    this.#failure = failure
    this.#request = 'none'
    this.#connection?.reset()
  }

  #failureOf(reason: CloseReason): UpstreamFailure {
    if (this.#failure !== undefined) return this.#failure
    if (this.#connected) return reason === '' ? 'closed' : 'reset'
    if (reason === 'timeout') return 'connect-timeout'
    return reason === 'tls' ? 'tls-failed' : 'connect-refused'
  }

  #end(abruptly: boolean): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#request = 'none'
    this.#heads.clear()
    this.#body.clear()
    this.#writer.drop()
    if (abruptly) this.#connection?.reset()
    else this.#connection?.destroy()
    this.#owner.onGone(this)
  }
}
