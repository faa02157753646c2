import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerOwner, TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { ConnectHandler, Connection } from '#src/transport/transport.ts'

/** nginx holds handshakes to client_header_timeout, whose default is this. */
const handshakeTimeoutMs = 60_000

export interface TlsHandshakeOwner {
  /** TLS is in place; the owner sets the connection's handler in this call. */
  onDone(connection: Connection): void
  /** The connection is gone before that. */
  onFailed(connection: Connection, timedOut: boolean): void
}

/** Waits for one TLS handshake, for a bounded time. */
export class TlsHandshake implements ConnectHandler, TimerOwner {
  readonly #wheel: TimerWheel
  readonly #owner: TlsHandshakeOwner
  readonly #timer = new Timer(this)
  #connection: Connection | undefined
  #timedOut = false

  constructor(wheel: TimerWheel, owner: TlsHandshakeOwner) {
    this.#wheel = wheel
    this.#owner = owner
  }

  start(connection: Connection, timeoutMs = handshakeTimeoutMs): void {
    this.#connection = connection
    this.#wheel.arm(this.#timer, timeoutMs)
  }

  onConnected(connection: Connection): void {
    this.#wheel.remove(this.#timer)
    this.#owner.onDone(connection)
  }

  onData(): void {}
  onDrain(): void {}

  onEnd(): void {
    this.#connection?.destroy()
  }

  onClose(): void {
    this.#wheel.remove(this.#timer)
    if (this.#connection !== undefined) this.#owner.onFailed(this.#connection, this.#timedOut)
  }

  onTimer(): void {
    this.#timedOut = true
    this.#connection?.destroy()
  }
}
