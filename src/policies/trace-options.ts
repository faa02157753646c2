import { optionTable } from '#src/annotations/schema.ts'
import { bool, integer, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'

const samplers = ['AlwaysOn', 'AlwaysOff', 'TraceIdRatioBased'] as const

const share: ValueType<number> = {
  expects: 'a number from 0 to 1, such as 0.05',
  schema: { pattern: '^(?:0|1|0?\\.\\d+|1\\.0+|0\\.\\d*)$' },
  parse(text) {
    const value = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN
    return value >= 0 && value <= 1 ? value : undefined
  },
  format: String,
}

const hostOrAddress: ValueType<string> = {
  expects: 'a host name or an IP address, without a port',
  schema: { pattern: '^[-.:\\[\\]_0-9A-Za-z]*$' },
  parse(text) {
    const bare = text.replace(/^\[(.*)\]$/, '$1')
    const host = bare.includes(':') ? `[${bare}]` : bare
    return /^[-.\w]+$|^\[[0-9a-f:.]+\]$/i.test(host) && URL.canParse(`http://${host}/`)
      ? bare
      : undefined
  },
  format: (text) => text,
}

const serviceName: ValueType<string> = {
  expects: 'text of 1 to 255 characters',
  schema: { pattern: '^.{1,255}$' },
  parse: (text) => (text.length > 0 && text.length <= 255 ? text : undefined),
  format: (text) => text,
}

/** Keys of the ConfigMap about which traces are recorded, and where spans go. */
export const traceOptions = optionTable({
  'otel-sampler': {
    type: oneOf(samplers),
    default: 'AlwaysOn',
    doc: 'Which traces that begin here are recorded: all, none, or the share of otel-sampler-ratio.',
    example: 'TraceIdRatioBased',
    compatibility: 'same',
  },
  'otel-sampler-ratio': {
    type: share,
    default: 0.01,
    doc: 'Share of traces that TraceIdRatioBased records.',
    example: '0.5',
    compatibility: 'same',
  },
  'otel-sampler-parent-based': {
    type: bool,
    default: true,
    doc: 'Whether a trace context that is continued keeps its own mark.',
    example: 'false',
    compatibility: 'same',
  },
  'otlp-collector-host': {
    type: hostOrAddress,
    default: '',
    doc: 'Host of the OpenTelemetry collector that spans are sent to, by OTLP over gRPC without TLS. Without it there are no spans of our own.',
    example: 'otel-collector.observability.svc',
    compatibility: 'same',
  },
  'otlp-collector-port': {
    type: integer(1, 65_535),
    default: 4317,
    doc: 'Port of the collector.',
    example: '14317',
    compatibility: 'same',
  },
  'otel-service-name': {
    type: serviceName,
    default: 'headgate',
    doc: 'The name under which spans are found (service.name). ingress-nginx: nginx.',
    example: 'edge',
    compatibility: 'same',
  },
  'otel-max-queuesize': {
    type: integer(1, 65_536),
    default: 2048,
    doc: 'Spans that wait to be sent; what comes beyond is dropped and counted.',
    example: '4096',
    compatibility: 'same',
  },
  'otel-schedule-delay-millis': {
    type: integer(1, 600_000),
    default: 5000,
    doc: 'The longest time in milliseconds that a span waits before it is sent.',
    example: '1000',
    compatibility: 'same',
  },
  'otel-max-export-batch-size': {
    type: integer(1, 65_536),
    default: 512,
    doc: 'Spans in one message to the collector; so many are sent at once.',
    example: '256',
    compatibility: 'same',
  },
  'opentelemetry-location-operation-name': {
    type: serviceName,
    default: '',
    doc: 'Name of spans of locations.',
    example: 'HTTP $request_method $uri',
    compatibility: { unused: 'a request has one span, which opentelemetry-operation-name names' },
  },
  'opentelemetry-config': {
    type: serviceName,
    default: '',
    doc: "File of the nginx module's settings.",
    example: '/etc/ingress-controller/telemetry/opentelemetry.toml',
    compatibility: { unused: 'no file is read; the keys otlp-* and otel-* say it all' },
  },
})
