import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerOwner, TimerWheel } from '#src/exchange/timer-wheel.ts'
import { looksLikeHttp2Preface } from '#src/http1/http2-preface.ts'
import type { Connection, ConnectionHandler } from '#src/transport/transport.ts'

/** What a cleartext connection may turn out to speak. Each takes the connection over. */
export interface SniffedProtocols {
  /** For the rest of the preface, read when its first bytes come; 0: no limit. */
  readonly timeoutMs: number
  http1(connection: Connection): ConnectionHandler
  http2(connection: Connection): ConnectionHandler
}

/**
 * Tells HTTP/1.1 from HTTP/2 with prior knowledge by the first bytes of a cleartext connection
 * (RFC 9113 3.3), and hands it on with those bytes. Only a connection that begins like HTTP/2's preface
 * comes here: a session of HTTP/1.1 gives it away.
 */
export class ProtocolSniffer implements ConnectionHandler, TimerOwner {
  readonly #connection: Connection
  readonly #wheel: TimerWheel
  readonly #protocols: SniffedProtocols
  readonly #timer = new Timer(this)
  #held: Buffer | undefined

  constructor(connection: Connection, wheel: TimerWheel, protocols: SniffedProtocols) {
    this.#connection = connection
    this.#wheel = wheel
    this.#protocols = protocols
  }

  start(): void {
    this.#connection.handler = this
    const { timeoutMs } = this.#protocols
    if (timeoutMs > 0) this.#wheel.arm(this.#timer, timeoutMs)
    this.#connection.resume()
  }

  onData(buffer: Buffer, start: number, end: number): void {
    if (this.#held !== undefined) {
      const all = Buffer.concat([this.#held, buffer.subarray(start, end)])
      this.#held = undefined
      this.#decide(all, 0, all.length)
    } else {
      this.#decide(buffer, start, end)
    }
  }

  onEnd(): void {
    this.#connection.destroy()
  }

  onDrain(): void {}

  onClose(): void {
    this.#wheel.remove(this.#timer)
  }

  onTimer(): void {
    this.#connection.destroy()
  }

  #decide(buffer: Buffer, start: number, end: number): void {
    const answer = looksLikeHttp2Preface(buffer, start, end)
    if (answer === 'more') {
      this.#held = Buffer.from(buffer.subarray(start, end))
      return
    }
    this.#wheel.remove(this.#timer)
    const connection = this.#connection
    const session =
      answer === 'yes' ? this.#protocols.http2(connection) : this.#protocols.http1(connection)
    session.onData(buffer, start, end)
  }
}
