import { http2Counters } from '#src/http2/counters.ts'
import type { Http2Counter } from '#src/http2/counters.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import { isSkipped } from './skipped-targets.ts'
import { accessLogLine } from './access-log-line.ts'
import type { Attempt } from './attempt.ts'
import { formattedLogLine } from './formatted-log-line.ts'
import type { Exchange } from './exchange.ts'

const inFlight = workerCell('requests_in_flight')
const retries = workerCell('upstream_retries_total')
const ejections = workerCell('upstream_ejections_total')
const tunnels = workerCell('tunnels')
const uncompressed = workerCell('compression_skipped_total')
const otherRejected = workerCell('requests_rejected_total:other')

const rejected = new Map<number, number>([
  [400, workerCell('requests_rejected_total:400')],
  [404, workerCell('requests_rejected_total:404')],
  [408, workerCell('requests_rejected_total:408')],
  [413, workerCell('requests_rejected_total:413')],
  [414, workerCell('requests_rejected_total:414')],
  [417, workerCell('requests_rejected_total:417')],
  [421, workerCell('requests_rejected_total:421')],
  [431, workerCell('requests_rejected_total:431')],
  [501, workerCell('requests_rejected_total:501')],
  [503, workerCell('requests_rejected_total:503')],
  [505, workerCell('requests_rejected_total:505')],
])

const http2Cells = new Map(
  http2Counters.map((name) => [name, workerCell(`http2_events_total:${name}`)]),
)

/** The counter of one thing that HTTP/2 sessions count. */
export function http2Cell(name: Http2Counter): number {
  return http2Cells.get(name) as number
}

/** The counter of requests that are refused with this status before any route is found. */
export function rejectedCell(status: number): number {
  return rejected.get(status) ?? otherRejected
}

export function recordStart({ services }: Exchange): void {
  services.worker.add(services.writer, inFlight, 1)
}

export function recordRetry({ services }: Exchange): void {
  services.worker.add(services.writer, retries, 1)
}

/** Counts an answer that was not compressed because too many were. */
export function recordUncompressed({ services }: Exchange): void {
  services.worker.add(services.writer, uncompressed, 1)
}

export function recordEjection({ services }: Exchange): void {
  services.worker.add(services.writer, ejections, 1)
}

/** Counts a connection that could not be made. */
export function recordConnectFailure({ services }: Exchange, { endpoint }: Attempt): void {
  const { connectFailures } = services.endpoints
  connectFailures[endpoint.cell] = (connectFailures[endpoint.cell] as number) + 1
}

/** Counts a tunnel that opens (1) or ends (-1). */
export function recordTunnel({ services }: Exchange, change: 1 | -1): void {
  services.worker.add(services.writer, tunnels, change)
}

function recordEndpointBytes({ services, lastEndpoint, body, responseBytes }: Exchange): void {
  if (lastEndpoint === undefined) return
  const { bytesSent, bytesReceived } = services.endpoints
  const { cell } = lastEndpoint
  bytesSent[cell] = (bytesSent[cell] as number) + body.bytes
  bytesReceived[cell] = (bytesReceived[cell] as number) + responseBytes
}

/** Counts a finished exchange and writes its line to the access log. */
export function recordExchange(exchange: Exchange): void {
  const { live, services, status, answeredAt } = exchange
  const { writer } = services
  // An answer that came in one read ends when it began: no need to look at the clock again.
  const durationMs = (answeredAt || services.now()) - exchange.startedAt
  services.worker.add(writer, inFlight, -1)
  recordEndpointBytes(exchange)
  if (live === undefined) {
    services.worker.add(writer, rejectedCell(status), 1)
  } else if (live.recorded) {
    const { rules } = services
    const row = rules.row(live.slot, live.generation, writer)
    const gone = exchange.failure === 'client-gone'
    rules.recordExchange(row, gone ? 0 : Math.floor(status / 100), durationMs)
    rules.recordBytes(row, exchange.body.bytes, exchange.responseBytes)
    if (exchange.upstreamMs >= 0) rules.recordUpstream(row, exchange.upstreamMs)
  }
  if (live === undefined || (live.recorded && live.rule.settings.accessLog))
    writeLogLine(exchange, durationMs)
}

function writeLogLine(exchange: Exchange, durationMs: number): void {
  const { accessLog, table } = exchange.services
  const { options } = table
  if (accessLog === undefined || !options.accessLog) return
  if (options.skipAccessLogUrls.length > 0 && isSkipped(exchange, options)) return
  const { logFormat } = options
  accessLog.write(
    logFormat.length === 0
      ? accessLogLine(exchange, durationMs)
      : formattedLogLine(exchange, durationMs, options),
  )
}
