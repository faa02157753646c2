import type { Peer } from '#src/exchange/streams.ts'
import type {
  CloseReason,
  ConnectHandler,
  Connection,
  ConnectionHandler,
} from '#src/transport/transport.ts'

const deaf: ConnectionHandler = {
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
}

/** How connections of a network behave. */
export interface MemoryOptions {
  /** The most bytes that one `onData` brings. */
  readonly readBytes?: number
  /** Bytes that lie between writer and reader before a write waits. */
  readonly windowBytes?: number
}

/**
 * Connections in memory, with TCP's manners: order, back-pressure, half-close, FIN and RST. Nothing
 * happens by itself: events are delivered by `run`, never within a call of their owner, one after
 * the other in the order of their causes. All reads fill one buffer, which is overwritten after
 * each event, so that whoever keeps a reference to it is found out.
 */
export class MemoryNetwork {
  readonly readBytes: number
  readonly windowBytes: number
  readonly readBuffer: Buffer = Buffer.alloc(64 * 1024)
  #tasks: (() => void)[] = []

  constructor({ readBytes = 64 * 1024, windowBytes = 1024 * 1024 }: MemoryOptions = {}) {
    this.readBytes = readBytes
    this.windowBytes = windowBytes
  }

  /** Two ends of one connection: the opener's and the accepted one. Both are there at once. */
  pair(peer: Partial<Peer> = {}): [opened: MemoryConnection, accepted: MemoryConnection] {
    const opened = new MemoryConnection(this, peerOf({}))
    const accepted = new MemoryConnection(this, peerOf(peer))
    opened.join(accepted)
    return [opened, accepted]
  }

  /** As `pair`, but the opener's `onConnected` follows first. */
  connect(handler: ConnectHandler): [opened: MemoryConnection, accepted: MemoryConnection] {
    const [opened, accepted] = this.pair()
    opened.handler = handler
    this.schedule(() => {
      if (!opened.closed) handler.onConnected(opened)
    })
    return [opened, accepted]
  }

  /** A connection that comes to nothing. */
  failToConnect(handler: ConnectHandler, reason: CloseReason): MemoryConnection {
    const [opened] = this.pair()
    opened.handler = handler
    opened.fail(reason)
    return opened
  }

  schedule(task: () => void): void {
    this.#tasks.push(task)
  }

  /** Delivers events until there are none. */
  run(): void {
    for (let turns = 0; this.#tasks.length > 0; turns++) {
      if (turns > 10_000_000) throw new Error('The connections never come to rest.')
      const tasks = this.#tasks
      this.#tasks = []
      for (const task of tasks) task()
    }
  }
}

/** One end of a connection in memory. */
export class MemoryConnection implements Connection {
  handler: ConnectionHandler = deaf
  readonly peer: Peer
  backedUp = false
  closed = false
  /** This end was told of its close. */
  told = false
  reading = false
  bulk = false
  /** Calls of `writeText` and `writeBytes` so far. */
  writes = 0
  readonly #network: MemoryNetwork
  #other: MemoryConnection | undefined
  /** Bytes that this end has not read, and how many they are. */
  #inbox: Buffer[] = []
  #inboxBytes = 0
  /** Bytes that found no room at the other end. */
  #outbox: Buffer[] = []
  #endAsked = false
  #endSent = false
  #endArrived = false
  #endTold = false
  #scheduled = false
  #closing: CloseReason | undefined

  constructor(network: MemoryNetwork, peer: Peer) {
    this.#network = network
    this.peer = peer
  }

  join(other: MemoryConnection): void {
    this.#other = other
    other.#other = this
  }

  /** Bytes that have arrived here and were not read. */
  get unread(): number {
    return this.#inboxBytes
  }

  /** Bytes that this end has written and that found no room yet. */
  get waitingBytes(): number {
    return this.#outbox.reduce((sum, bytes) => sum + bytes.length, 0)
  }

  writeText(text: string): boolean {
    return this.writeBytes(text, Buffer.alloc(0), 0, 0)
  }

  writeLater(text: string): void {
    this.writeText(text)
  }

