import { bool, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import type { PolicyExchange } from './policy.ts'

/** How the trace of a request goes on, or begins. */
export interface TraceContextConfig {
  /** A context that came with the request counts. */
  readonly trust: boolean
  /** Such a context keeps its own decision whether the trace is recorded. */
  readonly parentBased: boolean
  /** Share of traces to record that no context decides about, from 0 to 1. */
  readonly ratio: number
}

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

const withoutSpans =
  'trace context is passed on, or begun, in traceparent; spans of our own are not exported'

const base = { risk: 'low', scope: 'path', option: true } as const

/** W3C Trace Context (traceparent, tracestate) for upstreams: continued where it is trusted, else begun. */
export const traceContext = policy({
  annotations: {
    'enable-opentelemetry': {
      ...base,
      type: bool,
      default: false,
      doc: 'Gives upstreams a trace context (traceparent): that of the request, or a new one.',
      example: 'true',
      compatibility: { differs: withoutSpans },
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
      type: {
        expects: 'text',
        schema: {},
        parse: (text: string) => text,
        format: (text: string) => text,
      },
      default: '',
      doc: 'Name of spans.',
      example: 'shop-web',
      risk: 'medium',
      scope: 'path',
      compatibility: { unused: 'it names spans, and spans of our own are not exported' },
      option: true,
    },
  },

  options: {
    'otel-sampler': {
      type: oneOf(samplers),
      default: 'AlwaysOn',
      doc: 'Which traces that begin here are marked for recording: all, none, or the share of otel-sampler-ratio.',
      example: 'TraceIdRatioBased',
      compatibility: 'same',
    },
    'otel-sampler-ratio': {
      type: share,
      default: 0.01,
      doc: 'Share of traces that TraceIdRatioBased marks.',
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
  },

  configure(values, { options }): TraceContextConfig | undefined {
    if (!values['enable-opentelemetry']) return undefined
    const sampler = options['otel-sampler']
    const fixed = sampler === 'AlwaysOn' ? 1 : 0
    return {
      trust: values['opentelemetry-trust-incoming-span'],
      parentBased: options['otel-sampler-parent-based'],
      ratio: sampler === 'TraceIdRatioBased' ? options['otel-sampler-ratio'] : fixed,
    }
  },

  start(config) {
    return {
      requestHead(exchange) {
        const { fields } = exchange.request
        const sent = config.trust ? onlyParent(fields) : undefined
        if (sent !== undefined && isTraceParent(sent)) {
          if (!config.parentBased) fields.set('traceparent', marked(sent, config.ratio))
          return CONTINUE
        }
        // A state belongs to the context that it came with.
        fields.remove('tracestate')
        fields.set('traceparent', newTrace(exchange, config.ratio))
        return CONTINUE
      },
    }
  },
})

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
