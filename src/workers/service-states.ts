import type { ServiceState } from '#src/observe/upstream-metrics.ts'
import { endpointCounts } from './status.ts'
import type { Supervisor } from './supervisor.ts'

/** Backends between two pauses. */
const backendsPerSlice = 128

/**
 * What holds now for each Service; its ports are backends of their own and one row here. Yields empty
 * pieces on its way, so that others get their turn. `now`: monotonic milliseconds.
 */
export function* serviceStates(
  supervisor: Supervisor,
  now: number,
): Generator<string, ServiceState[]> {
  const states = new Map<string, Map<string, MutableState>>()
  let count = 0
  for (const { key, service } of supervisor.feed.table.backends.values()) {
    const { endpoints, requestsInFlight } = endpointCounts(supervisor, key, now)
    const state = stateOf(states, service.namespace, service.name)
    state.inFlight += requestsInFlight
    state.ready += endpoints.ready
    state.draining += endpoints.draining
    state.ejected += endpoints.ejected
    if (++count % backendsPerSlice === 0) yield ''
  }
  const rows: ServiceState[] = []
  for (const services of states.values()) rows.push(...services.values())
  return rows
}

type MutableState = { -readonly [Member in keyof ServiceState]: ServiceState[Member] }

function stateOf(
  states: Map<string, Map<string, MutableState>>,
  namespace: string,
  service: string,
): MutableState {
  let services = states.get(namespace)
  if (services === undefined) states.set(namespace, (services = new Map()))
  let state = services.get(service)
  if (state === undefined) {
    state = { namespace, service, inFlight: 0, ready: 0, draining: 0, ejected: 0 }
    services.set(service, state)
  }
  return state
}
