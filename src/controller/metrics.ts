import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { kinds } from '#src/snapshot/objects.ts'
import type { Store } from '#src/snapshot/store.ts'
import { metricPrefix } from '#src/observe/exposition.ts'

const compileBoundsSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

/** The control plane's own metrics. */
export class ControllerMetrics {
  readonly registry = new Registry()
  readonly #compiles: Counter
  readonly #seconds: Histogram
  readonly #lastSuccess: Gauge

  constructor(store: Store) {
    const registers = [this.registry]
    this.#compiles = new Counter({
      name: `${metricPrefix}compiles_total`,
      help: 'Compilations of the table, by result.',
      labelNames: ['result'],
      registers,
    })
    this.#seconds = new Histogram({
      name: `${metricPrefix}compile_duration_seconds`,
      help: 'Time that a compilation of the table takes.',
      buckets: compileBoundsSeconds,
      registers,
    })
    this.#lastSuccess = new Gauge({
      name: `${metricPrefix}last_compile_timestamp_seconds`,
      help: 'When the table was last compiled.',
      registers,
    })
    const objects = new Gauge({
      name: `${metricPrefix}objects`,
      help: 'Objects that the sources hold, by kind.',
      labelNames: ['kind'],
      registers,
      collect() {
        for (const kind of kinds) objects.set({ kind }, store.count(kind))
      },
    })
  }

  compiled(durationMs: number, nowMs: number): void {
    this.#compiles.inc({ result: 'success' })
    this.#seconds.observe(durationMs / 1000)
    this.#lastSuccess.set(nowMs / 1000)
  }

  failed(): void {
    this.#compiles.inc({ result: 'failure' })
  }

  async text(): Promise<string> {
    return await this.registry.metrics()
  }
}
