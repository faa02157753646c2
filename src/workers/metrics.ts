import type { ProcessState } from '#src/observe/process-metrics.ts'
import { routeMetrics } from '#src/observe/route-metrics.ts'
import { upstreamMetrics } from '#src/observe/upstream-metrics.ts'
import { workerMetrics } from '#src/observe/worker-metrics.ts'
import { RouteSeriesCache } from './route-series.ts'
import { serviceStates } from './service-states.ts'
import { endReasons } from './supervised-thread.ts'
import type { Supervisor } from './supervisor.ts'

/** The families in shared memory. */
export class SharedMetrics {
  readonly #supervisor: Supervisor
  readonly #series: RouteSeriesCache

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor
    this.#series = new RouteSeriesCache(supervisor.feed)
  }

  /** In pieces, some of them empty: whoever sends them can pause after any. `now`: monotonic milliseconds. */
  *pieces(now: number): Generator<string, void> {
    const { memory, upstreamTotals } = this.#supervisor
    yield* workerMetrics(memory.workers)
    const states = yield* serviceStates(this.#supervisor, now)
    yield* upstreamMetrics(upstreamTotals.sums(), states)
    const series = yield* this.#series.get()
    yield* routeMetrics(memory.rules, series)
  }
}

/** What the supervisor's own metrics show. */
export function processState(
  supervisor: Supervisor,
  version: string,
  logLinesDropped: number,
): ProcessState {
  const { controlPlane, feed, memory, pool } = supervisor
  const workers = pool.status()
  const restarts = endReasons.map((reason): [string, number] => [
    reason,
    workers.reduce((sum, worker) => sum + worker.restarts[reason], 0),
  ])
  return {
    version,
    ready: supervisor.ready,
    workersRunning: workers.filter(({ state }) => state === 'running').length,
    workersConfigured: workers.length,
    workerRestarts: Object.fromEntries(restarts),
    controlPlaneUp: controlPlane.running,
    controlPlaneRestarts: controlPlane.restarts,
    tableVersion: feed.version,
    diagnostics: { ...controlPlane.diagnosticCounts },
    endpointSlots: {
      used: feed.endpointSlots.used,
      capacity: memory.endpoints.capacity,
      overflowed: feed.endpointSlots.overflowed,
    },
    ruleSlots: {
      used: feed.ruleSlots.used,
      capacity: memory.rules.capacity,
      overflowed: feed.ruleSlots.overflowed,
    },
    logLinesDropped,
  }
}
