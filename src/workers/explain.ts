import { shownPolicy } from '#src/table/print.ts'
import { canonicalPath, differsUnderEncoding, pathBytes } from '#algorithms/match/canonical-path.ts'
import { compilePattern } from '#algorithms/match/linear-pattern.ts'
import { HostTable, hostOf } from '#algorithms/match/host-table.ts'
import { matches } from '#algorithms/match/path-entry.ts'
import { pathEntry } from '#algorithms/match/path-list.ts'
import type { Key } from '#src/table/keys.ts'
import { explainCanaries } from './explain-canary.ts'
import type {
  Backend,
  Host,
  Listener,
  PathMatch,
  Predicate,
  RouteTable,
  Rule,
  WeightedBackend,
} from '#src/table/table.ts'

/** A request to explain: as a client would send it, nothing normalised. */
export interface ExplainedRequest {
  readonly method: string
  readonly scheme: string
  readonly authority: string
  /** Path and query. */
  readonly target: string
  /** Name in any case, value. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/**
 * The request that a URL stands for, or undefined when it is not the full URL of one. The path stays as
 * it is written: `..` and escapes are what may need an explanation. A Host field wins over the URL.
 */
export function requestOf(
  url: string,
  method: string,
  headers: ExplainedRequest['headers'],
): ExplainedRequest | undefined {
  const [, scheme = '', named = '', rest = ''] =
    /^(https?):\/\/([^/?#\s]+)([^#\s]*)(?:#|$)/i.exec(url) ?? []
  if (scheme === '') return undefined
  const authority = headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? named
  const target = pathBytes(rest.startsWith('/') ? rest : `/${rest}`)
  return { method, scheme: scheme.toLowerCase(), authority, target, headers }
}

/** What is known of an endpoint beyond the table; of a table from files nothing is. */
export interface EndpointState {
  /** Its health checks fail. */
  readonly unhealthy: boolean
  readonly ejectedForMs: number
  readonly requestsInFlight: number
}

/** Looks an endpoint of a backend up by its place in it. */
export type StateOf = (backend: Backend, index: number) => EndpointState | undefined

/** Which way a request goes, and why. Each step is one sentence. */
export interface Explanation {
  readonly request: string
  /** The form of the path that was matched; '' when the request has none. */
  readonly path: string
  readonly steps: readonly string[]
  /** The answer that the proxy gives by itself, e.g. 404; undefined: the upstream answers. */
  readonly status: number | undefined
  readonly rule: ExplainedRule | undefined
  readonly backends: readonly ExplainedBackend[]
}

export interface ExplainedRule {
  readonly host: string
  readonly path: string
  readonly object: string
  /** Name and configuration, in order of execution. */
  readonly policies: readonly { readonly name: string; readonly config: object }[]
}

export interface ExplainedBackend {
  readonly service: string
  readonly share: number
  readonly algorithm: string
  readonly protocol: string
  readonly endpoints: readonly ExplainedEndpoint[]
}

export interface ExplainedEndpoint {
  readonly address: string
  readonly gets: 'requests' | 'nothing'
  readonly why: string
  readonly state: EndpointState | undefined
}

/** Follows a request through a table as the proxy would. */
export function explain(
  table: RouteTable,
  request: ExplainedRequest,
  stateOf: StateOf,
): Explanation {
  const { method, scheme, authority, target } = request
  const steps: string[] = []
  const url = `${scheme}://${authority}${target}`
  const base = { request: `${method} ${url}`, steps, rule: undefined, backends: [] }
  const group = listenerGroup(table, request, steps)
  const path = canonicalPath(target)
  if (path === undefined) {
    steps.push('the path is malformed or climbs above the root')
    return { ...base, path: '', status: 400 }
  }
  if (path !== target.split('?')[0]) steps.push(`the path is matched as ${path}`)
  const host = findHost(table, group, hostOf(authority))
  const found = host && findRule(host, path, request)
  if (host === undefined || found === undefined) {
    steps.push(host === undefined ? noHost(request) : `no path of ${hostTitle(host)} matches`)
    const met = table.options.policies.map(({ name }) => name).join(', ')
    if (met !== '') steps.push(`what holds for every request meets it, too: ${met}`)
    return { ...base, path, status: 404 }
  }
  return { ...base, path, ...explainRule(table, { host, rule: found, request }, steps, stateOf) }
}

function noHost({ authority }: ExplainedRequest): string {
  return `no rule names the host ${hostOf(authority)}, and none is for every host`
}

/** The group of hosts that is served to the request's scheme. */
function listenerGroup(
  table: RouteTable,
  { scheme: protocol, authority }: ExplainedRequest,
  steps: string[],
): string {
  const listener = [...table.listeners.values()].find(
    (candidate) => candidate.protocol === protocol,
  )
  if (listener === undefined) {
    steps.push(`no listener serves ${protocol}`)
    return [...table.hosts.values()][0]?.hostGroup ?? ''
  }
  const { hostGroup, port } = listener
  steps.push(`the ${protocol} listener on port ${port} takes it`)
  if (protocol === 'https') explainTls(table, listener, hostOf(authority), steps)
  return hostGroup
}

/** Where TLS ends, what it shows, and what it asks of clients. */
function explainTls(table: RouteTable, listener: Listener, name: string, steps: string[]): void {
  const host = findHost(table, listener.hostGroup, name)
  if (host?.passthrough !== undefined) {
    const { service, origin } = host.passthrough
    steps.push(
      `its TLS ends at the endpoints of Service ${origin.namespace}/${service}: what follows holds for plain HTTP alone`,
    )
    return
  }
  explainCertificate(table, host?.certificate, listener.defaultCertificate, steps)
  const asked = host?.clientCertificates
  const secret = asked && table.authorities.get(asked.authorities)?.origin
  if (secret !== undefined) {
    steps.push(`clients are asked for a certificate of ${secret.namespace}/${secret.name}`)
  }
}

function explainCertificate(
  table: RouteTable,
  own: Key | undefined,
  preset: Key | undefined,
  steps: string[],
): void {
  const shown = own ?? preset
  const origin = shown === undefined ? undefined : table.certificates.get(shown)?.origin
  const kind = own === undefined ? 'default certificate' : 'certificate'
  if (origin !== undefined) steps.push(`it shows the ${kind} ${origin.namespace}/${origin.name}`)
}

function findHost(table: RouteTable, group: string, name: string): Host | undefined {
  const hosts = new HostTable<Host>()
  for (const host of table.hosts.values())
    if (host.hostGroup === group) hosts.set(host.pattern, host)
  return hosts.match(name)
}

function findRule(host: Host, path: string, request: ExplainedRequest): Rule | undefined {
  return host.rules.find(
    (rule) => matchesPath(rule.path, path) && rule.predicates.every((p) => holds(p, request)),
  )
}

function matchesPath(pattern: PathMatch, path: string): boolean {
  const entry = pathEntry(pattern, (text) =>
    compilePattern(pathBytes(text), { anchor: 'start', anyCase: true }),
  )
  return matches(entry, path)
}

function holds({ on, name, match, value }: Predicate, request: ExplainedRequest): boolean {
  const actual = predicateValue(on, name, request)
  if (actual === undefined) return false
  if (match === 'exact') return actual === value
  return compilePattern(value, { anchor: 'anywhere', anyCase: false }).test(actual)
}

function predicateValue(
  on: Predicate['on'],
  name: string,
  { method, headers, target }: ExplainedRequest,
): string | undefined {
  if (on === 'method') return method
  if (on === 'query') {
    const query = new URLSearchParams(target.slice(target.indexOf('?') + 1))
    return target.includes('?') ? (query.get(name) ?? undefined) : undefined
  }
  return headers.find(([header]) => header.toLowerCase() === name.toLowerCase())?.[1]
}

interface Found {
  readonly host: Host
  readonly rule: Rule
  readonly request: ExplainedRequest
}

function explainRule(
  table: RouteTable,
  { host, rule, request }: Found,
  steps: string[],
  stateOf: StateOf,
): Pick<Explanation, 'status' | 'rule' | 'backends'> {
  const { origin, settings } = rule
  const object = [origin.kind, `${origin.namespace}/${origin.name}`].join(' ')
  const skipped = host.rules.indexOf(rule)
  steps.push(
    `${hostTitle(host)} is the most specific host`,
    `${ruleTitle(rule)} of ${object} matches` +
      (skipped === 0 ? '' : `, and none of the ${skipped} before it does`),
  )
  const { pathText } = rule
  const policies = rule.policies.map(shownPolicy)
  const explained = { host: host.pattern, path: pathText, object, policies }
  if (settings.strictPath && differsUnderEncoding(request.target)) {
    steps.push('an encoded slash or dot changes the path, and the route is strict about that')
    return { status: 400, rule: explained, backends: [] }
  }
  const backends = rule.backends.map((use) => explainBackend(table, use, stateOf))
  const shares = explainCanaries(rule, request.headers, backends.map(canServe), steps)
  for (const [i, backend] of backends.entries()) backend.share = shares[i] ?? 0
  const usable = backends.some((backend) => canServe(backend) && backend.share > 0)
  if (!usable) steps.push('no endpoint can take it')
  return { status: usable ? undefined : 503, rule: explained, backends }
}

function canServe({ endpoints }: ExplainedBackend): boolean {
  return endpoints.some(({ gets }) => gets === 'requests')
}

function explainBackend(
  table: RouteTable,
  use: WeightedBackend,
  stateOf: StateOf,
): ExplainedBackend & { share: number } {
  const backend = table.backends.get(use.backend)
  return {
    service: backend === undefined ? use.service : serviceTitle(backend),
    share: 0,
    algorithm: use.balance.algorithm,
    protocol: use.tls === undefined ? use.protocol : `${use.protocol} over TLS`,
    endpoints: backend === undefined ? [] : explainEndpoints(backend, stateOf),
  }
}

function explainEndpoints(backend: Backend, stateOf: StateOf): ExplainedEndpoint[] {
  const anyReady = backend.endpoints.some(({ state }) => state === 'ready')
  return backend.endpoints.map((endpoint, index) => {
    const state = stateOf(backend, index)
    const { address, port } = endpoint
    const [gets, why] = verdict(endpoint, anyReady, state)
    return {
      address: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
      gets,
      why,
      state,
    }
  })
}

function verdict(
  { state, weight }: Backend['endpoints'][number],
  anyReady: boolean,
  live: EndpointState | undefined,
): [ExplainedEndpoint['gets'], string] {
  if (weight === 0) return ['nothing', 'its weight is 0']
  if (state === 'draining' && anyReady) {
    return ['nothing', 'it is terminating: only sessions and requests that it has go on']
  }
  if (live?.unhealthy === true) return ['nothing', 'its health checks fail']
  if (live !== undefined && live.ejectedForMs > 0) {
    const seconds = Math.ceil(live.ejectedForMs / 1000)
    return ['nothing', `it failed several times in a row and is left out for ${seconds} s more`]
  }
  if (state === 'draining') return ['requests', 'it is terminating, but no endpoint is ready']
  return ['requests', 'it is ready']
}

function hostTitle({ pattern }: Host): string {
  return pattern === '' ? 'the rule for every other host' : pattern
}

function ruleTitle({ path, pathText }: Rule): string {
  return pathText === '' ? 'the default backend' : `path ${pathText} (${path.type})`
}

function serviceTitle({ service, servicePort }: Backend): string {
  return `${service.namespace}/${service.name}:${servicePort}`
}

/** The explanation as text for a terminal. */
export function explanationText({ request, steps, status, rule, backends }: Explanation): string {
  const lines = [request, ...steps.map((step) => `  ${step}`)]
  for (const { name, config } of rule?.policies ?? []) {
    lines.push(`  policy ${name} ${JSON.stringify(config)}`)
  }
  for (const { service, share, algorithm, protocol, endpoints } of backends) {
    const part = share === 1 ? '' : ` ${Math.round(share * 1000) / 10} %`
    lines.push(`-> ${service}${part}, ${algorithm}, ${protocol}`)
    if (endpoints.length === 0) lines.push('   no endpoints')
    for (const { address, gets, why, state } of endpoints) {
      const load = state === undefined ? '' : ` (${state.requestsInFlight} in flight)`
      lines.push(`   ${address} gets ${gets}: ${why}${load}`)
    }
  }
  if (status !== undefined) lines.push(`-> ${status}`)
  return `${lines.join('\n')}\n`
}
