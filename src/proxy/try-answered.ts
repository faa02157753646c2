import type { Fields } from '#src/exchange/fields.ts'
import type { ResponseHead } from '#src/exchange/heads.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import { recordSuccess } from '#src/upstream/ejection.ts'
import { takeLoadReport } from '#src/upstream/load-reports/load-report.ts'
import { emptyReport } from '#src/upstream/load-reports/metrics.ts'
import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import { observeTry } from './pick.ts'

const cells = {
  read: workerCell('load_reports_total:read'),
  malformed: workerCell('load_reports_total:malformed'),
} as const

const report = emptyReport()

/** What a response head means for its endpoint: no ejection, a latency, and what it tells of its load. */
export function noteAnswer(exchange: Exchange, attempt: Attempt, head: ResponseHead): void {
  const { services } = exchange
  const now = services.turnNow()
  exchange.answeredAt = now
  exchange.upstreamMs = now - attempt.startedAt
  recordSuccess(services.endpoints, attempt.endpoint)
  observeTry(attempt, now, exchange.upstreamMs, head.status)
  if (attempt.target.balancer.reads) takeReport(exchange, attempt, head.fields)
}

/** gRPC servers tell of their load behind the last message. */
export function noteTrailers(exchange: Exchange, trailers: Fields): void {
  const { attempt } = exchange
  if (attempt?.target.balancer.reads === true) takeReport(exchange, attempt, trailers)
}

/**
 * Takes the load report out of the fields and tells the balancer. An endpoint that does not say how long
 * its requests take has the time of this answer instead.
 */
function takeReport({ services, upstreamMs }: Exchange, attempt: Attempt, fields: Fields): void {
  const reading = takeLoadReport(fields, report)
  if (reading === 'none') return
  services.worker.add(services.writer, cells[reading], 1)
  const { index } = attempt.endpoint
  if (reading === 'malformed' || index < 0) return
  if (Number.isNaN(report.latencyMs)) report.latencyMs = upstreamMs
  attempt.target.balancer.balancer.report?.(index, services.now(), report)
}
