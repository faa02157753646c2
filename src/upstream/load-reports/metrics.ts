import type { LoadReport } from '#algorithms/balance/balancer.ts'

/** A report that says nothing, to be filled again and again. */
export function emptyReport(): LoadReport {
  return {
    inFlight: NaN,
    latencyMs: NaN,
    utilization: NaN,
    requestsPerSecond: NaN,
    errorsPerSecond: NaN,
  }
}

export function clearReport(report: LoadReport): void {
  report.inFlight = NaN
  report.latencyMs = NaN
  report.utilization = NaN
  report.requestsPerSecond = NaN
  report.errorsPerSecond = NaN
  applicationKnown = false
}

/** The application's own word on its utilization beats that on its processors. One report at a time is read. */
let applicationKnown = false

/**
 * Notes one metric of an ORCA report. False: its value is no finite number. Metrics without a use here
 * are skipped, whatever their names.
 *
 * Requests in flight and their latency, which Prequal asks for, have no names in ORCA; endpoints send
 * them as the named metrics `requests_in_flight` and `latency_ms`.
 */
export function assignMetric(report: LoadReport, name: string, value: number): boolean {
  if (!Number.isFinite(value)) return false
  switch (name) {
    case 'application_utilization': {
      if (value > 0) {
        report.utilization = value
        applicationKnown = true
      }
      break
    }
    case 'cpu_utilization': {
      if (!applicationKnown) report.utilization = value
      break
    }
    case 'rps_fractional': {
      report.requestsPerSecond = value
      break
    }
    case 'eps': {
      report.errorsPerSecond = value
      break
    }
    case 'named_metrics.requests_in_flight': {
      report.inFlight = value
      break
    }
    case 'named_metrics.latency_ms': {
      report.latencyMs = value
      break
    }
    default:
  }
  return true
}
