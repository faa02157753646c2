import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Peer } from '#src/exchange/streams.ts'
import type { CloseReason, Connection, ConnectionHandler } from '#src/transport/transport.ts'

const silent: ConnectionHandler = {
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
}

/** Listens on a free port of this machine and tells it. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Waits, turn by turn. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

/** A `Connection` over a socket of node:net or node:tls, for tests against real peers. */
export class SocketConnection implements Connection {
  handler: ConnectionHandler = silent
  readonly peer: Peer
  readonly socket: Socket
  backedUp = false

  /** Starts out paused. */
  constructor(socket: Socket) {
    this.socket = socket
    this.peer = {
      address: '127.0.0.1',
      port: 1,
      localAddress: '127.0.0.1',
      localPort: 2,
      socketAddress: '127.0.0.1',
      scheme: 'http',
      tls: undefined,
    }
    let reason: CloseReason = ''
    socket.pause()
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.handler.onData(chunk, 0, chunk.length))
    socket.on('end', () => this.handler.onEnd())
    socket.on('drain', () => {
      this.backedUp = false
      this.handler.onDrain()
    })
    socket.on('error', () => {
      reason = 'reset'
    })
    socket.on('close', () => this.handler.onClose(reason))
  }

  writeText(text: string): boolean {
    return this.#written(this.socket.write(text, 'latin1'))
  }

  writeLater(text: string): void {
    this.writeText(text)
  }

  writeBytes(text: string, buffer: Buffer, start: number, end: number): boolean {
    // A socket keeps what it cannot send, so it gets memory of its own.
    const bytes = Buffer.concat([Buffer.from(text, 'latin1'), buffer.subarray(start, end)])
    return this.#written(this.socket.write(bytes))
  }

  #written(taken: boolean): boolean {
    if (!taken) this.backedUp = true
    return taken
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  setBulk(): void {
    // A hint; node:net has its own buffers.
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  reset(): void {
    this.socket.resetAndDestroy()
  }
}
