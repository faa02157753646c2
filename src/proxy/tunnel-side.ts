import type { CloseReason, ConnectHandler, Connection } from '#src/transport/transport.ts'

/** What a tunnel hears from its two sides. */
export interface TunnelEvents {
  onConnected(side: TunnelSide): void
  pass(from: TunnelSide, buffer: Buffer, start: number, end: number): void
  onDrain(side: TunnelSide): void
  onEnd(side: TunnelSide): void
  onClose(side: TunnelSide, reason: CloseReason): void
}

/** One connection of a tunnel. */
export class TunnelSide implements ConnectHandler {
  connection: Connection | undefined
  closed = false
  /** It sends no more. */
  ended = false
  /** Bytes that came from it. */
  bytes = 0
  readonly #tunnel: TunnelEvents

  constructor(tunnel: TunnelEvents) {
    this.#tunnel = tunnel
  }

  attach(connection: Connection): void {
    this.connection = connection
    connection.handler = this
  }

  onConnected(connection: Connection): void {
    this.connection = connection
    this.#tunnel.onConnected(this)
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.#tunnel.pass(this, buffer, start, end)
  }

  onDrain(): void {
    this.#tunnel.onDrain(this)
  }

  onEnd(): void {
    this.ended = true
    this.#tunnel.onEnd(this)
  }

  onClose(reason: CloseReason): void {
    this.#tunnel.onClose(this, reason)
  }
}
