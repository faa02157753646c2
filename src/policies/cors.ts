import { bool, integer } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { FieldChange } from '#src/exchange/field-change.ts'
import { fieldId } from '#src/exchange/known-fields.ts'
import { anyOrigin, matchesOrigin, originList } from './cors-origins.ts'
import type { OriginPattern } from './cors-origins.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import type { Phases } from './policy.ts'

/** What a rule says about requests of other origins. */
export interface CorsConfig {
  /** Undefined: every origin. */
  readonly origins: readonly OriginPattern[] | undefined
  /** Flat [name, value, …] beside Access-Control-Allow-Origin. */
  readonly fields: readonly string[]
}

/** Words between commas, kept as written. */
function words(expects: string, shape: RegExp): ValueType<string> {
  return {
    expects,
    schema: { pattern: shape.source },
    parse: (text) => (shape.test(text) ? text : undefined),
    format: (text) => text,
  }
}

const methods = words('methods with commas between them', /^[A-Za-z][A-Za-z, ]*$/)
const fieldNames = words('names of header fields with commas between them', /^[-\w][-\w, ]*$/)
const exposedNames = words(
  'names of header fields with commas between them, or *',
  /^[-\w*][-\w*, ]*$/,
)

/** Cross-origin resource sharing (Fetch 3.3): the fields on every answer, and preflights answered here. */
export const cors = policy({
  annotations: {
    'enable-cors': {
      type: bool,
      default: false,
      doc: 'Adds CORS fields to every answer and answers OPTIONS with 204, before any authentication.',
      example: 'true',
      risk: 'low',
      scope: 'path',
      compatibility: 'same',
    },
    'cors-allow-origin': {
      type: originList,
      default: anyOrigin,
      doc: 'Origins that are allowed; * stands for all, *. for one label. A listed origin is sent back, with Vary: Origin, which ingress-nginx leaves out; any other gets no CORS fields.',
      example: 'https://app.example.com,https://*.example.org:8443',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
    },
    'cors-allow-methods': {
      type: methods,
      default: 'GET, PUT, POST, DELETE, PATCH, OPTIONS',
      doc: 'Access-Control-Allow-Methods.',
      example: 'GET, POST',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
    },
    'cors-allow-headers': {
      type: fieldNames,
      default:
        'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
      doc: 'Access-Control-Allow-Headers.',
      example: 'Content-Type, X-Token',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
    },
    'cors-allow-credentials': {
      type: bool,
      default: true,
      doc: 'Whether Access-Control-Allow-Credentials: true is sent.',
      example: 'false',
      risk: 'low',
      scope: 'path',
      compatibility: 'same',
    },
    'cors-expose-headers': {
      type: exposedNames,
      default: '',
      doc: 'Access-Control-Expose-Headers.',
      example: 'X-Total-Count',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
    },
    'cors-max-age': {
      type: integer(-1, 2_147_483_647),
      default: 1_728_000,
      doc: 'Access-Control-Max-Age: how many seconds a preflight holds.',
      example: '600',
      risk: 'low',
      scope: 'path',
      compatibility: 'same',
    },
  },
  options: {},

  configure(values): CorsConfig | undefined {
    if (!values['enable-cors']) return undefined
    const list = values['cors-allow-origin']
    const exposed = values['cors-expose-headers']
    return {
      origins: list === anyOrigin || list.some(({ any }) => any) ? undefined : list,
      fields: [
        ...(values['cors-allow-credentials'] ? ['Access-Control-Allow-Credentials', 'true'] : []),
        'Access-Control-Allow-Methods',
        values['cors-allow-methods'],
        'Access-Control-Allow-Headers',
        values['cors-allow-headers'],
        ...(exposed === '' ? [] : ['Access-Control-Expose-Headers', exposed]),
        'Access-Control-Max-Age',
        String(values['cors-max-age']),
      ],
    }
  },

  start({ origins, fields: pairs }) {
    return origins === undefined ? forEveryOrigin(pairs) : forListedOrigins(origins, pairs)
  },
})

const originField = 'Access-Control-Allow-Origin'
const originId = fieldId('origin')
const varyOrigin = FieldChange.adding(['Vary', 'Origin'])

function forEveryOrigin(pairs: readonly string[]): Phases {
  return {
    requestHead: (exchange) =>
      exchange.request.method === 'OPTIONS' ? exchange.reply({ status: 204 }) : CONTINUE,
    responseChange: FieldChange.setting([originField, '*', ...pairs]),
  }
}

function forListedOrigins(origins: readonly OriginPattern[], pairs: readonly string[]): Phases {
  const changeFor = (origin: string): FieldChange =>
    varyOrigin.followedBy(FieldChange.setting([originField, origin, ...pairs]))
  const exact = origins.filter(({ wildcard }) => !wildcard)
  const named = exact.map(({ scheme, rest }) => scheme + rest)
  /** For a request whose origin reads as the list has it. */
  const changes = named.map(changeFor)
  /** The last other one that is allowed, behind a wildcard or in other letters, and its change. */
  let other = ''
  let otherChange = varyOrigin
  return {
    requestHead(exchange) {
      if (exchange.request.method !== 'OPTIONS') return CONTINUE
      const origin = exchange.request.fields.getSent('origin')
      const allowed = origin !== undefined && matchesOrigin(origins, origin)
      return allowed ? exchange.reply({ status: 204 }) : CONTINUE
    },
    responseChange({ fields }) {
      const at = fields.findSent(originId, 'origin')
      if (at < 0) return varyOrigin
      for (let i = 0; i < named.length; i++) {
        if (fields.hasValue(at, named[i] as string)) return changes[i] as FieldChange
      }
      const origin = fields.valueAt(at)
      if (origin === other) return otherChange
      if (!matchesOrigin(origins, origin)) return varyOrigin
      other = origin
      otherChange = changeFor(origin)
      return otherChange
    },
  }
}
