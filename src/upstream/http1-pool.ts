import type { ClientStream, ClientStreamHandler } from '#src/exchange/streams.ts'
import type { Connection } from '#src/transport/transport.ts'
import type { Http1ClientSession } from '#src/http1/client-session.ts'
import type { Http1ClientOptions } from '#src/http1/options.ts'
import { RepeatedHead } from '#src/http1/repeated-head.ts'
import type { LastResponse } from '#src/http1/response-head-reader.ts'
import { IdleEntry } from './idle-list.ts'
import type { EntryOwner } from './idle-list.ts'
import type { LiveEndpoint } from './live-endpoint.ts'
import type { EndpointPool, PoolSettings } from './pool.ts'
import type { UpstreamPools } from './pools.ts'

/**
 * HTTP/1.1 connections to one endpoint: the one that became idle last is used first, so that the
 * others can time out.
 */
export class Http1Pool implements EndpointPool, EntryOwner {
  readonly settings: PoolSettings
  readonly #endpoint: LiveEndpoint
  readonly #pools: UpstreamPools
  /** Idle connections, the one idle longest first. */
  readonly #idle: IdleEntry[] = []
  readonly #lastResponse: LastResponse = new RepeatedHead()
  #retired = false

  constructor(endpoint: LiveEndpoint, settings: PoolSettings, pools: UpstreamPools) {
    this.#endpoint = endpoint
    this.settings = settings
    this.#pools = pools
  }

  /** See `UpstreamConnector.open`. */
  open(handler: ClientStreamHandler, idleMsMax: number): ClientStream {
    const entry = this.#idle.at(-1)
    if (entry !== undefined && this.#isFresh(entry, idleMsMax)) {
      this.#idle.pop()
      this.#pools.idle.remove(entry)
      return entry.session.open(handler)
    }
    return this.#connect(handler)
  }

  #isFresh({ idleSince }: IdleEntry, idleMsMax: number): boolean {
    return idleMsMax === Infinity || this.#pools.now() - idleSince <= idleMsMax
  }

  #connect(handler: ClientStreamHandler): ClientStream {
    const session = this.#enter()
    const { address, port } = this.#endpoint
    const stream = session.open(handler)
    session.attach(this.#pools.connect({ address, port, tls: this.settings.tls }, session))
    return stream
  }

  /** A stream on a connection that was opened for another reason. */
  adopt(connection: Connection, handler: ClientStreamHandler): ClientStream {
    const session = this.#enter()
    const stream = session.open(handler)
    session.attach(connection)
    connection.handler = session
    session.onConnected(connection)
    return stream
  }

  #enter(): Http1ClientSession {
    this.#pools.connections++
    return new IdleEntry(this, this.#options(), this.#pools.now(), this.#lastResponse).session
  }

  #options(): Http1ClientOptions {
    const { protocol, connection } = this.settings
    if (protocol === 'http1.0') return this.#pools.http10Options
    if (connection === undefined) return this.#pools.http1Options
    return connection === 'close' ? this.#pools.closingOptions : this.#pools.keepingOptions
  }

  retire(): void {
    this.#retired = true
    for (const { session } of this.#idle.slice()) session.close()
  }

  onIdle(entry: IdleEntry): void {
    const { session } = entry
    const now = this.#pools.tickNow
    const { requestsMax, ageMsMax } = this.#pools.limits
    const old = session.exchanges >= requestsMax || now - entry.openedAt >= ageMsMax
    if (this.#retired || old || this.#pools.closing) {
      session.close()
      return
    }
    entry.idleSince = now
    this.#idle.push(entry)
    this.#pools.idle.add(entry)
    this.#pools.trim(now)
  }

  onGone(entry: IdleEntry): void {
    const { session } = entry
    this.#pools.connections--
    if (!session.connected) this.#pools.report(this.#endpoint, session.problem)
    if (!entry.listed) return
    this.#pools.idle.remove(entry)
    const at = this.#idle.indexOf(entry)
    if (at >= 0) this.#idle.splice(at, 1)
  }
}
