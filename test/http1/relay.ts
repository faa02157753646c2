import type { ClientStream, ClientStreamHandler } from '#src/exchange/streams.ts'
import { TimerWheel } from '#src/exchange/timer-wheel.ts'
import { Http1ClientSession } from '#src/http1/client-session.ts'
import type { Http1ClientOwner } from '#src/http1/client-session.ts'
import type { Http1ClientOptions, Http1ServerOptions } from '#src/http1/options.ts'
import { Http1ServerContext } from '#src/http1/server-context.ts'
import { Http1ServerSession } from '#src/http1/server-session.ts'
import type { CloseReason, ConnectionHandler } from '#src/transport/transport.ts'
import { MemoryNetwork } from '#test/support/memory-connection.ts'
import type { MemoryConnection, MemoryOptions } from '#test/support/memory-connection.ts'
import { Forwarder } from './forwarder.ts'

/** ingress-nginx's defaults. */
export const serverOptions: Http1ServerOptions = {
  keepAliveTimeoutMs: 75_000,
  keepAliveRequests: 1000,
  requestHeadTimeoutMs: 60_000,
  requestBodyTimeoutMs: 60_000,
  requestLineBytesMax: 8 * 1024,
  requestHeadBytesMax: 32 * 1024,
  requestFieldsMax: 100,
  underscoresInHeaders: false,
  ignoreInvalidHeaders: true,
}

export const clientOptions: Http1ClientOptions = {
  responseHeadBytesMax: 16 * 1024,
  version: 11,
  persistent: true,
}

/** A peer that writes down what it gets, on either side. */
export class Recorder implements ConnectionHandler {
  readonly connection: MemoryConnection
  received = ''
  /** The other side ended its direction in good order. */
  ended = false
  closeReason: CloseReason | undefined
  drains = 0
  /** Called after each piece. */
  onPiece: (recorder: Recorder) => void = () => undefined

  constructor(connection: MemoryConnection) {
    this.connection = connection
    connection.handler = this
    connection.resume()
  }

  get closed(): boolean {
    return this.ended || this.closeReason !== undefined
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.received += buffer.latin1Slice(start, end)
    this.onPiece(this)
  }

  onEnd(): void {
    this.ended = true
  }

  onDrain(): void {
    this.drains++
  }

  onClose(reason: CloseReason): void {
    this.closeReason = reason
  }
}

/** Client, proxy and upstream in memory: C → P → U, with the codec in both roles of P. */
export class Relay implements Http1ClientOwner {
  readonly network: MemoryNetwork
  readonly wheel = new TimerWheel(0)
  readonly context: Http1ServerContext
  readonly forwarder: Forwarder
  /** Connections that P opened to U. */
  readonly upstreams: Recorder[] = []
  readonly idle: Http1ClientSession[] = []
  gone = 0
  clientOptions = clientOptions
  /** Plays U on each new connection. */
  onUpstream: (upstream: Recorder) => void = () => undefined

  constructor(options: Partial<Http1ServerOptions> = {}, memory: MemoryOptions = {}) {
    this.network = new MemoryNetwork(memory)
    this.forwarder = new Forwarder(this.wheel, (handler) => this.#open(handler))
    const all = { ...serverOptions, ...options }
    this.context = new Http1ServerContext(this.forwarder, all, this.wheel, () => 0)
  }

  /** A new client. */
  client(): Recorder {
    const [opened, accepted] = this.network.pair()
    new Http1ServerSession(accepted, this.context).start()
    return new Recorder(opened)
  }

  /** Lets time pass, and what follows from it happen. */
  pass(ms: number, stepMs = 50): void {
    for (let left = ms; left > 0; left -= stepMs) {
      this.wheel.advance(this.wheel.now + Math.min(left, stepMs))
      this.network.run()
    }
  }

  /** Sends text and lets all that follows happen. */
  send(client: Recorder, text: string): void {
    client.connection.writeText(text)
    this.network.run()
  }

  #open(handler: ClientStreamHandler): ClientStream {
    const kept = this.idle.pop()
    if (kept !== undefined) return kept.open(handler)
    const session = new Http1ClientSession(this, this.clientOptions)
    const [opened, accepted] = this.network.connect(session)
    session.attach(opened)
    const upstream = new Recorder(accepted)
    this.upstreams.push(upstream)
    this.onUpstream(upstream)
    return session.open(handler)
  }

  onIdle(session: Http1ClientSession): void {
    this.idle.push(session)
  }

  onGone(session: Http1ClientSession): void {
    this.gone++
    const place = this.idle.indexOf(session)
    if (place >= 0) this.idle.splice(place, 1)
  }
}
