import type { SpanContext } from '@opentelemetry/api'
import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import type { TracingOptions } from '#src/compile/values/tracing.ts'
import type { Span } from '#src/workers/messages.ts'
import type { Collector } from './span-export.ts'

type ReadableSpan = Parameters<OTLPTraceExporter['export']>[0][number]

/**
 * A collector that speaks OTLP over gRPC without TLS (OpenTelemetry Protocol, OTLP/gRPC). The library is
 * loaded when it is first needed: most installations never need it. Headers and limits that the
 * OTEL_EXPORTER_OTLP_* variables of the environment ask for hold.
 */
export async function connectCollector(tracing: TracingOptions): Promise<Collector> {
  const [{ OTLPTraceExporter: Exporter }, { resourceFromAttributes }, api] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-grpc'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/api'),
  ])
  const host = tracing.host.includes(':') ? `[${tracing.host}]` : tracing.host
  const exporter = new Exporter({ url: `http://${host}:${tracing.port}` })
  const resource = resourceFromAttributes({ 'service.name': tracing.serviceName })
  const common = {
    kind: api.SpanKind.SERVER,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'headgate' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
  const readable = (span: Span): ReadableSpan => {
    const { traceId, spanId, parentId, traceState, name, startMs, durationMs, attributes } = span
    const traceFlags = api.TraceFlags.SAMPLED
    const state = traceState === '' ? {} : { traceState: api.createTraceState(traceState) }
    const context: SpanContext = { traceId, spanId, traceFlags, ...state }
    const parent = { traceId, spanId: parentId, traceFlags, isRemote: true }
    return {
      ...common,
      name,
      spanContext: () => context,
      ...(parentId === '' ? {} : { parentSpanContext: parent }),
      startTime: secondsAndNanos(startMs),
      endTime: secondsAndNanos(startMs + durationMs),
      duration: secondsAndNanos(durationMs),
      status: { code: span.failed ? api.SpanStatusCode.ERROR : api.SpanStatusCode.UNSET },
      attributes,
    }
  }
  return {
    async send(spans) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      exporter.export(spans.map(readable), ({ code, error }) => {
        const result: number = code
        if (result === 0) resolve()
        else reject(error ?? new Error('the collector did not take them'))
      })
      await promise
    },
    async close() {
      await exporter.shutdown()
    },
  }
}

function secondsAndNanos(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}
