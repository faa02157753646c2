import type { OptionTable } from '#src/annotations/schema.ts'
import { isAuthority } from '#src/exchange/authority.ts'
import type { ResponseHead } from '#src/exchange/heads.ts'
import { fieldId } from '#src/exchange/known-fields.ts'
import { allow, deny as keepOut } from './access.ts'
import { answers } from './external-auth-cache.ts'
import type { AuthAnswer } from './external-auth-cache.ts'
import { freshMs, valuesOf, variantOf } from './external-auth-freshness.ts'
import { externalAuthAnnotations, noAuthOptions } from './external-auth-annotations.ts'
import type {
  CacheDuration,
  ExternalAuthOptions,
  ExternalAuthValues,
} from './external-auth-annotations.ts'
import { globalAuthOptions, globalAuthValues } from './global-auth.ts'
import type { GlobalAuthOptions } from './global-auth.ts'
import { policy } from './policy-definition.ts'
import type { RouteContext } from './policy-definition.ts'
import { CONTINUE, SUSPEND } from './policy.ts'
import type { PolicyExchange, Reply, Verdict } from './policy.ts'
import { templateFields } from './response-fields.ts'
import { readServiceUrl } from './service-url.ts'
import type { ServiceUrl } from './service-url.ts'
import { linkSignIn } from './sign-in.ts'
import type { Program } from './snippets/program.ts'
import { statePlaces } from './state-places.ts'
import { renderTemplate } from './template.ts'
import type { Template } from './template.ts'

/** A service that is asked whether a request may pass. */
export interface ExternalAuthConfig extends ServiceUrl {
  readonly method: string
  readonly signIn: Template
  readonly signInParameter: string
  readonly responseFields: readonly string[]
  readonly redirect: Template
  readonly fields: readonly { readonly name: string; readonly value: Template }[]
  readonly cache: CacheConfig | undefined
  readonly alwaysSetCookie: boolean
  readonly any: boolean
}

/** The same at work. */
interface Auth extends ExternalAuthConfig {
  readonly signInUrl: (exchange: PolicyExchange) => string
}

interface CacheConfig {
  /** What tells this path's answers from others'. */
  readonly space: string
  readonly key: Template
  readonly durations: readonly CacheDuration[]
}

const answerMs = 60_000
const bodyBytesMax = 64 * 1024

/** Never copied to the authentication service: framing, and what holds for one connection only. */
const left: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-auth-request-redirect',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-scheme',
  'x-original-forwarded-for',
  'x-original-forwarded-host',
  'x-original-method',
  'x-original-uri',
  'x-original-url',
  'x-real-ip',
  'x-request-id',
  'x-scheme',
  'x-sent-from',
])

type AuthOptions = ExternalAuthOptions & GlobalAuthOptions
const authOptions: OptionTable<AuthOptions> = { ...noAuthOptions, ...globalAuthOptions }

/** External authentication: a request of our own, without body, decides over the client's. */
export const externalAuth = policy({
  annotations: externalAuthAnnotations,
  options: authOptions,

  references(values) {
    const text = values['auth-proxy-set-headers']
    if (values['auth-url'] === '' || text === '') return []
    return [{ kind: 'ConfigMap', key: 'auth-proxy-set-headers', text, by: 'annotation' }]
  },

  configure: configureAuth,

  start(config) {
    const auth: Auth = { ...config, signInUrl: linkSignIn(config.signIn, config.signInParameter) }
    return {
      requestHead(exchange) {
        if (exchange.accessGranted) {
          dropClaims(config, exchange)
          return CONTINUE
        }
        const key = cacheKey(config, exchange)
        const kept = key === '' ? undefined : keptAnswer(key, exchange)
        return kept === undefined ? ask(auth, exchange, key) : judge(auth, exchange, kept)
      },
      responseHead(exchange) {
        const cookies = exchange.state[statePlaces.authCookies] as readonly string[] | undefined
        const status = exchange.response?.status ?? 0
        if (cookies === undefined || !(config.alwaysSetCookie || isAddable(status))) return CONTINUE
        for (const cookie of cookies) exchange.response?.fields.append('Set-Cookie', cookie)
        return CONTINUE
      },
    }
  },
})

