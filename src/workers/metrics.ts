import { labelText } from '#src/observe/exposition.ts'
import type { ProcessState } from '#src/observe/process-metrics.ts'
import { routeMetrics } from '#src/observe/route-metrics.ts'
import type { RouteSeries } from '#src/observe/route-metrics.ts'
import { upstreamMetrics } from '#src/observe/upstream-metrics.ts'
import type { ServiceState } from '#src/observe/upstream-metrics.ts'
import { workerMetrics } from '#src/observe/worker-metrics.ts'
import { overflowSlot } from '#src/shared/columns.ts'
import { tupleKey } from '#src/table/keys.ts'
import { endReasons } from './supervised-thread.ts'
import { endpointCounts } from './status.ts'
import type { Supervisor } from './supervisor.ts'

/** The families in shared memory, in pieces: see `routeMetrics`. */
export class SharedMetrics {
  readonly #supervisor: Supervisor
  #series: readonly RouteSeries[] = []
  /** Version that the series were made for. */
  #seriesVersion = -1

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor
  }

  /** `now`: monotonic milliseconds. */
  *pieces(now: number): Generator<string, void> {
    const { memory, upstreamTotals } = this.#supervisor
    yield* workerMetrics(memory.workers)
    yield* upstreamMetrics(upstreamTotals.sums(), this.#serviceStates(now))
    yield* routeMetrics(memory.rules, this.#routeSeries())
  }

  #serviceStates(now: number): ServiceState[] {
    const states = new Map<string, ServiceState>()
    for (const { key, service: origin } of this.#supervisor.feed.table.backends.values()) {
      const { namespace, name: service } = origin
      const { endpoints, requestsInFlight } = endpointCounts(this.#supervisor, key, now)
      // Ports of one Service are backends of their own and one row here.
      const name = tupleKey(namespace, service)
      const known = states.get(name)
      states.set(name, {
        namespace,
        service,
        inFlight: (known?.inFlight ?? 0) + requestsInFlight,
        ready: (known?.ready ?? 0) + endpoints.ready,
        draining: (known?.draining ?? 0) + endpoints.draining,
        ejected: (known?.ejected ?? 0) + endpoints.ejected,
      })
    }
    return [...states.values()]
  }

  /** Rules with the same labels are one series: two of one name would spoil the whole scrape. */
  #routeSeries(): readonly RouteSeries[] {
    const { feed } = this.#supervisor
    if (this.#seriesVersion === feed.version) return this.#series
    const slotsByLabels = new Map<string, number[]>()
    for (const { pattern, rules } of feed.table.hosts.values()) {
      for (const { key, origin, pathText } of rules) {
        const slot = feed.ruleSlots.slotOf(key)
        if (slot === undefined) continue
        const { namespace, name } = origin
        const labels = labelText({ namespace, ingress: name, host: pattern, path: pathText })
        const slots = slotsByLabels.get(labels)
        if (slots === undefined) slotsByLabels.set(labels, [slot])
        else slots.push(slot)
      }
    }
    const overflow = labelText({ namespace: '', ingress: '(overflow)', host: '', path: '' })
    slotsByLabels.set(overflow, [overflowSlot])
    this.#series = [...slotsByLabels].map(([labels, slots]) => ({ labels, slots }))
    this.#seriesVersion = feed.version
    return this.#series
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
