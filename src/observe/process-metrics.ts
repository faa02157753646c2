import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import { metricPrefix } from './exposition.ts'

/** What the supervisor knows and its metrics show, as of one scrape. */
export interface ProcessState {
  readonly version: string
  readonly ready: boolean
  readonly workersRunning: number
  readonly workersConfigured: number
  /** Restarts by reason. */
  readonly workerRestarts: Readonly<Record<string, number>>
  readonly controlPlaneUp: boolean
  readonly controlPlaneRestarts: Readonly<Record<string, number>>
  readonly tableVersion: number
  /** Findings by severity. */
  readonly diagnostics: Readonly<Record<string, number>>
  readonly endpointSlots: SlotState
  readonly ruleSlots: SlotState
  readonly logLinesDropped: number
}

export interface SlotState {
  readonly used: number
  readonly capacity: number
  /** Things in the table that share the overflow slot. */
  readonly overflowed: number
}

type Sample = readonly [value: number, labels?: Readonly<Record<string, string>>]

interface Row {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly labels?: readonly string[]
  readonly samples: (state: ProcessState) => readonly Sample[]
}

/** Every metric of the supervisor. */
const rows: readonly Row[] = [
  {
    name: 'build_info',
    type: 'gauge',
    help: 'The version that runs; always 1.',
    labels: ['version'],
    samples: ({ version }) => [[1, { version }]],
  },
  {
    name: 'ready',
    type: 'gauge',
    help: 'Whether the process wants traffic.',
    samples: ({ ready }) => [[ready ? 1 : 0]],
  },
  {
    name: 'workers',
    type: 'gauge',
    help: 'Workers of the data plane, by state.',
    labels: ['state'],
    samples: ({ workersRunning, workersConfigured }) => [
      [workersRunning, { state: 'running' }],
      [workersConfigured, { state: 'configured' }],
    ],
  },
  {
    name: 'worker_restarts_total',
    type: 'counter',
    help: 'Workers that were replaced, by reason.',
    labels: ['reason'],
    samples: ({ workerRestarts }) => samplesBy('reason', workerRestarts),
  },
  {
    name: 'control_plane_up',
    type: 'gauge',
    help: 'Whether the control plane runs.',
    samples: ({ controlPlaneUp }) => [[controlPlaneUp ? 1 : 0]],
  },
  {
    name: 'control_plane_restarts_total',
    type: 'counter',
    help: 'Restarts of the control plane, by reason.',
    labels: ['reason'],
    samples: ({ controlPlaneRestarts }) => samplesBy('reason', controlPlaneRestarts),
  },
  {
    name: 'table_version',
    type: 'gauge',
    help: 'Version of the newest compiled table.',
    samples: ({ tableVersion }) => [[tableVersion]],
  },
  {
    name: 'diagnostics',
    type: 'gauge',
    help: 'Findings about the objects in use, by severity.',
    labels: ['severity'],
    samples: ({ diagnostics }) => samplesBy('severity', diagnostics),
  },
  {
    name: 'shared_slots',
    type: 'gauge',
    help: 'Slots of the shared memory, by kind and state.',
    labels: ['kind', 'state'],
    samples: ({ endpointSlots, ruleSlots }) => [
      ...slotSamples('endpoint', endpointSlots),
      ...slotSamples('rule', ruleSlots),
    ],
  },
  {
    name: 'log_lines_dropped_total',
    type: 'counter',
    help: 'Lines of the process log that were dropped as its reader stalled.',
    samples: ({ logLinesDropped }) => [[logLinesDropped]],
  },
]

/** Metrics of the process and the supervisor, by prom-client; `read` is called once a metric and scrape. */
export function createProcessMetrics(read: () => ProcessState): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const row of rows) {
    const { type, help, labels = [] } = row
    const options = { name: metricPrefix + row.name, help, labelNames: [...labels] }
    if (type === 'gauge') {
      const gauge = new Gauge({
        ...options,
        registers: [registry],
        collect() {
          gauge.reset()
          for (const [value, of = {}] of row.samples(read())) gauge.set(of, value)
        },
      })
    } else {
      const counter = new Counter({
        ...options,
        registers: [registry],
        collect() {
          counter.reset()
          for (const [value, of = {}] of row.samples(read())) counter.inc(of, value)
        },
      })
    }
  }
  return registry
}

function samplesBy(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => [value, { [label]: name }])
}

function slotSamples(kind: string, slots: SlotState): Sample[] {
  return [
    [slots.used, { kind, state: 'used' }],
    [slots.capacity, { kind, state: 'capacity' }],
    [slots.overflowed, { kind, state: 'overflowed' }],
  ]
}
