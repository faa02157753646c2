import type { ResetReason, ServerStreamHandler } from '#src/exchange/streams.ts'
import { Timer } from '#src/exchange/timer-wheel.ts'
import type { CloseReason, Connection, ConnectionHandler } from '#src/transport/transport.ts'
import { BodyReader } from './body-reader.ts'
import { EarlyBytes } from './early-bytes.ts'
import { Lingering } from './lingering.ts'
import { ReadGate } from './read-gate.ts'
import { refusals } from './refusals.ts'
import type { Refusal } from './refusals.ts'
import { RequestHeadReader } from './request-head-reader.ts'
import type { Http1ServerContext } from './server-context.ts'
import type { ServerPhase } from './server-phase.ts'
import { Http1ServerStream } from './server-stream.ts'
import type { ServerStreamOwner } from './server-stream.ts'
import { serverTiming } from './timing.ts'

/**
 * The server role on one connection (RFC 9112): brings requests to the acceptor, one after the
 * other, and sees to it that each gets one response. The next request is read only when the
 * exchange before it is over in both directions; bytes that come early wait, at most one read of
 * them, with reading paused. An idle session holds no buffer. A client that ends its direction before it has the response counts as gone, as nginx and Envoy
 * have it: most are, and their upstreams would work for nobody.
 */
export class Http1ServerSession implements ConnectionHandler, ServerStreamOwner {
  readonly connection: Connection
  /** See `Listed`. */
  place = -1
  readonly #context: Http1ServerContext
  readonly #gate: ReadGate
  readonly #heads: RequestHeadReader
  readonly #stream: Http1ServerStream
  /** For heads, bodies, idle times and lingering. */
  readonly #timer: Timer = new Timer(this)
  readonly #body = new BodyReader()
  #phase: ServerPhase = 'idle'
  readonly #early = new EarlyBytes()
  // `#advance` and `#receive` are at work, and go on by themselves.
  #advancing = false
  #receiving = false
  /** Bytes of the same read behind what is being handled. */
  #inHand = 0
  #requests = 0
  #lingering: Lingering | undefined
  #draining = false
  #clientEnded = false

  constructor(connection: Connection, context: Http1ServerContext) {
    this.connection = connection
    this.#context = context
    this.#gate = new ReadGate(connection)
    this.#heads = new RequestHeadReader(context.parser, context.options)
    this.#stream = new Http1ServerStream(connection, this, context)
  }

  /** Takes the connection over; what was read from it before goes to `onData` next. `sniffs`: see `onPreface`. */
  start(sniffs = false): void {
    const { options, sessions } = this.#context
    this.connection.handler = this
    this.#heads.sniffs = sniffs
    sessions.add(this)
    this.#allow(options.requestHeadTimeoutMs)
    this.#regulate()
  }

