import type { Fields } from '#src/exchange/fields.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import type { ClientStream, ClientStreamHandler, ResetReason } from '#src/exchange/streams.ts'
import { requestFraming, requestText } from './head-text.ts'
import type { MessageWriter } from './message-writer.ts'
import type { Http1ClientOptions } from './options.ts'
import type { AskedBy } from './response-parser.ts'

/** The session that carries a stream. */
export interface ClientStreamOwner {
  readonly options: Http1ClientOptions
  readonly writer: MessageWriter
  readonly connected: boolean
  /** Sends what the stream has written. */
  flush(): void
  /** Starts and stops reading the response. */
  read(on: boolean): void
  /** The proxy ended its direction of the tunnel. */
  endOutput(): void
  /**
   * The request cannot be sent as it is. The handler hears of it when the connection has closed.
   */
  refuse(failure: 'limit' | 'closed'): void
  /** The proxy gave the exchange up. */
  abandon(): void
}

/**
 * One exchange on a connection in the client role. An object of its own, so that whoever still
 * holds it when the connection carries the next exchange can do no harm.
 */
export class Http1ClientStream implements ClientStream, AskedBy {
  readonly reused: boolean
  /** Undefined once it is not to hear any more. */
  handler: ClientStreamHandler | undefined
  /** How far the request is. */
  request: 'none' | 'open' | 'ended' = 'none'
  /** Nothing has said that the connection ends with this exchange. */
  persistent: boolean
  sent = false
  method = ''
  upgrade = ''
  interimResponses = 0
  /** The session is done with it: calls do nothing. */
  over = false
  /** The proxy has reset it: it hears not even a flush. */
  abandoned = false
  readonly #session: ClientStreamOwner

  constructor(session: ClientStreamOwner, handler: ClientStreamHandler, reused: boolean) {
    const { persistent, version } = session.options
    this.#session = session
    this.handler = handler
    this.reused = reused
    this.persistent = persistent && version > 10
  }

  get connected(): boolean {
    return this.#session.connected
  }

  get backedUp(): boolean {
    return !this.over && this.#session.writer.backedUp
  }

  sendHead(head: RequestHead, ended: boolean): void {
    if (this.over || this.request !== 'none') return
    const { options, writer } = this.#session
    const { version } = options
    const framing = requestFraming(head, ended)
    if (framing === 'chunked' && version === 10) {
      this.#refuse('limit')
      return
    }
    this.method = head.method
    this.upgrade = version === 10 ? '' : head.upgrade
    const text = requestText(head, framing, version, this.#connectionOption())
    writer.start(text, framing, framing === 'length' ? head.contentLength : 0)
    this.request = ended ? 'ended' : 'open'
  }

  #connectionOption(): '' | 'close' | 'keep-alive' {
    if (!this.persistent) return 'close'
    return this.#session.options.saysKeepAlive === true ? 'keep-alive' : ''
  }

  sendText(text: string): boolean {
    if (this.over || this.request !== 'open') return true
    this.sent = this.connected
    return this.#session.writer.text(text)
  }

  sendData(buffer: Buffer, start: number, end: number): boolean {
    if (this.over || this.request !== 'open') return true
    this.sent = this.connected
    return this.#session.writer.data(buffer, start, end)
  }

  sendEnd(trailers: Fields | undefined): void {
    if (this.over || this.request !== 'open') return
    if (!this.#session.writer.end(trailers)) {
      this.#refuse('closed')
      return
    }
    this.request = 'ended'
    this.#session.endOutput()
  }

  #refuse(failure: 'limit' | 'closed'): void {
    this.request = 'ended'
    this.#session.refuse(failure)
  }

  flush(): void {
    if (!this.over) this.#session.flush()
  }

  reset(_reason: ResetReason): void {
    if (this.over) return
    this.abandoned = true
    this.handler = undefined
    this.#session.abandon()
  }

  pauseBody(): void {
    if (!this.over) this.#session.read(false)
  }

  resumeBody(): void {
    if (!this.over) this.#session.read(true)
  }
}
