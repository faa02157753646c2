import { sumOfSlot } from '#src/shared/endpoint-memory.ts'
import { ruleCells } from '#src/shared/rule-memory.ts'
import type { Host, Rule, WeightedBackend, StreamRoute } from '#src/table/table.ts'
import type { DiagnosticCounts, SourceStatus } from './messages.ts'
import type { Supervisor } from './supervisor.ts'
import type { WorkerStatus } from './worker-pool.ts'

/** What /api/status answers. */
export interface Status {
  readonly version: string
  readonly startedAt: string
  readonly ready: boolean
  readonly draining: boolean
  /** Version of the newest compiled table; 0: none yet. */
  readonly table: number
  readonly workers: readonly WorkerStatus[]
  readonly controlPlane: {
    readonly running: boolean
    readonly restarts: Readonly<Record<string, number>>
  }
  /** Whether this replica leads; absent without a cluster. */
  readonly leader?: boolean
  readonly sources: readonly SourceStatus[]
  readonly diagnostics: DiagnosticCounts
}

export function statusOf(supervisor: Supervisor, version: string, startedAt: Date): Status {
  const { controlPlane, feed, pool } = supervisor
  return {
    version,
    startedAt: startedAt.toISOString(),
    ready: supervisor.ready,
    draining: supervisor.draining,
    table: feed.version,
    workers: pool.status(),
    controlPlane: { running: controlPlane.running, restarts: controlPlane.restarts },
    ...(controlPlane.leading === undefined ? {} : { leader: controlPlane.leading }),
    sources: controlPlane.sources,
    diagnostics: controlPlane.diagnosticCounts,
  }
}

/** One route of /api/routes. */
export interface RouteStatus {
  readonly host: string
  readonly path: string
  readonly pathType: string
  readonly tls: boolean
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string }
  readonly policies: readonly string[]
  readonly backends: readonly BackendStatus[]
  /** Answers by class of status, since the route came into being. */
  readonly responses: Readonly<Record<string, number>>
}

export interface BackendStatus {
  readonly service: string
  readonly weight: number
  readonly algorithm: string
  readonly endpoints: {
    readonly ready: number
    readonly draining: number
    readonly ejected: number
  }
  readonly requestsInFlight: number
}

/** The JSON text of /api/routes, in pieces of one route each. */
export function* routesJson(supervisor: Supervisor, now: number): Generator<string, void> {
  const { listeners, hosts } = supervisor.feed.table
  let before = '['
  for (const { port, stream } of listeners.values()) {
    if (stream === undefined) continue
    const place = { host: `:${port}`, pathType: 'tcp', tls: false } as const
    yield `${before}\n  ${JSON.stringify(streamStatus(supervisor, place, stream, now))}`
    before = ','
  }
  for (const host of hosts.values()) {
    if (host.passthrough !== undefined) {
      const place = { host: host.pattern, pathType: 'tls-passthrough', tls: true } as const
      yield `${before}\n  ${JSON.stringify(streamStatus(supervisor, place, host.passthrough, now))}`
      before = ','
    }
    for (const rule of host.rules) {
      yield `${before}\n  ${JSON.stringify(routeStatus(supervisor, host, rule, now))}`
      before = ','
    }
  }
  yield before === '[' ? '[]\n' : '\n]\n'
}

/** A stream as a route that has no path: it counts connections, and no answers. */
function streamStatus(
  supervisor: Supervisor,
  place: Pick<RouteStatus, 'host' | 'pathType' | 'tls'>,
  { origin, ...use }: StreamRoute,
  now: number,
): RouteStatus {
  const { kind, namespace, name } = origin
  return {
    ...place,
    path: '',
    object: { kind, namespace, name },
    policies: [],
    backends: [backendStatus(supervisor, { ...use, weight: 1 }, now)],
    responses: {},
  }
}

function routeStatus(supervisor: Supervisor, host: Host, rule: Rule, now: number): RouteStatus {
  const { kind, namespace, name } = rule.origin
  return {
    host: host.pattern,
    path: rule.pathText,
    pathType: rule.path.type,
    tls: host.tls,
    object: { kind, namespace, name },
    policies: rule.policies.map((policy) => policy.name),
    backends: rule.backends.map((use) => backendStatus(supervisor, use, now)),
    responses: responsesOf(supervisor, rule),
  }
}

const statusNames = ['client-gone', '1xx', '2xx', '3xx', '4xx', '5xx']

function responsesOf({ memory, feed }: Supervisor, rule: Rule): Record<string, number> {
  const slot = feed.ruleSlots.slotOf(rule.key)
  if (slot === undefined) return {}
  const row = memory.rules.emptyRow()
  memory.rules.addInto(row, slot)
  return Object.fromEntries(
    statusNames.map((name, i) => [name, row[ruleCells.status + i] as number]),
  )
}

function backendStatus(
  supervisor: Supervisor,
  use: Pick<WeightedBackend, 'backend' | 'service' | 'weight' | 'balance'>,
  now: number,
): BackendStatus {
  const { endpoints, requestsInFlight } = endpointCounts(supervisor, use.backend, now)
  return {
    service: use.service,
    weight: use.weight,
    algorithm: use.balance.algorithm,
    endpoints,
    requestsInFlight,
  }
}

/** Counts of one backend's endpoints as of `now` (monotonic milliseconds). */
export function endpointCounts(
  { feed, memory }: Supervisor,
  key: string,
  now: number,
): { endpoints: BackendStatus['endpoints']; requestsInFlight: number } {
  const endpoints = { ready: 0, draining: 0, ejected: 0 }
  let requestsInFlight = 0
  const slots = feed.slotsOf(key)
  for (const [i, endpoint] of (feed.table.backends.get(key)?.endpoints ?? []).entries()) {
    const slot = slots[i] ?? 0
    if (slot > 0) requestsInFlight += sumOfSlot(memory.endpoints, memory.endpoints.inFlight, slot)
    const ejected = slot > 0 && (memory.endpoints.ejectedUntil[slot] as number) > now
    endpoints[ejected ? 'ejected' : endpoint.state]++
  }
  return { endpoints, requestsInFlight }
}
