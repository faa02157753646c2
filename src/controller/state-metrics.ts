import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { metricPrefix } from '#src/observe/exposition.ts'
import type { KeptSource } from '#src/sources/state/kept-source.ts'

/** Adds the metrics of the state folder. */
export function addStateMetrics(registry: Registry, source: KeptSource): void {
  const registers = [registry]
  const { saver } = source
  const gauge = (name: string, help: string, value: () => number): void => {
    const metric = new Gauge({
      name: `${metricPrefix}${name}`,
      help,
      registers,
      collect() {
        metric.set(value())
      },
    })
  }
  gauge(
    'state_restored',
    '1 while the last good state is served because its source has not been read yet.',
    () => (source.status.restored === undefined ? 0 : 1),
  )
  gauge(
    'state_saved_timestamp_seconds',
    'When the state that is on disk was made; 0 before the first time.',
    () => (saver.last?.savedMs ?? 0) / 1000,
  )
  gauge('state_bytes', 'Size of the state on disk.', () => saver.last?.bytes ?? 0)
  gauge(
    'state_secrets_left_out',
    'Secrets that are not in the state on disk, for want of a key.',
    () => saver.last?.secretsLeftOut ?? 0,
  )
  const saves = new Counter({
    name: `${metricPrefix}state_saves_total`,
    help: 'Writes of the state, by result.',
    labelNames: ['result'],
    registers,
    collect() {
      saves.reset()
      saves.inc({ result: 'success' }, saver.saves)
      saves.inc({ result: 'failure' }, saver.failures)
    },
  })
}
