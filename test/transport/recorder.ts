import { test } from 'node:test'
import type {
  CloseReason,
  ConnectHandler,
  Connection,
  Listener,
  ServerTls,
  Transport,
  UpstreamTls,
} from '#src/transport/transport.ts'

const timeoutMs = 30_000
/** What a test has opened, so that a failure leaves nothing behind that keeps the process alive. */
const opened = new Set<{ destroy(): void }>()

/** A test over real sockets: it has a time limit, and whatever it opened is closed behind it. */
export function socketTest(title: string, run: () => Promise<void>): void {
  test(title, { timeout: timeoutMs }, async (t) => {
    t.after(() => {
      for (const one of opened) one.destroy()
      opened.clear()
    })
    await run()
  })
}

/** Has it closed at the end of the test. */
export function closeLater<Opened extends { destroy(): void }>(one: Opened): Opened {
  opened.add(one)
  return one
}

/** One end of a connection in a test: keeps what it hears, answers questions about it, and checks the contract. */
export class Recorder implements ConnectHandler {
  #connection: Connection | undefined
  connected = false
  readonly #chunks: Buffer[] = []
  bytes = 0
  drains = 0
  ended = false
  /** Undefined while open. */
  closed: CloseReason | undefined
  /** What broke the contract. */
  readonly faults: string[] = []
  /** Called within the events, after they were noted. */
  react: (event: 'connected' | 'data' | 'end' | 'drain' | 'close') => void = () => undefined
  /** False: what arrives is counted and not kept. */
  keeps = true
  #calling = false
  readonly #waiting: { readonly until: () => boolean; readonly go: () => void }[] = []

  get connection(): Connection | undefined {
    return this.#connection
  }

  set connection(connection: Connection) {
    this.#connection = closeLater(connection)
  }

  onConnected(connection: Connection): void {
    if (this.connected) this.#fault('connected twice')
    this.connected = true
    this.connection = connection
    this.#note('connected')
  }

  onData(buffer: Buffer, start: number, end: number): void {
    if (end <= start) this.#fault('data without bytes')
    if (this.ended) this.#fault('data after the end')
    this.bytes += end - start
    if (this.keeps) this.#chunks.push(Buffer.from(buffer.subarray(start, end)))
    this.#note('data')
  }

  onEnd(): void {
    if (this.ended) this.#fault('ended twice')
    this.ended = true
    this.#note('end')
  }

  onDrain(): void {
    this.drains++
    if (this.connection?.backedUp === true) this.#fault('drained and still backed up')
    this.#note('drain')
  }

  onClose(reason: CloseReason): void {
    this.#note('close')
    this.closed = reason
    this.#wake()
  }

  /** All that arrived, as latin1 text. */
  get text(): string {
    return this.content.toString('latin1')
  }

  get content(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** Calls into the connection, so that events from within are noticed. */
  call<Result>(action: (connection: Connection) => Result): Result {
    if (this.connection === undefined) throw new Error('not connected')
    const before = this.#calling
    this.#calling = true
    try {
      return action(this.connection)
    } finally {
      this.#calling = before
    }
  }

  /** Resolves as soon as the condition holds; it is looked at after each event. */
  until(condition: (end: this) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const waiter = { until: () => condition(this), go: resolve }
      if (waiter.until()) resolve()
      else this.#waiting.push(waiter)
    })
  }

  #note(event: 'connected' | 'data' | 'end' | 'drain' | 'close'): void {
    if (this.#calling) this.#fault(`${event} from within the owner's own call`)
    if (this.closed !== undefined) this.#fault(`${event} after the close`)
    this.react(event)
    this.#wake()
  }

  #wake(): void {
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      const waiter = this.#waiting[i]
      if (waiter === undefined || !waiter.until()) continue
      this.#waiting.splice(i, 1)
      waiter.go()
    }
  }

  #fault(fault: string): void {
    this.faults.push(fault)
  }
}

/** Both ends of one connection. */
export interface Pair {
  readonly client: Recorder
  readonly server: Recorder
  readonly port: number
}

/** Listens on a free port of the loopback interface; whoever connects gets a recorder. */
export async function listenFor(
  transport: Transport,
  onRecorder: (server: Recorder) => void,
  address = '127.0.0.1',
): Promise<Listener> {
  const listener = await transport.listen({
    address,
    port: 0,
    reusePort: false,
    backlog: 511,
    onConnection: (connection) => {
      const server = new Recorder()
      server.connection = connection
      server.connected = true
      connection.handler = server
      onRecorder(server)
    },
  })
  return closeLater(listener)
}

/** Two plain ends, connected, neither reading. */
export async function connectPair(transport: Transport): Promise<Pair> {
  const accepted = Promise.withResolvers<Recorder>()
  const listener = await listenFor(transport, accepted.resolve)
  const client = new Recorder()
  transport.connect({ address: '127.0.0.1', port: listener.port, tls: undefined }, client)
  const server = await accepted.promise
  await client.until((end) => end.connected)
  listener.destroy()
  return { client, server, port: listener.port }
}

export interface TlsPairOptions {
  readonly server: ServerTls
  readonly client: UpstreamTls
}

/** Listens for TLS; each connection gets a recorder, which also hears failed handshakes. */
export async function listenForTls(
  transport: Transport,
  options: () => ServerTls,
  onRecorder: (server: Recorder) => void,
): Promise<Listener> {
  const listener = await transport.listen({
    address: '127.0.0.1',
    port: 0,
    reusePort: false,
    backlog: 511,
    onConnection: (connection) => {
      const server = new Recorder()
      server.connection = transport.startTls(connection, Buffer.alloc(0), options(), server)
      onRecorder(server)
    },
  })
  return closeLater(listener)
}

/** Two ends with TLS between them, connected, neither reading. */
export async function connectTlsPair(transport: Transport, options: TlsPairOptions): Promise<Pair> {
  const accepted = Promise.withResolvers<Recorder>()
  const listener = await listenForTls(transport, () => options.server, accepted.resolve)
  const client = new Recorder()
  transport.connect({ address: '127.0.0.1', port: listener.port, tls: options.client }, client)
  const server = await accepted.promise
  await Promise.all(
    [client, server].map((end) => end.until(() => end.connected || end.closed !== undefined)),
  )
  listener.destroy()
  return { client, server, port: listener.port }
}

/** Bytes that differ from block to block and from seed to seed. */
export function pattern(bytes: number, seed: number): Buffer {
  const blockBytes = 256
  const buffer = Buffer.allocUnsafe(bytes)
  const block = Buffer.from(Array.from({ length: blockBytes }, (_, i) => i * 7 + seed))
  for (let at = 0; at < bytes; at += blockBytes) {
    block.writeUInt32LE(at, (at / blockBytes) % (blockBytes - 4))
    block.copy(buffer, at)
  }
  return buffer
}

/** Passes on what `from` reads to `to`, the way a proxy does. */
export function relay(from: Recorder, to: Recorder): void {
  from.keeps = false
  const source = from.connection as Connection
  const target = to.connection as Connection
  source.handler = {
    onData(buffer, start, end) {
      if (!target.writeBytes('', buffer, start, end)) source.pause()
    },
    onEnd() {
      target.end()
    },
    onDrain() {
      from.onDrain()
    },
    onClose(reason) {
      from.onClose(reason)
    },
  }
  to.react = (event) => {
    if (event === 'drain') source.resume()
  }
  source.resume()
}
