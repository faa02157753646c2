import { familyHead, labelText, sample } from './exposition.ts'
import type { MetricType } from './exposition.ts'

/** What is counted per Service. */
export interface ServiceSample {
  readonly namespace: string
  readonly service: string
  readonly requests: number
  readonly failures: number
  readonly connectFailures: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** What holds now per Service. */
export interface ServiceState {
  readonly namespace: string
  readonly service: string
  readonly inFlight: number
  readonly ready: number
  readonly draining: number
  readonly ejected: number
}

interface Family<Row> {
  readonly name: string
  readonly type: MetricType
  readonly help: string
  readonly value: (row: Row) => number
}

const sums: readonly Family<ServiceSample>[] = [
  {
    name: 'upstream_requests_total',
    type: 'counter',
    help: 'Tries at endpoints, by Service.',
    value: ({ requests }) => requests,
  },
  {
    name: 'upstream_failures_total',
    type: 'counter',
    help: 'Tries that failed without a usable response, by Service.',
    value: ({ failures }) => failures,
  },
  {
    name: 'upstream_connect_failures_total',
    type: 'counter',
    help: 'Connections to endpoints that could not be opened, by Service.',
    value: ({ connectFailures }) => connectFailures,
  },
  {
    name: 'upstream_sent_bytes_total',
    type: 'counter',
    help: 'Bytes of bodies sent to endpoints, by Service.',
    value: ({ bytesSent }) => bytesSent,
  },
  {
    name: 'upstream_received_bytes_total',
    type: 'counter',
    help: 'Bytes of bodies received from endpoints, by Service.',
    value: ({ bytesReceived }) => bytesReceived,
  },
]

const endpointStates = ['ready', 'draining', 'ejected'] as const

/** The families of upstreams, one piece a family and Service. */
export function* upstreamMetrics(
  samples: readonly ServiceSample[],
  states: readonly ServiceState[],
): Generator<string, void> {
  for (const { name, type, help, value } of sums) {
    yield familyHead(name, type, help)
    for (const row of samples) yield sample(name, serviceLabels(row), value(row))
  }
  yield familyHead('upstream_requests_in_flight', 'gauge', 'Tries under way, by Service.')
  for (const row of states) {
    yield sample('upstream_requests_in_flight', serviceLabels(row), row.inFlight)
  }
  yield familyHead('upstream_endpoints', 'gauge', 'Endpoints by Service and state.')
  for (const row of states) {
    for (const state of endpointStates) {
      yield sample('upstream_endpoints', `${serviceLabels(row)},state="${state}"`, row[state])
    }
  }
}

function serviceLabels({ namespace, service }: { namespace: string; service: string }): string {
  return labelText({ namespace, service })
}
