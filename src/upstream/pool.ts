import type { ClientStream, ClientStreamHandler } from '#src/exchange/streams.ts'
import type { UpstreamTls } from '#src/transport/transport.ts'
import type { LiveEndpoint } from './live-endpoint.ts'

/**
 * How connections to an endpoint are made. One object per distinct setting (interned), so that a
 * pool's key is the endpoint and the identity of this object: connections of different protocol or
 * TLS settings never mix.
 */
export interface PoolSettings {
  readonly protocol: 'http1' | 'http1.0' | 'http2' | 'auto'
  readonly tls: UpstreamTls | undefined
  /** What the Connection field of HTTP/1 says; with `close` connections are closed after their answer. */
  readonly connection?: 'close' | 'keep-alive' | undefined
  /** With `auto`: how requests that ask for an upgrade connect, as that is a matter of HTTP/1.1. */
  readonly forUpgrades?: PoolSettings
  /** How requests of clients without TLS connect, where that is another way. */
  readonly forPlain?: PoolSettings | undefined
}

/** Where exchanges get their upstream streams. */
export interface UpstreamConnector {
  /**
   * A stream to the endpoint: on a kept connection idle for at most `idleMsMax` (0: on a new one
   * only), else on a new connection, which may still be connecting. Events go to `handler`.
   */
  open(
    endpoint: LiveEndpoint,
    settings: PoolSettings,
    handler: ClientStreamHandler,
    idleMsMax: number,
  ): ClientStream
}

/** The connections of one endpoint with the same settings. */
export interface EndpointPool {
  readonly settings: PoolSettings
  /** A stream to the endpoint; see `UpstreamConnector.open`. */
  open(handler: ClientStreamHandler, idleMsMax: number): ClientStream
  /** The endpoint left the table: idle connections close, busy ones when they are done. */
  retire(): void
}
