import type { Listed } from '#src/exchange/roster.ts'
import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerOwner } from '#src/exchange/timer-wheel.ts'
import { proxyHeaderText } from '#src/transport/proxy-header.ts'
import type {
  CloseReason,
  ConnectHandler,
  ConnectTarget,
  Connection,
} from '#src/transport/transport.ts'
import { recordFailure, recordSuccess } from '#src/upstream/ejection.ts'
import type { LiveEndpoint } from '#src/upstream/live-endpoint.ts'
import { pickStreamEndpoint } from './live-stream.ts'
import type { LiveStream } from './live-stream.ts'
import type { Services } from './services.ts'
import { TunnelSide } from './tunnel-side.ts'
import type { TunnelEvents } from './tunnel-side.ts'

/** How a tunnel ended. `served`: both sides said all that they had. */
export type TunnelOutcome =
  | 'served'
  | 'reset'
  | 'idle'
  | 'no-endpoint'
  | 'unreachable'
  | 'timeout'
  | 'client-gone'
  | 'draining'

/** Where a client came in. */
export interface TunnelEntry {
  readonly port: number
  /** SNI, where TLS is passed through. */
  readonly serverName: string
}

/** What a tunnel needs from its worker. */
export interface TunnelOwner {
  readonly services: Pick<Services, 'pickInput' | 'now' | 'wheel' | 'endpoints'>
  connect(target: ConnectTarget, handler: ConnectHandler): Connection
  onRetry(): void
  /** An endpoint was ejected after failures in a row. */
  onEjected(): void
  /** The last event, exactly once. */
  onTunnelEnd(tunnel: Tunnel): void
}

/**
 * One client connection whose bytes go to an endpoint as they are, and the other way round: a TCP port,
 * or TLS that ends at the endpoint. An endpoint that cannot be connected to is given up for another;
 * from the first byte on nothing can be done over. Each side is read only while the other takes it.
 */
export class Tunnel implements TimerOwner, TunnelEvents, Listed {
  /** See `Listed`. */
  place = -1
  readonly stream: LiveStream
  /** Where the client came in, and the host that its TLS names; '' for none. */
  readonly entry: TunnelEntry
  readonly client: TunnelSide
  readonly startedAt: number
  upstream: TunnelSide | undefined
  endpoint: LiveEndpoint | undefined
  lastEndpoint: LiveEndpoint | undefined
  outcome: TunnelOutcome = 'served'
  tries = 0
  readonly #owner: TunnelOwner
  readonly #timer = new Timer(this)
  readonly #failed: LiveEndpoint[] = []
  /** What the client sent before there was an endpoint. */
  #held: Buffer
  #connected = false
  #activeAt = 0
  /** Why the last try failed. */
  #problem: TunnelOutcome = 'no-endpoint'
  #ended = false

  /** `unread`: read from the client already. Its memory is copied. */
  constructor(
    connection: Connection,
    unread: Buffer,
    { stream, entry }: { readonly stream: LiveStream; readonly entry: TunnelEntry },
    owner: TunnelOwner,
  ) {
    this.stream = stream
    this.entry = entry
    this.startedAt = owner.services.now()
    this.#owner = owner
    this.#held = Buffer.from(unread)
    this.client = new TunnelSide(this)
    this.client.bytes = unread.length
    this.client.attach(connection)
    connection.pause()
  }

