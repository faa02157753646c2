import { bool } from '#src/annotations/types.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import type { Phases, PolicyExchange } from './policy.ts'
import { statePlaces } from './state-places.ts'
import { templateType, visibleText } from './template.ts'
import type { Template } from './template.ts'
import { traceOptions } from './trace-options.ts'

/** How the trace of a request goes on, or begins. */
export interface TraceContextConfig {
  /** A context that came with the request counts. */
  readonly trust: boolean
  /** Such a context keeps its own decision whether the trace is recorded. */
  readonly parentBased: boolean
  /** Share of traces to record that no context decides about, from 0 to 1. */
  readonly ratio: number
  /** Somebody takes spans of ours. */
  readonly spans: boolean
  /** How they are named; empty: by method and path. */
  readonly spanName: Template
}

/** What is known of a span when its request begins. */
export interface OpenSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string
  readonly traceState: string
  readonly name: Template
  /** Milliseconds since 1970. */
  readonly startMs: number
  /** The context that came with the request, or would have gone on without a span. */
  readonly context: string
}

const otherSpans =
  "one span a request, with attributes by OpenTelemetry's present conventions for HTTP; without otlp-collector-host the trace context is passed on and there are none"

const base = { risk: 'low', scope: 'path', option: true } as const

/** W3C Trace Context (traceparent, tracestate) for upstreams: continued where it is trusted, else begun. */
export const traceContext = policy({
  annotations: {
    'enable-opentelemetry': {
      ...base,
      type: bool,
      default: false,
      doc: 'Gives upstreams a trace context (traceparent), that of the request or a new one, and sends a span for each recorded request to the collector in otlp-collector-host.',
      example: 'true',
      compatibility: { differs: otherSpans },
    },
    'opentelemetry-trust-incoming-span': {
      ...base,
      type: bool,
      default: true,
      doc: 'Whether the trace context of a request is continued; otherwise every request begins a trace.',
      example: 'false',
      compatibility: 'same',
    },
    'opentelemetry-operation-name': {
      type: templateType('text of visible characters, which may hold variables', {
        shape: visibleText,
      }),
      default: [] as Template,
      doc: 'Name of spans, which may hold variables. By default method and path of the rule.',
      example: 'HTTP $request_method $host',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
      option: true,
    },
  },

  options: traceOptions,

  configure(values, { options }): TraceContextConfig | undefined {
    if (!values['enable-opentelemetry']) return undefined
    const sampler = options['otel-sampler']
    const fixed = sampler === 'AlwaysOn' ? 1 : 0
    return {
      trust: values['opentelemetry-trust-incoming-span'],
      parentBased: options['otel-sampler-parent-based'],
      ratio: sampler === 'TraceIdRatioBased' ? options['otel-sampler-ratio'] : fixed,
      spans: options['otlp-collector-host'] !== '',
      spanName: values['opentelemetry-operation-name'],
    }
  },

  start(config) {
    const { spans, spanName } = config
    const phases: Phases = {
      requestHead(exchange) {
        const { fields } = exchange.request
        const sent = config.trust ? onlyParent(fields) : undefined
        if (sent !== undefined && isTraceParent(sent)) {
          const context = config.parentBased ? sent : marked(sent, config.ratio)
          const own = spans ? childSpan(exchange, context, spanName) : undefined
          if (own !== undefined || context !== sent) {
            fields.set('traceparent', own === undefined ? context : contextOf(own, context))
          }
          return CONTINUE
        }
        // A state belongs to the context that it came with.
        fields.remove('tracestate')
        const context = newTrace(exchange, config.ratio)
        if (spans) rootSpan(exchange, context, spanName)
        fields.set('traceparent', context)
        return CONTINUE
      },
    }
    return spans ? { ...phases, end: endSpan } : phases
  },
})

function isSampled(context: string): boolean {
  return (Number.parseInt(context.slice(53, 55), 16) & 1) === 1
}

/** The context that a span hands on. */
function contextOf({ spanId }: OpenSpan, context: string): string {
  return context.slice(0, 36) + spanId + context.slice(52)
}

/** A span of ours within a trace that goes on, where it is recorded. */
function childSpan(
  exchange: PolicyExchange,
  context: string,
  name: Template,
): OpenSpan | undefined {
  if (!isSampled(context)) return undefined
  return beginSpan(exchange, context, {
    spanId: hexDigits(exchange, 2),
    parentId: context.slice(36, 52),
    name,
  })
}

/** The first span of a trace. */
function rootSpan(exchange: PolicyExchange, context: string, name: Template): void {
  if (!isSampled(context)) return
  beginSpan(exchange, context, { spanId: context.slice(36, 52), parentId: '', name })
}

function beginSpan(
  exchange: PolicyExchange,
  context: string,
  ids: Pick<OpenSpan, 'spanId' | 'parentId' | 'name'>,
): OpenSpan {
  const span = {
    ...ids,
    traceId: context.slice(3, 35),
    // Several fields are one list (W3C Trace Context 3.3.1).
    traceState: exchange.request.fields.getJoined('tracestate', ',') ?? '',
    startMs: exchange.wallClock(),
    context,
  }
  exchange.state[statePlaces.span] = span
  return span
}

function endSpan(exchange: PolicyExchange): void {
  const span = exchange.state[statePlaces.span] as OpenSpan | undefined
  if (span === undefined || exchange.recordSpan(span)) return
  // Another rule takes the request over: the span that it begins belongs to the caller's.
  const { fields } = exchange.request
  if (span.parentId === '') fields.remove('traceparent')
  else fields.set('traceparent', span.context)
}

/** Of several contexts nobody knows which holds (W3C Trace Context 3.2): they count as none. */
function onlyParent(fields: Fields): string | undefined {
  let sent: string | undefined
  let count = 0
  fields.forEach((name, value) => {
    if (name.length !== 11 || name.toLowerCase() !== 'traceparent') return
    sent = value
    count++
  })
  return count === 1 ? sent : undefined
}

/** W3C Trace Context 3.2.2: version 00 exactly, later versions with more behind. */
function isTraceParent(text: string): boolean {
  const [, version, trace, parent, rest] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(text) ?? []
  if (version === undefined || version === 'ff') return false
  if (version === '00' && rest !== undefined) return false
  return trace !== '0'.repeat(32) && parent !== '0'.repeat(16)
}

/** The context with our decision in its place; other flags stay. */
function marked(text: string, ratio: number): string {
  const flags = Number.parseInt(text.slice(53, 55), 16)
  const own = isRecorded(text.slice(3, 35), ratio) ? flags | 1 : flags & ~1
  return text.slice(0, 53) + own.toString(16).padStart(2, '0') + text.slice(55)
}

function newTrace(exchange: PolicyExchange, ratio: number): string {
  const trace = hexDigits(exchange, 4)
  return `00-${trace}-${hexDigits(exchange, 2)}-${isRecorded(trace, ratio) ? '01' : '00'}`
}

/** Every proxy and service that sees the id decides alike, for the same ratio. */
function isRecorded(trace: string, ratio: number): boolean {
  return Number.parseInt(trace.slice(-13), 16) / 2 ** 52 < ratio
}

/** Eight digits a draw, not all of them zero. */
function hexDigits(exchange: PolicyExchange, draws: number): string {
  let digits = ''
  for (let i = 0; i < draws; i++) {
    const draw = Math.floor(exchange.random() * 0xffff_ffff) + 1
    digits += draw.toString(16).padStart(8, '0')
  }
  return digits
}