function configureAuth(
  written: ExternalAuthValues,
  context: RouteContext<AuthOptions>,
): ExternalAuthConfig | undefined {
  const { options, path } = context
  const isExempt = options['no-auth-locations'].some((start) => path.startsWith(start))
  const own = written['auth-url'] !== ''
  if (isExempt || !(own || written['enable-global-auth'])) return undefined
  const values = own ? written : globalAuthValues(written, options, context.deny)
  if (values === undefined) return undefined
  const service = readServiceUrl(values['auth-url'], context)
  if ('problem' in service) {
    context.deny(own ? 'auth-url' : 'global-auth-url', service.problem)
    return undefined
  }
  return {
    ...service,
    target: service.target.length === 0 ? [{ text: '/' }] : service.target,
    // nginx names the host without its port.
    authority: service.authority.replace(/:\d+$/, ''),
    method: values['auth-method'],
    signIn: values['auth-signin'],
    signInParameter: values['auth-signin-redirect-param'],
    responseFields: values['auth-response-headers'],
    redirect: values['auth-request-redirect'],
    fields: own
      ? [...moreFields(context), ...snippetFields(context.authSnippet)]
      : snippetFields(globalSnippet(context)),
    cache: cacheOf(values, context),
    alwaysSetCookie: values['auth-always-set-cookie'],
    any: values.satisfy === 'any',
  }
}

function cacheOf(
  values: ExternalAuthValues,
  { ingress, host, path }: RouteContext<AuthOptions>,
): CacheConfig | undefined {
  const key = values['auth-cache-key']
  if (key.length === 0) return undefined
  return {
    // Of an answer only these fields are kept.
    space: JSON.stringify([
      ingress,
      host,
      path,
      values['auth-url'],
      ...values['auth-response-headers'],
    ]),
    key,
    durations: values['auth-cache-duration'],
  }
}

function moreFields(context: RouteContext<AuthOptions>): ExternalAuthConfig['fields'] {
  const key = 'auth-proxy-set-headers'
  return templateFields(context.data(key), (message) => {
    context.report(key, message)
  })
}

/** A snippet that guards every route: with one that says what cannot be done none of them is served. */
function globalSnippet({ globalAuthSnippet, deny }: RouteContext<object>): Program | undefined {
  if (globalAuthSnippet === undefined || !('problem' in globalAuthSnippet)) return globalAuthSnippet
  deny('global-auth-snippet', globalAuthSnippet.problem)
  return undefined
}

/** What proxy_set_header of auth-snippet says. Rules of a rewrite have no meaning there. */
function snippetFields(snippet: Program | undefined): ExternalAuthConfig['fields'] {
  return (snippet?.requestFields ?? []).map(({ name, value }) => ({
    name,
    value: value.filter((part) => 'text' in part || 'variable' in part),
  }))
}

function ask(config: Auth, exchange: PolicyExchange, key: string): Verdict {
  let cancelled = false
  const suspension = exchange.suspend(answerMs, () => {
    cancelled = true
  })
  exchange.subrequest({
    backend: config.backend,
    serverName: config.serverName,
    method: config.method || 'GET',
    authority: authorityFor(config, exchange),
    target: renderTemplate(config.target, exchange),
    fields: requestFields(config, exchange),
    body: '',
    timeoutMs: answerMs,
    bytesMax: bodyBytesMax,
    headOnly: true,
    onAnswer(response) {
      if (cancelled) return
      const answer = readAnswer(config, exchange, response)
      const ms = holdsMs(config, exchange, response)
      if (ms > 0) keepAnswer(key, answer, exchange.now() + ms)
      let reply: Reply | undefined
      const decide = { any: config.any, refuse: (given: Reply) => (reply = given) }
      settle(config, exchange, answer, decide)
      if (reply === undefined) suspension.resume()
      else suspension.reply(reply)
    },
  })
  return SUSPEND
}

function judge(config: Auth, exchange: PolicyExchange, answer: AuthAnswer): Verdict {
  let reply: Reply | undefined
  settle(config, exchange, answer, { any: config.any, refuse: (given) => (reply = given) })
  return reply === undefined ? CONTINUE : exchange.reply(reply)
}

/**
 * What only the service may say is not taken from the client: not even where another policy let it in
 * and the service is not asked, as nginx then sets these fields to nothing.
 */
function dropClaims({ responseFields }: ExternalAuthConfig, { request }: PolicyExchange): void {
  for (const name of responseFields) request.fields.remove(name)
}

/** Puts an answer in force. `refuse` is called when the client must get another answer now. */
function settle(
  config: Auth,
  exchange: PolicyExchange,
  answer: AuthAnswer,
  { any, refuse }: { readonly any: boolean; readonly refuse: (reply: Reply) => void },
): void {
  const { status } = answer
  dropClaims(config, exchange)
  if (answer.cookies.length > 0) exchange.state[statePlaces.authCookies] = answer.cookies
  if (status >= 200 && status < 300) {
    const { fields } = exchange.request
    for (let i = 0; i < answer.fields.length; i += 2) {
      fields.append(answer.fields[i] as string, answer.fields[i + 1] as string)
    }
    allow(exchange, any)
    return
  }
  const reply = refusal(config, exchange, answer)
  // A service that fails opens nothing and closes nothing that another policy opens.
  if (any) keepOut(exchange, true, reply)
  else refuse(reply)
}

