import { Roster } from '#src/exchange/roster.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import type {
  Transport,
  Connection,
  ConnectHandler,
  ConnectTarget,
} from '#src/transport/transport.ts'
import type { LiveStream } from './live-stream.ts'
import type { Services } from './services.ts'
import { formattedStreamLine } from './formatted-stream-line.ts'
import { streamLogLine } from './stream-log-line.ts'
import { Tunnel } from './tunnel.ts'
import type { TunnelEntry, TunnelOutcome, TunnelOwner } from './tunnel.ts'

const outcomeCells: Readonly<Record<TunnelOutcome, number>> = {
  served: workerCell('streams_total:served'),
  reset: workerCell('streams_total:reset'),
  idle: workerCell('streams_total:idle'),
  'no-endpoint': workerCell('streams_total:no-endpoint'),
  unreachable: workerCell('streams_total:unreachable'),
  timeout: workerCell('streams_total:timeout'),
  'client-gone': workerCell('streams_total:client-gone'),
  draining: workerCell('streams_total:draining'),
}
const receivedCell = workerCell('stream_bytes_total:received')
const sentCell = workerCell('stream_bytes_total:sent')
const retries = workerCell('upstream_retries_total')
const ejections = workerCell('upstream_ejections_total')
const opened = workerCell('upstream_connections_opened_total')

/** The connections of one worker that are passed on below HTTP. */
export class Tunnels implements TunnelOwner {
  readonly services: Services
  readonly #transport: Transport
  readonly #open = new Roster<Tunnel>()

  constructor(services: Services, transport: Transport) {
    this.services = services
    this.#transport = transport
  }

  get size(): number {
    return this.#open.size
  }

  /** Passes a connection on. `unread` was read from it already; it is valid during the call. */
  start(connection: Connection, unread: Buffer, stream: LiveStream, entry: TunnelEntry): void {
    const tunnel = new Tunnel(connection, unread, { stream, entry }, this)
    this.#open.add(tunnel)
    tunnel.start()
  }

  /** Cuts whatever is left. */
  destroy(): void {
    for (const tunnel of this.#open.all()) tunnel.destroy('draining')
  }

  connect(target: ConnectTarget, handler: ConnectHandler): Connection {
    const { worker, writer } = this.services
    worker.add(writer, opened, 1)
    return this.#transport.connect(target, handler)
  }

  onRetry(): void {
    this.services.worker.add(this.services.writer, retries, 1)
  }

  onEjected(): void {
    this.services.worker.add(this.services.writer, ejections, 1)
  }

  onTunnelEnd(tunnel: Tunnel): void {
    const { worker, writer, table, accessLog } = this.services
    this.#open.delete(tunnel)
    worker.add(writer, outcomeCells[tunnel.outcome], 1)
    worker.add(writer, receivedCell, tunnel.client.bytes)
    worker.add(writer, sentCell, tunnel.upstream?.bytes ?? 0)
    if (accessLog !== undefined && table.options.accessLog) {
      const { options } = table
      accessLog.write(
        options.streamLogFormat.length === 0
          ? streamLogLine(tunnel, this.services)
          : formattedStreamLine(tunnel, this.services, options),
      )
    }
  }
}
