import type { ClientStream, ClientStreamHandler } from '#src/exchange/streams.ts'
import { Http2ClientSession } from '#src/http2/client-session.ts'
import type { Http2ClientOwner } from '#src/http2/client-session.ts'
import type { CloseReason, ConnectHandler, Connection } from '#src/transport/transport.ts'
import type { LiveEndpoint } from './live-endpoint.ts'
import type { EndpointPool, PoolSettings } from './pool.ts'
import type { UpstreamPools } from './pools.ts'

/** What is known of one session besides its streams. */
interface Entry {
  readonly session: Http2ClientSession
  readonly openedAt: number
  /** Monotonic milliseconds since when it has no stream. */
  idleSince: number
  requests: number
}

/** A session without streams, and since when, in monotonic milliseconds. */
export interface IdleSession {
  readonly session: Http2ClientSession
  readonly idleSince: number
}

/**
 * HTTP/2 connections to one endpoint. New streams go to the oldest connection that has room, so that
 * the others can become idle; another connection is opened when none has.
 */
export class Http2Pool implements EndpointPool, Http2ClientOwner {
  readonly settings: PoolSettings
  readonly #endpoint: LiveEndpoint
  readonly #pools: UpstreamPools
  readonly #entries: Entry[] = []
  #retired = false

  readonly #onMismatch: (() => void) | undefined

  /** `onMismatch`: the endpoint turned out not to speak HTTP/2 (any more). */
  // oxlint-disable-next-line max-params -- once an endpoint
  constructor(
    endpoint: LiveEndpoint,
    settings: PoolSettings,
    pools: UpstreamPools,
    onMismatch?: () => void,
  ) {
    this.#onMismatch = onMismatch
    this.#endpoint = endpoint
    this.settings = settings
    this.#pools = pools
  }

  /** See `UpstreamConnector.open`. */
  open(handler: ClientStreamHandler, idleMsMax: number): ClientStream {
    const now = this.#pools.now()
    const entry = this.#firstOpen(now, idleMsMax) ?? this.#connect(now)
    entry.requests++
    const stream = entry.session.open(handler)
    const { requestsMax, ageMsMax } = this.#pools.limits
    const old = entry.requests >= requestsMax || now - entry.openedAt >= ageMsMax
    if (old) entry.session.drain()
    return stream
  }

  #firstOpen(now: number, idleMsMax: number): Entry | undefined {
    for (const entry of this.#entries) if (isOpenTo(entry, now, idleMsMax)) return entry
    return undefined
  }

  #connect(now: number): Entry {
    const { address, port } = this.#endpoint
    const { tls } = this.settings
    const connecting = new Connecting()
    return this.#enter(this.#pools.connect({ address, port, tls }, connecting), now, false)
  }

  /** Takes a connection that was opened for another reason, and on which HTTP/2 was agreed. */
  adopt(connection: Connection): void {
    this.#enter(connection, this.#pools.now(), true)
  }

  #enter(connection: Connection, now: number, connected: boolean): Entry {
    const session = new Http2ClientSession(
      connection,
      this,
      this.#pools.http2Limits,
      this.#pools.http2Environment,
      { scheme: this.settings.tls === undefined ? 'http' : 'https', connected },
    )
    this.#pools.connections++
    const entry = { session, openedAt: now, idleSince: now, requests: 0 }
    this.#entries.push(entry)
    return entry
  }

  retire(): void {
    this.#retired = true
    for (const { session } of this.#entries.slice()) session.drain()
    this.#pools.forget(this)
  }

  /** Closes connections that have had no stream since before `latest`. */
  sweep(latest: number): void {
    for (const { session, idleSince } of this.#entries.slice()) {
      if (session.streamCount === 0 && idleSince <= latest) session.drain()
    }
  }

  onCapacity(session: Http2ClientSession): void {
    const entry = this.#entries[this.#indexOf(session)]
    if (entry === undefined || session.streamCount > 0) return
    entry.idleSince = this.#pools.now()
    if (this.#retired || this.#pools.closing) session.drain()
  }

  /** Adds what has no stream and a connection to the list. */
  listIdle(into: IdleSession[]): void {
    for (const { session, idleSince } of this.#entries) {
      if (session.streamCount === 0 && session.connected) into.push({ session, idleSince })
    }
  }

  onDraining(session: Http2ClientSession): void {
    this.#forget(session)
  }

  onSessionClosed(session: Http2ClientSession, _reason: CloseReason): void {
    this.#forget(session)
    this.#pools.connections--
    if (session.mismatch) this.#onMismatch?.()
    if (!session.connected) this.#pools.report(this.#endpoint, session.problem)
  }

  #forget(session: Http2ClientSession): void {
    const at = this.#indexOf(session)
    if (at >= 0) this.#entries.splice(at, 1)
  }

  /** Once a stream: no closure for it. */
  #indexOf(session: Http2ClientSession): number {
    const entries = this.#entries
    for (let i = 0; i < entries.length; i++) if (entries[i]?.session === session) return i
    return -1
  }
}

/** Whether a connection takes one more stream that trusts none idle for longer. */
function isOpenTo({ session, idleSince }: Entry, now: number, idleMsMax: number): boolean {
  if (session.capacity === 0) return false
  // One that is being made is as new as any.
  if (!session.connected) return true
  const idleMs = session.streamCount === 0 ? now - idleSince : 0
  return idleMsMax > 0 && idleMs <= idleMsMax
}

/** Stands in until the session has taken the connection over, which is in the same turn. */
class Connecting implements ConnectHandler {
  onConnected(_connection: Connection): void {}
  onData(): void {}
  onEnd(): void {}
  onDrain(): void {}
  onClose(_reason: CloseReason): void {}
}