  /** Takes no request after the one it has. An idle connection is closed at once; `gently`: behind one more. */
  shutdown(gently = false): void {
    if (this.#draining) return
    if (gently) this.#requests = Infinity
    else this.#draining = true
    this.#stream.persistent = false
    if (gently || this.#phase !== 'idle') return
    // The first request of a new connection is most likely on its way.
    if (this.#requests === 0) this.#context.wheel.arm(this.#timer, serverTiming.drainGraceMs)
    else this.#linger(serverTiming.lingerMs)
  }

  /** Cuts the connection, whatever it is at. */
  abort(): void {
    if (this.#phase !== 'closed') this.#lose('cancel')
  }

  onData(buffer: Buffer, start: number, end: number): void {
    if (this.#early.any) {
      this.#early.hold(buffer, start, end)
      return
    }
    this.#receiving = true
    this.#receive(buffer, start, end)
    this.#receiving = false
    this.#inHand = 0
    this.#settle(end - start)
  }

  onEnd(): void {
    this.#clientEnded = true
    if (this.#phase === 'tunnel') this.#endTunnelInput()
    else if (this.#stream.live) this.#lose('cancel')
    else if (this.#requests === 0 && this.#phase === 'idle') this.#destroy()
    else if (this.#phase !== 'lingering') this.#linger(serverTiming.lingerMs)
  }

  onBackedUp(): void {
    this.#stream.watch()
  }

  onDrain(): void {
    this.#context.wheel.disarm(this.#stream.sendTimer)
    this.#lingering?.onDrain()
    this.#stream.handler?.onClientWritable()
    this.#advance()
  }

  onClose(_reason: CloseReason): void {
    const handler = this.#close()
    this.#context.sessions.delete(this)
    handler?.onRequestReset('cancel')
  }

  onTimer(timer: Timer): void {
    if (timer !== this.#timer) this.#lose('timeout')
    else if (this.#phase === 'idle') this.#linger(serverTiming.lingerMs)
    else if (this.#phase === 'head') this.#refuse('head-timeout', false)
    else if (this.#phase === 'body') this.#failBody('body-timeout', 'timeout')
    else if (this.#phase === 'lingering') this.#destroy()
  }

  #receive(buffer: Buffer, start: number, end: number): void {
    let at = start
    while (at < end) {
      switch (this.#phase) {
        case 'idle':
        case 'head':
          at = this.#readHead(buffer, at, end)
          break
        case 'body':
          at = this.#readBody(buffer, at, end)
          break
        case 'waiting':
          this.#early.hold(buffer, at, end)
          return
        case 'tunnel':
          this.#stream.handler?.onRequestBody(buffer, at, end)
          return
        case 'lingering':
          this.#discard(end - at)
          return
        case 'closed':
          return
      }
    }
  }

  /** What follows from the bytes that came, once for all of them. */
  #settle(size: number): void {
    this.#stream.handler?.onRequestFlush()
    this.#stream.write()
    if (this.#phase === 'body') {
      this.#awaitBody()
      if (this.#body.isLong(size)) this.#gate.setBulk(true)
    }
    this.#regulate()
  }

  #readHead(buffer: Buffer, from: number, end: number): number {
    const heads = this.#heads
    const { options } = this.#context
    const position = heads.read(buffer, from, end, options)
    if (heads.outcome === 'whole') {
      this.#inHand = end - position
      this.#accept()
    } else if (heads.outcome === 'refused') {
      this.#refuse(heads.refusal, heads.headOnly)
    } else if (heads.outcome === 'preface') {
      this.#giveAway(buffer, from, end)
    } else if (heads.outcome === 'part' && this.#phase === 'idle') {
      this.#phase = 'head'
      // A new connection has had its time since it was accepted.
      if (this.#requests > 0) this.#allow(options.requestHeadTimeoutMs)
    }
    return position
  }

  /** Another protocol's session goes on with the connection. */
  #giveAway(buffer: Buffer, start: number, end: number): void {
    this.#close()
    this.#context.sessions.delete(this)
    this.#context.onPreface(this.connection, buffer, start, end)
  }

  /** Brings the request whose head the parser has to the proxy. */
  #accept(): void {
    const { parser, acceptor } = this.#context
    const { options } = this.#heads
    const stream = this.#stream
    const head = parser.takeHead()
    this.#context.wheel.disarm(this.#timer)
    this.#requests++
    const mayStay = options.keepAliveTimeoutMs > 0 && this.#requests < options.keepAliveRequests
    stream.clientCloses = !parser.persistent
    stream.begin(head, parser.persistent && mayStay && !this.#draining)
    if (parser.framing === 0) {
      this.#phase = 'waiting'
    } else {
      this.#phase = 'body'
      this.#body.start(parser.framing, options)
    }
    const ended = parser.framing === 0 && head.upgrade === ''
    const handler = acceptor.onRequest(stream, head, ended)
    if (stream.live) stream.handler = handler
    this.#conclude()
  }

  #readBody(buffer: Buffer, from: number, end: number): number {
    const body = this.#body
    const position = body.read(buffer, from, end)
    this.#inHand = end - position
    if (body.problem !== '') {
      this.#failBody(body.problem, 'protocol-error')
      return end
    }
    if (body.dataEnd > body.dataStart) {
      this.#stream.handler?.onRequestBody(buffer, body.dataStart, body.dataEnd)
    }
    if (this.#phase === 'body' && body.done) this.#endBody()
    this.#conclude()
    return position
  }

  #endBody(): void {
    const { trailers } = this.#body
    this.#body.clear()
    this.#phase = 'waiting'
    this.#context.wheel.disarm(this.#timer)
    this.#gate.setBulk(false)
    this.#stream.handler?.onRequestEnd(trailers)
  }

  /** More of the body is due, so its time runs, unless it is us who keep it waiting. */
  #awaitBody(): void {
    if (this.#stream.paused) this.#context.wheel.disarm(this.#timer)
    else this.#allow(this.#heads.options.requestBodyTimeoutMs)
  }

  /** Gives the client this long for what is due; 0: as long as it likes. */
  #allow(timeoutMs: number): void {
    if (timeoutMs > 0) this.#context.wheel.arm(this.#timer, timeoutMs)
    else this.#context.wheel.disarm(this.#timer)
  }

  /** Goes on with what came early, as far as its turn has come. */
  #advance(): void {
    if (this.#receiving || this.#advancing) return
    this.#advancing = true
    this.#conclude()
    while (this.#early.any && this.#phase !== 'waiting') {
      this.#early.release(this)
      this.#conclude()
    }
    this.#advancing = false
    this.#regulate()
  }

  /** Reads or pauses, as the state asks for. */
  #regulate(): void {
    if (this.#phase === 'closed') return
    const paused = this.#stream.paused && (this.#phase === 'body' || this.#phase === 'tunnel')
    this.#gate.set(!this.#early.any && !paused)
  }

  isBodyInHand(): boolean {
    return this.#phase !== 'body' || this.#body.endsWithin(this.#inHand)
  }

  onPause(): void {
    if (this.#receiving) return
    if (this.#phase === 'body') this.#awaitBody()
    this.#regulate()
  }

  onSwitch(): void {
    this.#stream.persistent = false
    if (this.#phase === 'waiting') this.#phase = 'tunnel'
  }

  onAnswered(): void {
    if (this.#phase === 'tunnel') this.#endTunnelOutput()
    else this.#stream.finish()
  }

  onFlush(): void {
    // Amid a batch the write comes at its end, with what is sent until then.
    if (this.#receiving || this.#phase === 'closed') return
    this.#stream.write()
    this.#advance()
  }

  onCut(): void {
    this.#lose(undefined)
  }

  /** Draws the consequences of an exchange that is over. */
  #conclude(): void {
    const stream = this.#stream
    if (stream.state !== 'ended' || (this.#phase !== 'body' && this.#phase !== 'waiting')) return
    if (!stream.persistent) {
      this.#closeBehindAnswer(stream)
      return
    }
    if (this.#phase === 'body') return
    if (stream.writer.pending > serverTiming.joinedBytesMax) stream.write()
    // A client that takes no answers gets no more of its requests served.
    if (this.connection.backedUp) return
    this.#phase = 'idle'
    stream.state = 'none'
    this.#context.wheel.arm(this.#timer, this.#heads.options.keepAliveTimeoutMs)
  }

  #closeBehindAnswer(stream: Http1ServerStream): void {
    const inBody = this.#phase === 'body'
    const alone = !inBody && this.#inHand === 0 && !this.#early.any
    if (alone && stream.closesAtOnce()) this.#destroy()
    else this.#linger(inBody ? serverTiming.bodyLingerMs : serverTiming.lingerMs)
  }

  #endTunnelInput(): void {
    const over = this.#stream.state === 'ended'
    const handler = over ? this.#stream.finish() : this.#stream.handler
    handler?.onRequestEnd(undefined)
    if (over) this.#linger(serverTiming.lingerMs)
    else this.#stream.handler?.onRequestFlush()
  }

  #endTunnelOutput(): void {
    this.#stream.write()
    this.connection.end()
    if (!this.#clientEnded) return
    this.#stream.finish()
    this.#linger(serverTiming.lingerMs)
  }

  /** Answers by itself and takes nothing more. */
  #refuse(refusal: Refusal, headOnly: boolean): void {
    const status = refusals[refusal]
    const { acceptor } = this.#context
    const text = acceptor.onRejected(this.connection.peer, status, refusal)
    this.#stream.sendRefusal(status, text, headOnly)
    this.#linger(serverTiming.lingerMs)
  }

  /** The request body cannot be read on. */
  #failBody(refusal: Refusal, reason: ResetReason): void {
    const { state, headOnly } = this.#stream
    if (state === 'open') {
      this.#lose(reason)
      return
    }
    this.#stream.finish()?.onRequestReset(reason)
    if (state === 'none') this.#refuse(refusal, headOnly)
    else this.#linger(serverTiming.lingerMs)
  }

  #linger(lingerMs: number): void {
    this.#stream.write()
    this.#phase = 'lingering'
    this.#heads.clear()
    this.#early.clear()
    this.#lingering = new Lingering(this.connection, this.#context.wheel, this.#timer, lingerMs)
    this.#regulate()
  }

  #discard(size: number): void {
    if (this.#lingering?.discard(size) !== false) return
    if (this.connection.backedUp) this.#gate.set(false)
    else this.#destroy()
  }

  #destroy(): void {
    this.#close()
    this.connection.destroy()
  }

  /** Cuts the connection, so that no part of a response can pass for the whole. */
  #lose(reason: ResetReason | undefined): void {
    const handler = this.#close()
    this.connection.reset()
    if (reason !== undefined) handler?.onRequestReset(reason)
  }

  #close(): ServerStreamHandler | undefined {
    const { wheel } = this.#context
    this.#phase = 'closed'
    this.#early.clear()
    this.#heads.clear()
    this.#stream.writer.drop()
    wheel.remove(this.#timer)
    wheel.remove(this.#stream.sendTimer)
    return this.#stream.finish()
  }
}
