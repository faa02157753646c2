import { connect } from 'node:net'
import { PortableConnection } from './portable/portable-connection.ts'
import { listenPortable } from './portable/portable-listener.ts'
import { connectTls, serveTls } from './portable/portable-tls.ts'
import type {
  ConnectHandler,
  ConnectTarget,
  Connection,
  Listener,
  ListenOptions,
  ServerTls,
  Transport,
} from './transport.ts'
import { UpstreamContexts } from './upstream-tls.ts'
import type { UpstreamContext } from './upstream-tls.ts'

const keepAliveMs = 60_000

/** Sockets on the documented interface of `node:net` and `node:tls`: for every Node, and slower. */
export class PortableTransport implements Transport {
  readonly name = 'portable'
  readonly fallbackReason: string
  readonly #contexts = new UpstreamContexts()

  /** `fallbackReason`: why the raw transport is not used. */
  constructor(fallbackReason: string) {
    this.fallbackReason = fallbackReason
  }

  listen(options: ListenOptions): Promise<Listener> {
    return listenPortable(options)
  }

  connect(target: ConnectTarget, handler: ConnectHandler): Connection {
    const { address, port, tls } = target
    const tcp = connect({
      host: address,
      port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    })
    const connection = new PortableConnection(tcp, handler)
    let context: UpstreamContext | undefined
    try {
      context = tls === undefined ? undefined : this.#contexts.get(tls)
    } catch (error) {
      connection.problem = (error as Error).message
      connection.close('tls')
    }
    tcp.once('connect', () => {
      if (connection.closed) return
      if (context !== undefined) {
        connectTls(connection, tcp, context, target)
        return
      }
      connection.open()
      ;(connection.handler as ConnectHandler).onConnected(connection)
    })
    return connection
  }

  startTls(
    connection: Connection,
    unread: Buffer,
    options: ServerTls,
    handler: ConnectHandler,
  ): Connection {
    return serveTls(connection as PortableConnection, unread, options, handler)
  }
}