  writeBytes(text: string, buffer: Buffer, start: number, end: number): boolean {
    this.writes++
    if (this.closed || this.#endAsked) return true
    const bytes = Buffer.concat([Buffer.from(text, 'latin1'), buffer.subarray(start, end)])
    if (bytes.length > 0) this.#outbox.push(bytes)
    this.#push()
    this.backedUp = this.#outbox.length > 0
    return !this.backedUp
  }

  pause(): void {
    this.reading = false
  }

  resume(): void {
    this.reading = true
    this.#wake()
  }

  setBulk(on: boolean): void {
    this.bulk = on
  }

  end(): void {
    this.#endAsked = true
    this.#push()
  }

  destroy(): void {
    // As the kernel does it: unread bytes turn a close into a reset.
    this.#leave(this.#inboxBytes > 0 ? 'reset' : '')
  }

  reset(): void {
    this.#leave('reset')
  }

  /** The network fails this end. */
  fail(reason: CloseReason): void {
    this.#closing ??= reason
    this.#wake()
  }

  #leave(how: '' | 'reset'): void {
    if (this.closed) return
    this.closed = true
    this.backedUp = false
    this.#outbox = []
    this.#inbox = []
    this.#inboxBytes = 0
    const other = this.#other as MemoryConnection
    if (how === 'reset') other.fail('reset')
    else if (!this.#endSent) {
      this.#endSent = true
      other.#endArrived = true
      other.#wake()
    }
    this.fail('')
  }

  /** Moves what waits to the other end, as far as there is room. */
  #push(): void {
    const other = this.#other as MemoryConnection
    while (this.#outbox.length > 0) {
      const room = this.#network.windowBytes - other.#inboxBytes
      if (room <= 0) return
      const bytes = this.#outbox.shift() as Buffer
      if (bytes.length > room) this.#outbox.unshift(bytes.subarray(room))
      other.#arrive(bytes.subarray(0, room))
    }
    if (!this.#endAsked || this.#endSent) return
    this.#endSent = true
    other.#endArrived = true
    other.#wake()
    this.#finishIfOver()
  }

  #arrive(bytes: Buffer): void {
    if (this.closed) {
      // Nobody is there any more: the writer gets a reset for its bytes.
      ;(this.#other as MemoryConnection).fail('reset')
      return
    }
    this.#inbox.push(bytes)
    this.#inboxBytes += bytes.length
    this.#wake()
  }

  #wake(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#network.schedule(() => {
      this.#scheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    if (this.told) return
    if (this.reading && this.#inboxBytes > 0 && !this.closed) {
      this.#deliverData()
      this.#wake()
      return
    }
    if (this.#closing !== undefined) {
      this.closed = true
      this.told = true
      this.handler.onClose(this.#closing)
      return
    }
    if (this.#endArrived && !this.#endTold && this.reading && !this.closed) {
      this.#endTold = true
      this.handler.onEnd()
      this.#finishIfOver()
    }
  }

  #deliverData(): void {
    const first = this.#inbox[0] as Buffer
    const { readBuffer, readBytes } = this.#network
    const size = Math.min(first.length, readBytes, readBuffer.length)
    // Not at the start of the buffer, so that nobody takes positions for lengths.
    const start = Math.min(7, readBuffer.length - size)
    first.copy(readBuffer, start, 0, size)
    if (size === first.length) this.#inbox.shift()
    else this.#inbox[0] = first.subarray(size)
    this.#inboxBytes -= size
    this.handler.onData(readBuffer, start, start + size)
    readBuffer.fill(0xaa, start, start + size)
    ;(this.#other as MemoryConnection).#makeRoom()
  }

  /** The other end has read something. */
  #makeRoom(): void {
    if (this.#outbox.length === 0) return
    this.#push()
    if (this.#outbox.length > 0 || this.closed) return
    this.#network.schedule(() => {
      if (this.closed || this.#outbox.length > 0 || !this.backedUp) return
      this.backedUp = false
      this.handler.onDrain()
    })
  }

  #finishIfOver(): void {
    if (this.#endSent && this.#endTold) this.#leave('')
  }
}

function peerOf(known: Partial<Peer>): Peer {
  return {
    address: '198.51.100.7',
    port: 40000,
    localAddress: '192.0.2.1',
    localPort: 80,
    socketAddress: '198.51.100.7',
    scheme: 'http',
    tls: undefined,
    ...known,
  }
}
