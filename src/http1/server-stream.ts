import type { Fields } from '#src/exchange/fields.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import { fieldMask } from '#src/exchange/known-fields.ts'
import type { Peer, ResetReason, ServerStream, ServerStreamHandler } from '#src/exchange/streams.ts'
import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerOwner, TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Connection } from '#src/transport/transport.ts'
import { mayHaveBody, refusalText, responseText } from './head-text.ts'
import type { HttpDate } from './http-date.ts'
import { MessageWriter } from './message-writer.ts'
import type { BodyFraming } from './message-writer.ts'
import { serverTiming } from './timing.ts'

const dateField = fieldMask('date')

/**
 * The session that a stream belongs to. `onTimer` is called when the client takes nothing for too
 * long.
 */
export interface ServerStreamOwner extends TimerOwner {
  /** Whether all that is missing of the request body is in hand and sure to be good. */
  isBodyInHand(): boolean
  /** The proxy stopped or restarted the request body. */
  onPause(): void
  /** A 101 was sent. */
  onSwitch(): void
  /** The response, or our direction of the tunnel, has ended. */
  onAnswered(): void
  /** The proxy has sent all it has for now, so it is to be written. */
  onFlush(): void
  /** The response will not be whole. */
  onCut(): void
}

/**
 * What the proxy holds of a connection in the server role: the requests' handler and the writer of
 * the responses. One object a connection, used for one exchange after the other.
 */
export class Http1ServerStream implements ServerStream {
  /** The proxy is at work on an exchange; calls outside of one do nothing. */
  live = false
  /** Hears the events of the exchange; undefined while nobody wants to. */
  handler: ServerStreamHandler | undefined
  /** How far the response is. */
  state: 'none' | 'open' | 'ended' = 'none'
  /** After this response the connection can carry another request. */
  persistent = false
  /** The client has said that it sends no other request. */
  clientCloses = false
  /** The proxy wants no request body now. */
  paused = false
  readonly writer = new MessageWriter()
  /** Runs while the client takes nothing. */
  readonly sendTimer: Timer
  readonly #connection: Connection
  readonly #owner: ServerStreamOwner
  readonly #wheel: TimerWheel
  readonly #date: HttpDate
  #method = ''
  #modern = true

  constructor(
    connection: Connection,
    owner: ServerStreamOwner,
    { wheel, date }: { readonly wheel: TimerWheel; readonly date: HttpDate },
  ) {
    this.#connection = connection
    this.#owner = owner
    this.#wheel = wheel
    this.#date = date
    this.sendTimer = new Timer(owner)
    this.writer.attach(connection)
  }

  get peer(): Peer {
    return this.#connection.peer
  }

  get backedUp(): boolean {
    return this.#connection.backedUp
  }

  /**
   * Writes the end of the answer. True: all of it is with the kernel, and the client has said that
   * nothing follows its request, so that no RST can overtake the answer and the connection may be
   * closed at once. TLS has a close_notify to send first.
   */
  closesAtOnce(): boolean {
    if (!this.clientCloses || this.peer.scheme === 'https') return false
    this.writer.flushNow()
    if (this.backedUp) this.watch()
    return !this.backedUp
  }

  /** A request came, so a response is due. */
  begin(request: RequestHead, persistent: boolean): void {
    this.live = true
    this.state = 'none'
    this.persistent = persistent
    this.#method = request.method
    this.#modern = request.version > 10
  }

  /** The exchange is over as far as the proxy is concerned. Returns who heard its events. */
  finish(): ServerStreamHandler | undefined {
    const { handler } = this
    this.live = false
    this.handler = undefined
    this.paused = false
    return handler
  }

