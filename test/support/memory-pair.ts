import type { Peer } from '#src/exchange/streams.ts'
import type { CloseReason, Connection, ConnectionHandler } from '#src/transport/transport.ts'

const silent: ConnectionHandler = {
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
}

/** What two ends do between `deliver` calls is kept; nothing happens by itself. */
export class MemoryEnd implements Connection {
  handler: ConnectionHandler = silent
  peer: Peer
  backedUp = false
  paused = true
  closed = false
  /** Bytes that may wait for the other end before a write is not taken. */
  capacity = Infinity
  /** The most that ever waited for this end. */
  waitingMax = 0
  /** Writes so far, for tests of batching. */
  writes = 0
  /** This end has said that it sends no more. */
  finished = false
  #other: MemoryEnd | undefined
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #endWaits = false
  #close: CloseReason | undefined

  constructor(address: string) {
    this.peer = {
      address,
      port: 1,
      localAddress: '192.0.2.1',
      localPort: 80,
      socketAddress: address,
      scheme: 'http',
      tls: undefined,
    }
  }

  join(other: MemoryEnd): void {
    this.#other = other
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  writeText(text: string): boolean {
    return this.writeBytes(text, Buffer.alloc(0), 0, 0)
  }

  writeLater(text: string): void {
    this.writeText(text)
  }

  writeBytes(text: string, buffer: Buffer, start: number, end: number): boolean {
    if (this.closed || this.finished) return true
    this.writes++
    const other = this.#other as MemoryEnd
    other.#waiting.push(Buffer.concat([Buffer.from(text, 'latin1'), buffer.subarray(start, end)]))
    other.#waitingBytes += text.length + end - start
    other.waitingMax = Math.max(other.waitingMax, other.#waitingBytes)
    if (other.#waitingBytes > this.capacity) this.backedUp = true
    return !this.backedUp
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  setBulk(): void {
    // A hint.
  }

  end(): void {
    if (this.finished || this.closed) return
    this.finished = true
    ;(this.#other as MemoryEnd).#endWaits = true
  }

  destroy(): void {
    this.#leave('')
  }

  reset(): void {
    this.#leave('reset')
  }

  #leave(reason: CloseReason): void {
    if (this.closed) return
    this.closed = true
    this.#close = ''
    const other = this.#other as MemoryEnd
    if (reason === 'reset') other.#close ??= 'reset'
    else other.#endWaits = true
  }

  /**
   * Brings this end what waits for it, `pieceBytes` at a time, while it reads. Returns whether anything
   * happened.
   */
  deliver(pieceBytes: number): boolean {
    let active = false
    while (!this.closed && !this.paused && this.#waitingBytes > 0) {
      active = true
      this.#deliverPiece(pieceBytes)
    }
    if (!this.closed && !this.paused && this.#waitingBytes === 0 && this.#endWaits) {
      active = true
      this.#endWaits = false
      this.handler.onEnd()
    }
    if (this.#close !== undefined) {
      active = true
      const reason = this.#close
      this.#close = undefined
      this.closed = true
      this.handler.onClose(reason)
    }
    return active
  }

  #deliverPiece(pieceBytes: number): void {
    const first = this.#waiting[0] as Buffer
    const piece = first.subarray(0, pieceBytes)
    if (piece.length < first.length) this.#waiting[0] = first.subarray(pieceBytes)
    else this.#waiting.shift()
    this.#waitingBytes -= piece.length
    // A buffer of its own, overwritten afterwards: bytes are good during the call only.
    const shared = Buffer.from(piece)
    this.handler.onData(shared, 0, shared.length)
    shared.fill(0xaa)
    const other = this.#other as MemoryEnd
    if (other.backedUp && !other.closed && this.#waitingBytes <= other.capacity / 2) {
      other.backedUp = false
      other.handler.onDrain()
    }
  }
}

/** Two connections that are each other's other end. */
export function memoryPair(): [client: MemoryEnd, server: MemoryEnd] {
  const client = new MemoryEnd('198.51.100.1')
  const server = new MemoryEnd('198.51.100.7')
  client.join(server)
  server.join(client)
  return [client, server]
}