  /** Looks for an endpoint. */
  start(): void {
    const { stream, client } = this
    const { services } = this.#owner
    const { connectTimeoutMs } = stream.route
    const address = client.connection?.peer.address ?? ''
    const endpoint = this.#mayTry()
      ? pickStreamEndpoint(stream, address, this.#failed, services)
      : undefined
    if (endpoint === undefined) {
      this.destroy(this.#problem)
      return
    }
    if (this.tries++ > 0) this.#owner.onRetry()
    this.endpoint = endpoint
    this.lastEndpoint = endpoint
    stream.backend.hold(endpoint)
    services.wheel.arm(this.#timer, connectTimeoutMs)
    const upstream = new TunnelSide(this)
    this.upstream = upstream
    const { address: host, port } = endpoint
    upstream.attach(this.#owner.connect({ address: host, port, tls: undefined }, upstream))
  }

  #mayTry(): boolean {
    const { triesMax, retryTimeoutMs } = this.stream.route
    if (this.tries === 0) return true
    if (triesMax > 0 && this.tries >= triesMax) return false
    return retryTimeoutMs === 0 || this.#owner.services.now() - this.startedAt < retryTimeoutMs
  }

  /** Ends both sides so that neither takes what it has for all there was. */
  destroy(outcome: TunnelOutcome): void {
    if (this.#ended) return
    this.outcome = outcome
    for (const side of [this.client, this.upstream]) {
      if (side?.closed === false) side.connection?.reset()
    }
    this.#finish()
  }

  // The sides' events.

  onConnected(side: TunnelSide): void {
    if (side !== this.upstream || this.#ended) return
    const { services } = this.#owner
    const { connection } = this.client
    this.#connected = true
    recordSuccess(services.endpoints, this.endpoint as LiveEndpoint)
    this.#activeAt = services.now()
    services.wheel.arm(this.#timer, this.stream.route.idleTimeoutMs)
    const { sendProxyHeader } = this.stream.route
    const header =
      sendProxyHeader && connection !== undefined ? proxyHeaderText(connection.peer) : ''
    const held = this.#held
    this.#held = Buffer.alloc(0)
    if (side.connection?.writeBytes(header, held, 0, held.length) !== false) connection?.resume()
    side.connection?.resume()
    if (this.client.ended) side.connection?.end()
  }

  /** Bytes of one side for the other. */
  pass(from: TunnelSide, buffer: Buffer, start: number, end: number): void {
    from.bytes += end - start
    if (!this.#connected) {
      // A read that was under way when the client was paused.
      this.#held = Buffer.concat([this.#held, buffer.subarray(start, end)])
      return
    }
    this.#activeAt = this.#owner.services.now()
    const to = this.#across(from)?.connection
    if (to?.writeBytes('', buffer, start, end) === false) from.connection?.pause()
  }

  onDrain(side: TunnelSide): void {
    this.#activeAt = this.#owner.services.now()
    if (this.#connected) this.#across(side)?.connection?.resume()
  }

  onEnd(side: TunnelSide): void {
    if (this.#connected) this.#across(side)?.connection?.end()
  }

  onClose(side: TunnelSide, reason: CloseReason): void {
    side.closed = true
    // A try that was given up is nobody's side any more.
    if (this.#ended || (side !== this.client && side !== this.upstream)) return
    if (!this.#connected) {
      if (side === this.client) this.destroy('client-gone')
      else this.#tryFailed('unreachable')
    } else if (reason !== '') this.destroy('reset')
    // What one side sent may still be on its way to the other.
    else if (this.client.closed && this.upstream?.closed === true) this.#finish()
  }

  onTimer(): void {
    if (!this.#connected) {
      this.#tryFailed('timeout')
      return
    }
    const { services } = this.#owner
    const idleMs = services.now() - this.#activeAt
    const { idleTimeoutMs } = this.stream.route
    if (idleMs < idleTimeoutMs) services.wheel.arm(this.#timer, idleTimeoutMs - idleMs)
    else this.destroy('idle')
  }

  #across(side: TunnelSide): TunnelSide | undefined {
    return side === this.client ? this.upstream : this.client
  }

  /** Gives the endpoint up for another one. */
  #tryFailed(problem: TunnelOutcome): void {
    const { services } = this.#owner
    const { upstream } = this
    const endpoint = this.endpoint as LiveEndpoint
    services.wheel.remove(this.#timer)
    this.#problem = problem
    this.#failed.push(endpoint)
    this.upstream = undefined
    this.endpoint = undefined
    if (upstream?.closed === false) upstream.connection?.destroy()
    if (recordFailure(services.endpoints, endpoint, services.now())) this.#owner.onEjected()
    this.stream.backend.release(endpoint)
    this.start()
  }

  #finish(): void {
    this.#ended = true
    this.#owner.services.wheel.remove(this.#timer)
    if (this.endpoint !== undefined) this.stream.backend.release(this.endpoint)
    this.#owner.onTunnelEnd(this)
  }
}
