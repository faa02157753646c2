import { fieldName, path } from '#src/annotations/names.ts'
import type { AnnotationTable, OptionTable } from '#src/annotations/schema.ts'
import { duration } from '#src/annotations/quantities.ts'
import { bool, integer, listOf, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { satisfy } from './access.ts'
import { carriedFieldNames } from './field-lists.ts'
import { serviceUrl } from './service-url.ts'
import { templateType } from './template.ts'
import type { Template } from './template.ts'

/** How long answers with these statuses hold. */
export interface CacheDuration {
  readonly statuses: readonly number[]
  readonly ms: number
}

export interface ExternalAuthValues {
  'auth-url': string
  /** '': GET, without the fields that ingress-nginx sends beside a method that is named. */
  'auth-method': Method | ''
  'auth-signin': Template
  'auth-signin-redirect-param': string
  'auth-response-headers': readonly string[]
  'auth-request-redirect': Template
  'auth-proxy-set-headers': string
  'auth-cache-key': Template
  'auth-cache-duration': readonly CacheDuration[]
  'auth-always-set-cookie': boolean
  'auth-keepalive': number
  'auth-keepalive-share-vars': boolean
  'auth-keepalive-requests': number
  'auth-keepalive-timeout': number
  'enable-global-auth': boolean
  satisfy: 'all' | 'any'
}

/** Groups of statuses and a time, between commas: 200 202 401 5m. */
const durations: ValueType<readonly CacheDuration[]> = {
  expects: 'statuses and how long their answers hold, such as "200 202 5m, 401 1m"',
  schema: {},
  parse(text) {
    const groups: CacheDuration[] = []
    for (const part of text.split(',')) {
      const words = part.trim().split(/\s+/)
      const ms = duration.parse(words.pop() ?? '')
      if (ms === undefined || !words.every((word) => /^[1-5]\d\d$/.test(word))) return undefined
      // nginx: without a status, those of a success and of the usual redirects.
      groups.push({ statuses: words.length === 0 ? [200, 301, 302] : words.map(Number), ms })
    }
    return groups
  },
  format: (groups) =>
    groups.map(({ statuses, ms }) => `${statuses.join(' ')} ${duration.format(ms)}`).join(','),
}

type Method = (typeof methods)[number]
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
const objectName: ValueType<string> = {
  expects: 'the name of a ConfigMap, or namespace/name',
  schema: { pattern: '^(?:[-a-z0-9.]+/)?[-a-z0-9.]+$' },
  parse: (text) => (/^(?:[-a-z0-9.]+\/)?[-a-z0-9.]+$/.test(text) ? text : undefined),
  format: (text) => text,
}

const methodType: ValueType<Method | ''> = { ...oneOf(methods), format: (method) => method }

const base = { scope: 'path', compatibility: 'same' } as const
const kept = 'connections to the authentication service are always kept and shared'
const unused = { scope: 'path', risk: 'low', compatibility: { unused: kept } } as const

export const externalAuthAnnotations: AnnotationTable<ExternalAuthValues> = {
  'auth-url': {
    ...base,
    risk: 'high',
    type: serviceUrl,
    default: '',
    doc: 'Asked before each request: 2xx lets it through, 401 and 403 refuse it, anything else answers 500. Of variables, only $host may stand in the host; $args and $arg_* are of the query of the client, where ingress-nginx knows none.',
    example: 'https://auth.example.com/check',
    closes: true,
  },
  'auth-method': {
    ...base,
    risk: 'low',
    type: methodType,
    default: '',
    doc: 'Method of the request to auth-url, which never has a body; GET without it. Once it is named, X-Original-URI and X-Scheme go along.',
    example: 'POST',
    closes: true,
  },
  'auth-signin': {
    ...base,
    risk: 'high',
    type: templateType('a URL or path, which may hold variables', {
      shape: /^(?:https?:\/\/|\/|\$)[!-~]*$/,
    }),
    default: [],
    doc: 'Where clients are sent (302) when auth-url answers 401, with the URL they asked for in a parameter.',
    example: 'https://sso.example.com/start',
    closes: true,
  },
  'auth-signin-redirect-param': {
    ...base,
    risk: 'medium',
    type: { ...fieldName, expects: 'the name of a parameter' },
    default: 'rd',
    doc: 'Name of that parameter.',
    example: 'return_to',
  },
  'auth-response-headers': {
    ...base,
    risk: 'medium',
    type: carriedFieldNames,
    default: [],
    doc: "Fields of the answer of auth-url that the upstream gets in place of the client's.",
    example: 'X-User,X-Email',
    closes: true,
  },
  'auth-request-redirect': {
    ...base,
    risk: 'medium',
    type: templateType('text with variables', { shape: /^[!-~]+$/ }),
    default: [],
    doc: 'Value of X-Auth-Request-Redirect for auth-url; the target of the request when absent.',
    example: 'https://www.example.com$request_uri',
  },
  'auth-proxy-set-headers': {
    ...base,
    risk: 'medium',
    type: objectName,
    default: '',
    doc: 'A ConfigMap with more fields for the request to auth-url; variables may stand in them.',
    example: 'auth-headers',
    closes: true,
  },
  'auth-cache-key': {
    ...base,
    risk: 'medium',
    type: templateType('text with variables', { shape: /^[ -~]+$/ }),
    default: [],
    doc: 'Keeps answers of auth-url by this key, which must tell clients apart. Each path of a host has answers of its own.',
    example: '$remote_user$http_authorization',
  },
  'auth-cache-duration': {
    ...base,
    risk: 'medium',
    type: durations,
    default: [{ statuses: [200, 202, 401], ms: 300_000 }],
    doc: 'How long answers are kept, by status, unless the service says that itself (X-Accel-Expires, Cache-Control, Expires). With Set-Cookie none is kept; with Vary each for what it names.',
    example: '200 202 10m, 401 1m',
  },
  'auth-always-set-cookie': {
    ...base,
    risk: 'low',
    type: bool,
    default: false,
    doc: "Gives the client the cookies of auth-url's answer whatever status it gets, also when it is refused.",
    example: 'true',
  },
  'auth-keepalive': {
    ...unused,
    type: integer(0, 1_000_000),
    default: 0,
    doc: 'Kept connections.',
    example: '10',
  },
  'auth-keepalive-share-vars': {
    ...unused,
    type: bool,
    default: false,
    doc: 'Shares variables.',
    example: 'true',
  },
  'auth-keepalive-requests': {
    ...unused,
    type: integer(0, 1_000_000),
    default: 1000,
    doc: 'Requests of a kept connection.',
    example: '100',
  },
  'auth-keepalive-timeout': {
    ...unused,
    type: duration,
    default: 60_000,
    doc: 'Idle time of a kept connection.',
    example: '30',
  },
  'enable-global-auth': {
    ...base,
    risk: 'low',
    type: bool,
    default: true,
    doc: 'Whether global-auth-url of the ConfigMap holds for the Ingress. An auth-url of its own takes its place.',
    example: 'false',
  },
  satisfy,
}

export interface ExternalAuthOptions {
  'no-auth-locations': readonly string[]
}

/** Paths that need no authentication. */
export const noAuthOptions: OptionTable<ExternalAuthOptions> = {
  'no-auth-locations': {
    type: listOf(path),
    default: ['/.well-known/acme-challenge'],
    doc: 'Paths of an Ingress that begin with one of these need no authentication.',
    example: '/.well-known/acme-challenge,/health',
    compatibility: 'same',
    emptyIsValue: true,
  },
}
