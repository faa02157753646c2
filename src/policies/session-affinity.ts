import { pathBytes } from '#algorithms/match/canonical-path.ts'
import { fieldName, hostname } from '#src/annotations/names.ts'
import type { AnnotationTable } from '#src/annotations/schema.ts'
import { bool, integer, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { escapePath } from './path-escapes.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import type { PolicyExchange } from './policy.ts'
import { mishandlesSameSiteNone } from './same-site.ts'

/** The cookie that keeps a client at one endpoint. */
export interface SessionAffinityConfig {
  readonly cookie: string
  /** An endpoint that is added takes over its share of the sessions. */
  readonly balanced: boolean
  readonly path: string
  /** '' for none. */
  readonly domain: string
  readonly sameSite: '' | 'None' | 'Lax' | 'Strict'
  /** SameSite=None is left out for browsers that mishandle it. */
  readonly conditionalNone: boolean
  /** Also over plain HTTP; over HTTPS the cookie is always marked Secure. */
  readonly secure: boolean
  /** Seconds; undefined: a cookie of the browser's session. */
  readonly expires: number | undefined
  readonly maxAge: number | undefined
  readonly changeOnFailure: boolean
}

const secondsMax = 10 * 365 * 86_400
const none = -secondsMax - 1
const seconds: ValueType<number> = {
  ...integer(-secondsMax, secondsMax),
  format: (value) => (value === none ? '' : String(value)),
}
const sameSite = oneOf(['None', 'Lax', 'Strict'])

const cookiePath: ValueType<string> = {
  expects: 'a path that begins with /, escaped where it is not ASCII, without ? # ; and commas',
  schema: { pattern: '^/[!-~]*$' },
  parse: (text) => (/^\/[!-~]*$/.test(text) && !/[?#;,]/.test(text) ? text : undefined),
  format: (text) => text,
}

const domain: ValueType<string> = {
  ...hostname,
  parse: (text) => hostname.parse(text.replace(/^\./, '')),
}

interface Values {
  affinity: 'cookie' | 'none'
  'affinity-mode': 'balanced' | 'persistent'
  'session-cookie-name': string
  'session-cookie-path': string
  'session-cookie-domain': string
  'session-cookie-samesite': '' | 'None' | 'Lax' | 'Strict'
  'session-cookie-conditional-samesite-none': boolean
  'session-cookie-secure': boolean
  'session-cookie-expires': number
  'session-cookie-max-age': number
  'session-cookie-change-on-failure': boolean
}

const plain = { risk: 'low', scope: 'path', compatibility: 'same' } as const
const medium = { ...plain, risk: 'medium' } as const

const annotations: AnnotationTable<Values> = {
  affinity: {
    ...plain,
    type: oneOf(['cookie', 'none']),
    default: 'none',
    doc: 'With cookie, clients stay at the endpoint that served them first, by a cookie.',
    example: 'cookie',
  },
  'affinity-mode': {
    ...medium,
    type: oneOf(['balanced', 'persistent']),
    default: 'balanced',
    doc: 'With balanced an endpoint that is added takes its share of the sessions from the others, with persistent a session stays while its endpoint lives. In both it stays while that drains, and new ones go to the less busy endpoints.',
    example: 'persistent',
  },
  'session-cookie-name': {
    ...medium,
    type: { ...fieldName, expects: 'the name of a cookie' },
    default: 'INGRESSCOOKIE',
    doc: 'Name of the cookie.',
    example: 'SERVERID',
  },
  'session-cookie-path': {
    ...medium,
    type: cookiePath,
    default: '',
    doc: 'Path of the cookie; that of the route when absent. Needed beside paths that are regular expressions.',
    example: '/app',
  },
  'session-cookie-domain': {
    ...medium,
    type: domain,
    default: '',
    doc: 'Domain of the cookie.',
    example: 'example.com',
  },
  'session-cookie-samesite': {
    ...plain,
    type: sameSite,
    default: '',
    doc: 'SameSite attribute of the cookie.',
    example: 'Lax',
  },
  'session-cookie-conditional-samesite-none': {
    ...plain,
    type: bool,
    default: false,
    doc: 'Leaves SameSite=None out for browsers that are known to mishandle it.',
    example: 'true',
  },
  'session-cookie-secure': {
    ...plain,
    type: bool,
    default: false,
    doc: 'Marks the cookie Secure even over plain HTTP. Over HTTPS it always is.',
    example: 'true',
  },
  'session-cookie-expires': {
    ...medium,
    type: seconds,
    default: none,
    doc: 'Adds an Expires date, so many seconds ahead.',
    example: '172800',
  },
  'session-cookie-max-age': {
    ...medium,
    type: seconds,
    default: none,
    doc: 'Adds Max-Age, in seconds.',
    example: '172800',
  },
  'session-cookie-change-on-failure': {
    ...plain,
    type: bool,
    default: false,
    doc: 'A session moves for good when its endpoint fails; otherwise it comes back once the endpoint is well.',
    example: 'true',
  },
}

/** Session affinity by cookie. Which endpoint a session has is decided where endpoints are picked. */
export const sessionAffinity = policy({
  annotations,
  options: {},

  configure(values, { path: rulePath }): SessionAffinityConfig | undefined {
    if (values.affinity === 'none') return undefined
    const expires = values['session-cookie-expires']
    const maxAge = values['session-cookie-max-age']
    return {
      cookie: values['session-cookie-name'],
      balanced: values['affinity-mode'] === 'balanced',
      path: values['session-cookie-path'] || cookiePathOf(rulePath),
      domain: values['session-cookie-domain'],
      sameSite: values['session-cookie-samesite'],
      conditionalNone: values['session-cookie-conditional-samesite-none'],
      secure: values['session-cookie-secure'],
      expires: expires === none ? undefined : expires,
      maxAge: maxAge === none ? undefined : maxAge,
      changeOnFailure: values['session-cookie-change-on-failure'],
    }
  },

  start(config) {
    const { cookie, changeOnFailure } = config
    const domainPart = config.domain === '' ? '' : `; Domain=${config.domain}`
    const agePart = config.maxAge === undefined ? '' : `; Max-Age=${config.maxAge}`
    const end = `; Path=${config.path}${domainPart}${agePart}; HttpOnly`
    return {
      responseHead(exchange) {
        const value = exchange.newSession(changeOnFailure)
        if (value === '') return CONTINUE
        const text = `${cookie}=${value}${end}${variablePart(config, exchange)}`
        exchange.response?.fields.append('Set-Cookie', text)
        return CONTINUE
      },
    }
  },
})

/**
 * The path of a rule as browsers compare it, with its bytes escaped that are no visible ASCII. Some
 * characters would end the attribute.
 */
function cookiePathOf(rulePath: string): string {
  const path = pathBytes(rulePath).replaceAll(/[^!-~]/g, escapePath)
  return cookiePath.parse(path) ?? '/'
}

/** What depends on the client or the time. */
function variablePart(config: SessionAffinityConfig, exchange: PolicyExchange): string {
  let text = config.secure || exchange.scheme === 'https' ? '; Secure' : ''
  if (config.expires !== undefined) {
    const at = new Date(exchange.wallClock() + config.expires * 1000)
    text += `; Expires=${at.toUTCString()}`
  }
  const omitted =
    config.sameSite === 'None' &&
    config.conditionalNone &&
    mishandlesSameSiteNone(exchange.request.fields.getSent('user-agent') ?? '')
  return config.sameSite === '' || omitted ? text : `${text}; SameSite=${config.sameSite}`
}
