import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { metricPrefix } from '#src/observe/exposition.ts'
import type { SpanExport } from './span-export.ts'

/** Adds the metrics of spans on their way to the collector. */
export function addSpanMetrics(registry: Registry, spans: SpanExport): void {
  const registers = [registry]
  const results = new Counter({
    name: `${metricPrefix}trace_export_spans_total`,
    help: 'Spans for the collector, by result.',
    labelNames: ['result'],
    registers,
    collect() {
      results.reset()
      for (const [result, count] of Object.entries(spans.counts)) results.inc({ result }, count)
    },
  })
  const waiting = new Gauge({
    name: `${metricPrefix}trace_export_queue_spans`,
    help: 'Spans that wait to be sent.',
    registers,
    collect() {
      waiting.set(spans.waiting)
    },
  })
}
