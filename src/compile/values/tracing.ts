import type { ValuesOf } from '#src/annotations/schema.ts'
import type { traceOptions } from '#src/policies/trace-options.ts'

/** Where spans go, and how. */
export interface TracingOptions {
  /** Name or address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
  readonly serviceName: string
  /** Spans that wait at most. */
  readonly queueMax: number
  /** Milliseconds that a span waits at most. */
  readonly delayMs: number
  /** Spans in one message. */
  readonly batchMax: number
}

/** Undefined: nobody takes spans. */
export function tracingOf(values: ValuesOf<typeof traceOptions>): TracingOptions | undefined {
  const host = values['otlp-collector-host']
  if (host === '') return undefined
  const queueMax = values['otel-max-queuesize']
  return {
    host,
    port: values['otlp-collector-port'],
    serviceName: values['otel-service-name'],
    queueMax,
    delayMs: values['otel-schedule-delay-millis'],
    batchMax: Math.min(values['otel-max-export-batch-size'], queueMax),
  }
}
