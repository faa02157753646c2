import { createConnectRequest, createSocketHandle } from './raw/node-handles.ts'
import type { ConnectRequest, TcpHandle } from './raw/node-handles.ts'
import { PlainConnection, onConnected } from './raw/plain-connection.ts'
import { RawListener } from './raw/raw-listener.ts'
import { TlsConnection, onTlsConnected } from './raw/tls-connection.ts'
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

/** Seconds until the kernel probes a silent connection. */
const keepAliveSeconds = 60

/**
 * Sockets on libuv handles. Import it only after `rawTransportProblem` (select.ts) has found none:
 * another Node than the one it was written for would be ended by its calls.
 */
export class RawTransport implements Transport {
  readonly name = 'raw'
  readonly fallbackReason = ''
  readonly #contexts = new UpstreamContexts()

  async listen(options: ListenOptions): Promise<Listener> {
    return new RawListener(options)
  }

  connect(target: ConnectTarget, handler: ConnectHandler): Connection {
    const tcp = createSocketHandle()
    const request = createConnectRequest()
    const connection = this.#connection(tcp, target, handler)
    if (connection.closing) return connection
    request.oncomplete = target.tls === undefined ? onConnected : onTlsConnected
    tcp.setNoDelay(true)
    tcp.setKeepAlive(true, keepAliveSeconds)
    const status = startConnecting(tcp, request, target)
    if (status < 0) connection.afterConnect(status)
    return connection
  }

  startTls(
    connection: Connection,
    unread: Buffer,
    options: ServerTls,
    handler: ConnectHandler,
  ): Connection {
    return TlsConnection.serve(connection as PlainConnection, unread, options, handler)
  }

  #connection(
    tcp: TcpHandle,
    target: ConnectTarget,
    handler: ConnectHandler,
  ): PlainConnection | TlsConnection {
    if (target.tls === undefined) return new PlainConnection(tcp, handler)
    let context: UpstreamContext
    try {
      context = this.#contexts.get(target.tls)
    } catch (error) {
      const connection = new PlainConnection(tcp, handler)
      connection.refuse((error as Error).message)
      return connection
    }
    return TlsConnection.connecting(tcp, context, target, handler)
  }
}

function startConnecting(
  tcp: TcpHandle,
  request: ConnectRequest,
  { address, port }: ConnectTarget,
): number {
  return address.includes(':')
    ? tcp.connect6(request, address, port)
    : tcp.connect(request, address, port)
}
