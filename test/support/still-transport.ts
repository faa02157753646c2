import type {
  ConnectHandler,
  ConnectTarget,
  Connection,
  ConnectionHandler,
  Listener,
  ListenOptions,
  Transport,
} from '#src/transport/transport.ts'

/** One end of a connection without another: what is written is counted and gone. */
export class StillConnection implements Connection {
  handler: ConnectionHandler
  readonly backedUp = false
  readonly peer = {
    address: '198.51.100.7',
    port: 40_000,
    localAddress: '192.0.2.1',
    localPort: 80,
    socketAddress: '198.51.100.7',
    scheme: 'http',
    tls: undefined,
  } as const
  /** Port of the upstream at its other end; 0: a client is there. */
  readonly upstreamPort: number
  /** Writes that nobody has looked at. */
  writes = 0
  /** What was written last. */
  readonly written = Buffer.alloc(16 * 1024)
  writtenBytes = 0

  constructor(handler: ConnectionHandler, upstreamPort = 0) {
    this.handler = handler
    this.upstreamPort = upstreamPort
  }

  /** The text is copied, as for the kernel. */
  writeText(text: string): boolean {
    this.writes++
    this.writtenBytes = this.written.latin1Write(text, 0, text.length)
    return true
  }

  writeLater(text: string): void {
    this.writeText(text)
  }

  writeBytes(text: string, buffer: Buffer, start: number, end: number): boolean {
    this.writeText(text)
    this.writtenBytes += buffer.copy(this.written, this.writtenBytes, start, end)
    return true
  }

  pause(): void {}
  resume(): void {}
  setBulk(): void {}
  end(): void {}
  destroy(): void {}
  reset(): void {}
}

const silent: ConnectionHandler = {
  onData() {},
  onEnd() {},
  onDrain() {},
  onClose() {},
}

/**
 * A network on which the test is both clients and upstreams, and that allocates nothing for a message:
 * for counting what a data plane does.
 */
export class StillTransport implements Transport {
  readonly name = 'portable'
  readonly fallbackReason = 'a test'
  /** Connections to upstreams, in the order in which they were opened. */
  readonly upstreams: StillConnection[] = []
  #accept: ((connection: Connection) => void) | undefined

  // oxlint-disable-next-line require-await -- nothing is waited for here
  async listen({ address, port, onConnection }: ListenOptions): Promise<Listener> {
    this.#accept = onConnection
    return { address, port, close: async () => {}, destroy() {} }
  }

  connect({ port }: ConnectTarget, handler: ConnectHandler): Connection {
    const connection = new StillConnection(handler, port)
    this.upstreams.push(connection)
    setImmediate(() => {
      handler.onConnected(connection)
    })
    return connection
  }

  startTls(): Connection {
    throw new Error('there is no TLS here')
  }

  /** A client comes. */
  open(): StillConnection {
    const connection = new StillConnection(silent)
    this.#accept?.(connection)
    return connection
  }
}