function refusal(config: Auth, exchange: PolicyExchange, answer: AuthAnswer): Reply {
  const { status, challenge } = answer
  if (status === 403) return { status: 403 }
  if (status !== 401) return { status: 500 }
  const challenges = challenge === '' ? [] : ['WWW-Authenticate', challenge]
  if (config.signIn.length === 0) return { status: 401, fields: challenges }
  // nginx leaves the challenge in the redirect as well.
  return { status: 302, fields: ['Location', config.signInUrl(exchange), ...challenges] }
}

function requestFields(config: ExternalAuthConfig, exchange: PolicyExchange): string[] {
  const { request, scheme, publicHost, clientAddress, requestId } = exchange
  const target = exchange.originalTarget || request.target
  const fields: string[] = []
  const replaced = new Set(config.fields.map(({ name }) => name.toLowerCase()))
  copyFields(exchange, fields, replaced)
  const redirect = config.redirect.length === 0 ? target : renderTemplate(config.redirect, exchange)
  fields.push(
    'X-Original-URL',
    `${scheme}://${publicHost}${target}`,
    'X-Original-Method',
    request.method,
    'X-Sent-From',
    // Services that look at it know this name.
    'nginx-ingress-controller',
    'X-Real-IP',
    clientAddress,
    'X-Forwarded-For',
    clientAddress,
    'X-Request-ID',
    requestId,
    'X-Auth-Request-Redirect',
    redirect,
  )
  if (config.method !== '') fields.push('X-Original-URI', target, 'X-Scheme', scheme)
  for (const { name, value } of config.fields) {
    const text = isHost(name) ? '' : renderTemplate(value, exchange)
    if (text !== '') fields.push(name, text)
  }
  return fields
}

function isHost(name: string): boolean {
  return name.toLowerCase() === 'host'
}

/** The host of the URL, or what a field Host puts in its place. */
function authorityFor({ authority, fields }: ExternalAuthConfig, exchange: PolicyExchange): string {
  const host = fields.findLast(({ name }) => isHost(name))
  const text = host === undefined ? '' : renderTemplate(host.value, exchange)
  return isAuthority(text) ? text : authority
}

function copyFields(
  { request, vouchedFields }: PolicyExchange,
  fields: string[],
  replaced: ReadonlySet<string>,
): void {
  const options = (request.fields.get('connection') ?? '').toLowerCase().split(/[\s,]+/)
  request.fields.forEach((name, value) => {
    const lower = name.toLowerCase()
    const isLeft = left.has(lower) && ((vouchedFields >>> fieldId(lower)) & 1) === 0
    if (isLeft || replaced.has(lower) || options.includes(lower)) return
    fields.push(name, value)
  })
}

/** What is kept of an answer. Without a whole answer the status is 0. */
function readAnswer(
  { responseFields, cache }: ExternalAuthConfig,
  { request }: PolicyExchange,
  response: ResponseHead | undefined,
): AuthAnswer {
  if (response === undefined) return { status: 0, fields: [], cookies: [], challenge: '' }
  const wanted = new Set(responseFields.map((name) => name.toLowerCase()))
  const fields: string[] = []
  const cookies: string[] = []
  response.fields.forEach((name, value) => {
    const lower = name.toLowerCase()
    if (wanted.has(lower)) fields.push(name, value)
    if (lower === 'set-cookie') cookies.push(value)
  })
  const challenge = response.fields.get('www-authenticate') ?? ''
  const variant = cache && variantOf(response.fields, request.fields)
  return { status: response.status, fields, cookies, challenge, variant }
}

function cacheKey({ cache }: ExternalAuthConfig, exchange: PolicyExchange): string {
  return cache === undefined ? '' : `${cache.space}${renderTemplate(cache.key, exchange)}`
}

/** Of answers that depend on more than the key, the last one stands under the key, and each under its own. */
function keptAnswer(key: string, exchange: PolicyExchange): AuthAnswer | undefined {
  const last = answers.get(key, exchange.now())
  if (last?.variant === undefined) return last
  const values = valuesOf(last.variant.names, exchange.request.fields)
  return values === last.variant.values ? last : answers.get(key + values, exchange.now())
}

function keepAnswer(key: string, answer: AuthAnswer, until: number): void {
  answers.set(key, answer, until)
  if (answer.variant !== undefined) answers.set(key + answer.variant.values, answer, until)
}

function holdsMs(
  { cache }: ExternalAuthConfig,
  exchange: PolicyExchange,
  response: ResponseHead | undefined,
): number {
  if (cache === undefined || response === undefined) return 0
  const { status, fields } = response
  const named = cache.durations.find(({ statuses }) => statuses.includes(status))
  return freshMs(fields, named?.ms ?? 0, exchange.wallClock())
}

/** The statuses with which nginx's add_header adds to an answer. */
function isAddable(status: number): boolean {
  return [101, 200, 201, 204, 206, 301, 302, 303, 304, 307, 308].includes(status)
}
