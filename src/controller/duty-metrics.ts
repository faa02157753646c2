import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import type { EventResult } from '#src/feedback/events.ts'
import type { StatusResult } from '#src/feedback/ingress-status.ts'
import { metricPrefix } from '#src/observe/exposition.ts'

/** Metrics of what a replica does for the cluster. */
export class DutyMetrics {
  readonly countStatus: (result: StatusResult) => void
  readonly countEvent: (result: EventResult) => void

  constructor(registry: Registry, leading: () => boolean) {
    const registers = [registry]
    const leader = new Gauge({
      name: `${metricPrefix}leader`,
      help: 'Whether this replica leads.',
      registers,
      collect() {
        leader.set(leading() ? 1 : 0)
      },
    })
    const status = new Counter({
      name: `${metricPrefix}status_writes_total`,
      help: 'Writes of the status of an Ingress, by result.',
      labelNames: ['result'],
      registers,
    })
    const events = new Counter({
      name: `${metricPrefix}events_total`,
      help: 'Events about objects, by result.',
      labelNames: ['result'],
      registers,
    })
    this.countStatus = (result) => {
      status.inc({ result })
    }
    this.countEvent = (result) => {
      events.inc({ result })
    }
  }
}
