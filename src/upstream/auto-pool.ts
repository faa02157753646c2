import type { ClientStream, ClientStreamHandler, UpstreamFailure } from '#src/exchange/streams.ts'
import type {
  CloseReason,
  ConnectHandler,
  Connection,
  UpstreamTls,
} from '#src/transport/transport.ts'
import { DeferredStream } from './deferred-stream.ts'
import { Http1Pool } from './http1-pool.ts'
import { Http2Pool } from './http2-pool.ts'
import type { LiveEndpoint } from './live-endpoint.ts'
import type { EndpointPool, PoolSettings } from './pool.ts'
import type { UpstreamPools } from './pools.ts'

/**
 * Connections to an endpoint that says in the TLS handshake what it speaks (ALPN, RFC 7301): HTTP/2 where it
 * can, else HTTP/1.1. The first connection finds out and is used; what is asked meanwhile waits for it.
 * From then on one of the other pools does the work. Should the endpoint no longer agree to HTTP/2, that
 * is found out anew.
 */
export class AutoPool implements EndpointPool, ConnectHandler {
  readonly settings: PoolSettings
  readonly #endpoint: LiveEndpoint
  readonly #pools: UpstreamPools
  readonly #tls: UpstreamTls
  #known: Http1Pool | Http2Pool | undefined
  /** The connection that finds out. */
  #connection: Connection | undefined
  #waiting: DeferredStream[] = []
  #retired = false

  constructor(
    endpoint: LiveEndpoint,
    settings: PoolSettings,
    tls: UpstreamTls,
    pools: UpstreamPools,
  ) {
    this.#endpoint = endpoint
    this.settings = settings
    this.#tls = tls
    this.#pools = pools
  }

  /** See `UpstreamConnector.open`. */
  open(handler: ClientStreamHandler, idleMsMax: number): ClientStream {
    if (this.#known !== undefined) return this.#known.open(handler, idleMsMax)
    const stream = new DeferredStream(handler, idleMsMax)
    this.#waiting.push(stream)
    if (this.#connection === undefined) {
      const { address, port } = this.#endpoint
      this.#pools.connections++
      this.#connection = this.#pools.connect({ address, port, tls: this.#tls }, this)
    }
    return stream
  }

  retire(): void {
    this.#retired = true
    this.#known?.retire()
  }

  onConnected(connection: Connection): void {
    this.#connection = undefined
    this.#pools.connections--
    const waiting = this.#waiting.filter(({ over }) => !over)
    this.#waiting = []
    const known = this.#poolFor(connection)
    this.#known = known
    if (known instanceof Http2Pool) known.adopt(connection)
    else {
      const first = waiting.shift()
      if (first === undefined) this.#discard(connection)
      else first.bind(known.adopt(connection, first.handler))
    }
    for (const stream of waiting) stream.bind(known.open(stream.handler, stream.idleMsMax || 1))
    if (this.#retired) known.retire()
  }

  /** Nobody wants it any more; its end is told to us. */
  #discard(connection: Connection): void {
    this.#pools.connections++
    connection.destroy()
  }

  /** The pool for what the endpoint has chosen; an empty choice means HTTP/1.1 (RFC 9113 3.2). */
  #poolFor({ peer }: Connection): Http1Pool | Http2Pool {
    const http2 = peer.tls?.alpn === 'h2'
    const tls: UpstreamTls = { ...this.#tls, alpn: [http2 ? 'h2' : 'http/1.1'] }
    const settings = { protocol: http2 ? 'http2' : 'http1', tls } as const
    if (!http2) return new Http1Pool(this.#endpoint, settings, this.#pools)
    return this.#pools.track(
      new Http2Pool(this.#endpoint, settings, this.#pools, () => {
        this.#known?.retire()
        this.#known = undefined
      }),
    )
  }

  onClose(reason: CloseReason): void {
    const problem = this.#connection?.problem
    this.#connection = undefined
    this.#pools.connections--
    this.#pools.report(this.#endpoint, problem)
    const waiting = this.#waiting
    this.#waiting = []
    for (const stream of waiting) if (!stream.over) stream.fail(failureOf(reason))
  }

  // Nothing is read before somebody asks.
  onData(): void {}
  onEnd(): void {}
  onDrain(): void {}
}

function failureOf(reason: CloseReason): UpstreamFailure {
  if (reason === 'tls') return 'tls-failed'
  if (reason === 'timeout') return 'connect-timeout'
  return reason === 'refused' || reason === 'unreachable' ? 'connect-refused' : 'closed'
}
