import { workerCell } from '#src/shared/worker-memory.ts'
import { accessLogLine } from './access-log-line.ts'
import type { Exchange } from './exchange.ts'

const inFlight = workerCell('requests_in_flight')
const retries = workerCell('upstream_retries_total')
const ejections = workerCell('upstream_ejections_total')
const notFound = workerCell('requests_rejected_total:404')
const otherRejected = workerCell('requests_rejected_total:other')

export function recordStart({ services }: Exchange): void {
  services.worker.add(services.writer, inFlight, 1)
}

export function recordRetry({ services }: Exchange): void {
  services.worker.add(services.writer, retries, 1)
}

export function recordEjection({ services }: Exchange): void {
  services.worker.add(services.writer, ejections, 1)
}

/** Counts a finished exchange and writes its line to the access log. */
export function recordExchange(exchange: Exchange): void {
  const { live, services, status } = exchange
  const { writer } = services
  services.worker.add(writer, inFlight, -1)
  if (live === undefined) {
    services.worker.add(writer, status === 404 ? notFound : otherRejected, 1)
  } else if (live.recorded) {
    const { rules } = services
    const row = rules.row(live.slot, live.generation, writer)
    const gone = exchange.failure === 'client-gone'
    rules.recordExchange(
      row,
      gone ? 0 : Math.floor(status / 100),
      services.now() - exchange.startedAt,
    )
    rules.recordBytes(row, exchange.body.bytes, exchange.responseBytes)
    if (exchange.upstreamMs >= 0) rules.recordUpstream(row, exchange.upstreamMs)
  }
  const { accessLog } = services
  if (accessLog === undefined || !services.table.options.accessLog) return
  if (live === undefined || (live.recorded && live.rule.settings.accessLog)) {
    accessLog.write(accessLogLine(exchange))
  }
}
