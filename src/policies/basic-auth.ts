import type { AnnotationTable } from '#src/annotations/schema.ts'
import { oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { allow, deny, satisfy } from './access.ts'
import { noAuthOptions } from './external-auth-annotations.ts'
import type { ExternalAuthOptions } from './external-auth-annotations.ts'
import { PasswordChecks } from './passwords/checks.ts'
import { hashProblem } from './passwords/verify.ts'
import { policy } from './policy-definition.ts'
import type { RouteContext } from './policy-definition.ts'
import { CONTINUE, SUSPEND } from './policy.ts'
import type { Reply } from './policy.ts'

/** Users and their passwords, for RFC 7617. */
export interface BasicAuthConfig {
  readonly realm: string
  readonly any: boolean
  /** User and hash in turn. Never printed. */
  readonly credentials: readonly string[]
}

interface Values {
  'auth-type': 'basic' | 'none'
  'auth-secret': string
  'auth-secret-type': 'auth-file' | 'auth-map'
  'auth-realm': string
  satisfy: 'all' | 'any'
}

/** [namespace/]name of an object. */
const objectName: ValueType<string> = {
  expects: 'the name of a Secret, or namespace/name',
  schema: { pattern: '^(?:[-a-z0-9.]+/)?[-a-z0-9.]+$' },
  parse: (text) => (/^(?:[-a-z0-9.]+\/)?[-a-z0-9.]+$/.test(text) ? text : undefined),
  format: (text) => text,
}

const realmText: ValueType<string> = {
  expects: 'printable text',
  schema: { pattern: '^[ -~]*$' },
  parse: (text) => (/^[ -~]*$/.test(text) ? text : undefined),
  format: (text) => text,
}

const base = { scope: 'path', compatibility: 'same' } as const

const annotations: AnnotationTable<Values> = {
  'auth-type': {
    ...base,
    risk: 'low',
    type: oneOf(['basic', 'none']),
    default: 'none',
    doc: 'With basic, clients must name a user of auth-secret and the password. Any other value closes the routes (503).',
    example: 'basic',
    refused: { digest: 'digest authentication rests on MD5; use basic over TLS' },
    closes: true,
  },
  'auth-secret': {
    ...base,
    risk: 'medium',
    type: objectName,
    default: '',
    doc: 'The Secret with the users. One that is missing or cannot be used closes the routes (503).',
    example: 'credentials',
    closes: true,
  },
  'auth-secret-type': {
    ...base,
    risk: 'low',
    type: oneOf(['auth-file', 'auth-map']),
    default: 'auth-file',
    doc: 'With auth-file, the key auth holds lines of htpasswd; with auth-map, each key is a user and its value the hash.',
    example: 'auth-map',
  },
  'auth-realm': {
    ...base,
    risk: 'medium',
    type: realmText,
    default: '',
    doc: 'The realm that clients show. Quotes in it are escaped, where nginx sends them as they are.',
    example: 'Staff only',
  },
  satisfy,
}

/** One worker's results, whatever tables come and go. */
const checks = new PasswordChecks()

/**
 * Basic authentication (RFC 7617). What the client sent as Authorization does not reach the upstream; what
 * other policies put in its place does.
 */
export const basicAuth = policy({
  annotations,
  options: noAuthOptions,

  references(values) {
    const text = values['auth-secret']
    if (values['auth-type'] === 'none' || text === '') return []
    return [{ kind: 'Secret', key: 'auth-secret', text, by: 'annotation' }]
  },

  configure(values, context): BasicAuthConfig | undefined {
    if (values['auth-type'] === 'none') {
      if (values['auth-secret'] !== '')
        context.report('auth-secret', 'asks for nothing without auth-type')
      return undefined
    }
    const exempt = context.options['no-auth-locations']
    if (exempt.some((start) => context.path.startsWith(start))) return undefined
    if (values['auth-secret'] === '') context.deny('auth-type', 'needs auth-secret beside it')
    return {
      realm: values['auth-realm'],
      any: values.satisfy === 'any',
      credentials: readCredentials(values, context),
    }
  },

  start({ realm, any, credentials }) {
    const users = new Map<string, string>()
    for (let i = 0; i < credentials.length; i += 2) {
      users.set(credentials[i] as string, credentials[i + 1] as string)
    }
    // A user that is not there takes as long as one that is.
    const decoy = credentials[1] ?? '{PLAIN}'
    const challenge = `Basic realm="${realm.replaceAll(/["\\]/g, '\\$&')}"`
    const unauthorized: Reply = { status: 401, fields: ['WWW-Authenticate', challenge] }
    const busy: Reply = { status: 503, fields: ['Retry-After', '1'] }
    return {
      requestHead(exchange) {
        if (exchange.accessGranted) return CONTINUE
        const sent = readAuthorization(exchange.request.fields.get('authorization'))
        if (sent === undefined) return deny(exchange, any, unauthorized)
        const hash = users.get(sent.user)
        let resume = ignore
        const result = checks.check(sent.password, hash ?? decoy, (right) => {
          resume(right)
        })
        if (result === 'busy') return exchange.reply(busy)
        if (result !== 'later') {
          const right = result === 'right' && hash !== undefined
          return right ? allow(exchange, any) : deny(exchange, any, unauthorized)
        }
        const suspension = exchange.suspend(checkMs, () => {})
        resume = (right) => {
          if (right && hash !== undefined) {
            allow(exchange, any)
            suspension.resume()
          } else if (any) {
            deny(exchange, any, unauthorized)
            suspension.resume()
          } else suspension.reply(unauthorized)
        }
        return SUSPEND
      },
      upstreamChosen(exchange) {
        exchange.request.fields.removeSent('authorization')
        return CONTINUE
      },
    }
  },
})

/** A check of a password may take so long. */
const checkMs = 10_000

/** Nobody waits for a check that answered at once. */
function ignore(_right: boolean): void {}

function readCredentials(values: Values, context: RouteContext<ExternalAuthOptions>): string[] {
  const data = context.data('auth-secret')
  if (data === undefined) return []
  const credentials: string[] = []
  const known = new Set<string>()
  for (const [user, hash] of values['auth-secret-type'] === 'auth-map'
    ? Object.entries(data)
    : linesOf(data['auth'])) {
    if (known.has(user)) continue
    known.add(user)
    const trimmed = hash.trim()
    const problem = hashProblem(trimmed)
    if (problem === undefined) credentials.push(user, trimmed)
    else
      context.report(
        'auth-secret',
        `the hash of user ${JSON.stringify(user)} ${problem}; the user is refused`,
      )
  }
  if (values['auth-secret-type'] === 'auth-file' && data['auth'] === undefined) {
    context.deny('auth-secret', 'names a Secret without the key auth')
  }
  return credentials
}

/** Lines of htpasswd: user, colon, hash, and perhaps a colon and a remark. */
function linesOf(text = ''): [user: string, hash: string][] {
  const users: [string, string][] = []
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon <= 0 || line.startsWith('#')) continue
    const rest = line.slice(colon + 1)
    const plain = rest.startsWith('{PLAIN}')
    users.push([line.slice(0, colon), plain ? rest.replace(/\r$/, '') : (rest.split(':')[0] ?? '')])
  }
  return users
}

/** User and password; undefined: they are not there, or not in a form that can be read. */
function readAuthorization(
  text: string | undefined,
): { readonly user: string; readonly password: string } | undefined {
  if (text === undefined || !/^basic /i.test(text)) return undefined
  const encoded = text.slice(6).trim()
  if (!/^[A-Za-z0-9+/]+=*$/.test(encoded)) return undefined
  const decoded = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  return colon < 0
    ? undefined
    : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
}
