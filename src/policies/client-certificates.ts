import { compilePattern, patternProblem } from '#algorithms/match/linear-pattern.ts'
import type { ClientCertificate } from '#src/exchange/streams.ts'
import type { AnnotationTable } from '#src/annotations/schema.ts'
import { bool, integer, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { dropCertificateClaims } from './certificate-claims.ts'
import { objectReference } from './field-lists.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import type { PolicyExchange, Reply } from './policy.ts'
import { visibleName } from './tls-variables.ts'

const verifyModes = ['on', 'off', 'optional', 'optional_no_ca'] as const

/** What one host demands of its clients' certificates. The compiler makes it, once for all rules of the host. */
export interface ClientCertificatesConfig {
  /** The demands cannot be met by anybody: what they are checked against is not there. */
  readonly closed: boolean
  /** Key of the CA certificates under which a connection must have been asked. */
  readonly authorities: string
  readonly verify: (typeof verifyModes)[number]
  /** CA certificates allowed between a client's own and a trusted one. */
  readonly depth: number
  /** URL for clients whose certificate is missing or refused; '': they get 400. */
  readonly errorPage: string
  /** Pattern for the subject; '': any will do. */
  readonly subject: string
  readonly passCertificate: boolean
}

interface Values {
  'auth-tls-secret': string
  'auth-tls-verify-client': (typeof verifyModes)[number]
  'auth-tls-verify-depth': number
  'auth-tls-error-page': string
  'auth-tls-match-cn': string
  'auth-tls-pass-certificate-to-upstream': boolean
}

const pageUrl = /^https?:\/\/[-A-Za-z0-9.]+(?::\d{1,5})?(?:\/[-A-Za-z0-9_.]+)*\/?$/

const errorPage: ValueType<string> = {
  expects: 'a URL with http or https, without query',
  schema: { pattern: pageUrl.source },
  parse: (text) => (pageUrl.test(text) ? text : undefined),
  format: (text) => text,
  explain: (text) =>
    /^[@/]/.test(text) ? 'a path or a named location of nginx has no meaning here' : undefined,
}

const subjectPattern: ValueType<string> = {
  expects: 'CN= and a regular expression',
  schema: { pattern: '^CN=' },
  parse: (text) =>
    text.startsWith('CN=') && patternProblem(text) === undefined ? text : undefined,
  format: (text) => text,
  explain: (text) => (text.startsWith('CN=') ? `it ${patternProblem(text)}` : undefined),
}

const base = { scope: 'host', compatibility: 'same' } as const

const annotations: AnnotationTable<Values> = {
  'auth-tls-secret': {
    ...base,
    type: objectReference,
    default: '',
    doc: 'A Secret with ca.crt, and ca.crl if there are revoked certificates: clients of the host must show a certificate of these CAs over TLS. One that is missing or cannot be used closes the host (403).',
    example: 'shop/client-ca',
    risk: 'medium',
    closes: true,
  },
  'auth-tls-verify-client': {
    ...base,
    type: oneOf(verifyModes),
    default: 'on',
    doc: 'With on, a client without a good certificate gets 400. With optional, only one with a bad certificate does. With optional_no_ca, one of an unknown CA passes, too, and the upstream is told. With off nobody is asked.',
    example: 'optional',
    risk: 'medium',
  },
  'auth-tls-verify-depth': {
    ...base,
    type: integer(1, 100),
    default: 1,
    doc: "CA certificates allowed between a client's certificate and one of auth-tls-secret.",
    example: '2',
    risk: 'low',
  },
  'auth-tls-error-page': {
    ...base,
    type: errorPage,
    default: '',
    doc: 'Where clients are redirected (302) that would get 400.',
    example: 'https://www.example.com/no-certificate',
    risk: 'high',
  },
  'auth-tls-match-cn': {
    ...base,
    type: subjectPattern,
    default: '',
    doc: "A regular expression that begins with CN= and must be found in the subject of the client's certificate, else the answer is 403. It may match anywhere and any part of a name: write CN=shop(,|$) for this name alone.",
    example: 'CN=(shop|stock)(,|$)',
    risk: 'high',
    closes: true,
  },
  'auth-tls-pass-certificate-to-upstream': {
    ...base,
    type: bool,
    default: false,
    doc: "Sends the client's certificate to the upstream in ssl-client-cert, as URL-encoded PEM.",
    example: 'true',
    risk: 'low',
  },
}

/** What nginx says with its 400. */
const noCertificate = 'No required SSL certificate was sent\n'
const badCertificate = 'The SSL certificate error\n'

/** Errors that only say that the certificate leads to no trusted one, in OpenSSL's words. */
const untrusted = new Set([
  'self-signed certificate',
  'self-signed certificate in certificate chain',
  'unable to get local issuer certificate',
  'unable to get issuer certificate',
  'unable to verify the first certificate',
])

/**
 * Client certificates (RFC 8446 4.4.2) as ingress-nginx demands them: for a whole host, judged for each
 * request. Over plain HTTP nobody has a certificate, and nobody is asked for one: there the redirect to
 * https keeps clients out.
 */
export const clientCertificates = policy({
  annotations,
  options: {},

  references: (values) => [
    { kind: 'Secret', key: 'auth-tls-secret', text: values['auth-tls-secret'], by: 'host' },
  ],

  configure(values, { clients, report }): ClientCertificatesConfig | undefined {
    if (values['auth-tls-secret'] === '') {
      for (const [key, { default: initial }] of Object.entries(annotations)) {
        if (values[key as keyof Values] !== initial) {
          report(key, 'asks for nothing without auth-tls-secret')
        }
      }
    }
    return clients
  },

  start(config) {
    const isKnown = subjectTest(config.subject)
    const judge = judgeOf(config)
    return {
      requestHead(exchange) {
        dropCertificateClaims(exchange.request.fields)
        if (config.closed) return exchange.reply(closed)
        const { tls } = exchange.peer
        const asks = tls !== undefined && config.verify !== 'off'
        if (asks && exchange.askedBy !== config.authorities) return exchange.reply(misdirected)
        const shown = asks ? tls.clientCertificate : undefined
        const refused = asks ? judge(shown) : undefined
        if (refused !== undefined) return exchange.reply(refused)
        if (!isKnown(shown)) return exchange.reply(stranger)
        if (tls !== undefined) tellUpstream(exchange, shown, config)
        return CONTINUE
      },
    }
  },
})

const closed: Reply = { status: 403 }
const misdirected: Reply = { status: 421 }
const stranger: Reply = {
  status: 403,
  body: 'client certificate unauthorized',
  contentType: 'text/html',
}

/** Whether the subject of what is shown matches; '' takes anybody. */
function subjectTest(pattern: string): (shown: ClientCertificate | undefined) => boolean {
  if (pattern === '') return () => true
  const compiled = compilePattern(pattern, { anchor: 'anywhere', anyCase: false })
  return (shown) => compiled.test(shown === undefined ? '' : shown.subject)
}

/** Gives the answer for a client that is refused for what it shows. */
function judgeOf(
  config: ClientCertificatesConfig,
): (shown: ClientCertificate | undefined) => Reply | undefined {
  const { verify, depth } = config
  const none = verify === 'on' ? refusal(noCertificate, config) : undefined
  const bad = refusal(badCertificate, config)
  return (shown) => {
    if (shown === undefined) return none
    const problem = problemOf(shown, depth)
    const passes = problem === '' || (verify === 'optional_no_ca' && untrusted.has(problem))
    return passes ? undefined : bad
  }
}

function refusal(body: string, { errorPage: page }: ClientCertificatesConfig): Reply {
  return page === '' ? { status: 400, body } : { status: 302, fields: ['Location', page] }
}

function problemOf({ error, depth }: ClientCertificate, depthMax: number): string {
  return error === '' && depth > depthMax ? 'certificate chain too long' : error
}

function tellUpstream(
  { request: { fields } }: PolicyExchange,
  shown: ClientCertificate | undefined,
  { depth, passCertificate }: ClientCertificatesConfig,
): void {
  if (shown === undefined) {
    fields.append('ssl-client-verify', 'NONE')
    return
  }
  const problem = problemOf(shown, depth)
  fields.append('ssl-client-verify', problem === '' ? 'SUCCESS' : `FAILED:${problem}`)
  fields.append('ssl-client-subject-dn', visibleName(shown.subject))
  fields.append('ssl-client-issuer-dn', visibleName(shown.issuer))
  if (passCertificate) fields.append('ssl-client-cert', encodeURIComponent(shown.pem))
}