  sendInterim(head: ResponseHead): void {
    if (!this.live || this.state !== 'none' || !this.#modern) return
    this.writer.append(responseText(head, ''))
  }

  sendHead(head: ResponseHead, ended: boolean): void {
    if (!this.live || this.state !== 'none') return
    // Whether the client will send the rest of its body, and when, nobody knows.
    if (head.last || !this.#owner.isBodyInHand()) this.persistent = false
    this.state = 'open'
    if (head.status === 101) {
      const lines = `Upgrade: ${head.upgrade}\r\nConnection: Upgrade\r\n`
      this.writer.start(responseText(head, lines), 'raw', 0)
      this.#owner.onSwitch()
      return
    }
    this.#startResponse(head, ended)
    if (ended) this.#end()
  }

  #startResponse(head: ResponseHead, ended: boolean): void {
    const { status, contentLength } = head
    const date = (head.fields.mask & dateField) === 0 ? this.#date.line() : ''
    if (this.headOnly || !mayHaveBody(status)) {
      const length = status < 200 || status === 204 ? -1 : contentLength
      this.#start(head, date + lengthLine(length), 'none')
    } else if (ended) {
      this.#start(head, `${date}Content-Length: 0\r\n`, 'none')
    } else if (contentLength >= 0) {
      this.#start(head, date + lengthLine(contentLength), 'length')
    } else if (this.#modern) {
      this.#start(head, `${date}Transfer-Encoding: chunked\r\n`, 'chunked')
    } else {
      this.persistent = false
      this.#start(head, date, 'raw')
    }
  }

  #start(head: ResponseHead, lines: string, framing: BodyFraming): void {
    const upgrade = head.status === 426 && head.upgrade !== ''
    let text = lines
    if (upgrade) text += `Upgrade: ${head.upgrade}\r\n`
    if (!this.persistent) text += `Connection: close${upgrade ? ', Upgrade' : ''}\r\n`
    else if (upgrade) text += 'Connection: Upgrade\r\n'
    else if (!this.#modern) text += 'Connection: keep-alive\r\n'
    const length = framing === 'length' ? head.contentLength : 0
    this.writer.start(responseText(head, text), framing, length)
  }

  /** The request is a HEAD request, so its answer has no body. */
  get headOnly(): boolean {
    return this.#method === 'HEAD'
  }

  /** A whole answer of the codec's own, the last one on the connection. */
  sendRefusal(status: number, body: string, headOnly: boolean): void {
    this.state = 'ended'
    this.persistent = false
    this.writer.append(refusalText(status, body, this.#date.line(), headOnly))
  }

  sendText(text: string): boolean {
    if (!this.live || this.state !== 'open') return true
    return this.writer.text(text) || this.watch()
  }

  sendData(buffer: Buffer, start: number, end: number): boolean {
    if (!this.live || this.state !== 'open') return true
    return this.writer.data(buffer, start, end) || this.watch()
  }

  sendEnd(trailers: Fields | undefined): void {
    if (!this.live || this.state !== 'open') return
    if (this.writer.end(trailers)) this.#end()
    else this.#owner.onCut()
  }

  #end(): void {
    this.state = 'ended'
    this.#owner.onAnswered()
  }

  flush(): void {
    this.#owner.onFlush()
  }

  reset(_reason: ResetReason): void {
    if (this.live) this.#owner.onCut()
  }

  pauseBody(): void {
    this.#setPaused(true)
  }

  resumeBody(): void {
    this.#setPaused(false)
  }

  #setPaused(paused: boolean): void {
    if (!this.live || paused === this.paused) return
    this.paused = paused
    this.#owner.onPause()
  }

  /** Sends what waits for a flush. */
  write(): void {
    this.writer.flush()
    if (this.#connection.backedUp) this.watch()
  }

  /** The client must take what waits for it in time. */
  watch(): false {
    const { sendTimer } = this
    if (sendTimer.deadline === Infinity) this.#wheel.arm(sendTimer, serverTiming.sendTimeoutMs)
    return false
  }
}

/** The line that was written last, for bodies of one length often come in a row. */
let lastLength = 0
let lastLine = 'Content-Length: 0\r\n'

function lengthLine(length: number): string {
  if (length < 0) return ''
  if (length !== lastLength) {
    lastLength = length
    lastLine = `Content-Length: ${length}\r\n`
  }
  return lastLine
}
