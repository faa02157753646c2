import type { PolicyUse } from '#src/policies/policy.ts'
import { defaultGlobalOptions, defaultRouteSettings } from './defaults.ts'
import { equal } from './equal.ts'
import type { Key } from './keys.ts'
import type {
  Authorities,
  Balance,
  Backend,
  Certificate,
  Endpoint,
  ErrorPages,
  Host,
  Listener,
  Origin,
  RouteTable,
  Rule,
  StreamRoute,
  WeightedBackend,
} from './table.ts'

/**
 * The table as text for people: golden files, `headgate routes` and the admin port show this. Sorted,
 * so that equal tables print alike; settings that are the defaults are left out; of a certificate it
 * shows the fingerprint, and never a key.
 */
export function printTable(table: RouteTable): string {
  const sections = [
    sorted(table.listeners, ({ protocol, port }) => [protocol, String(port)]).map((listener) =>
      printListener(listener, table),
    ),
    printOptions(table),
    ...sorted(table.hosts, ({ hostGroup, pattern }) => [hostGroup, pattern]).map((host) =>
      printHost(host, table),
    ),
    ...sorted(table.backends, ({ servicePort, service }) => [
      ...originParts(service),
      String(servicePort).padStart(5, '0'),
    ]).map(printBackend),
    ...sorted(table.certificates, ({ origin }) => originParts(origin)).map(printCertificate),
    ...sorted(table.authorities, ({ origin }) => originParts(origin)).map(printAuthorities),
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')
}

function printListener(listener: Listener, table: RouteTable): string {
  const { protocol, port, addresses, proxyProtocol, defaultCertificate, stream } = listener
  const certificate =
    defaultCertificate === undefined
      ? ''
      : ` certificate=${certificateName(defaultCertificate, table)}`
  const to = stream === undefined ? '' : ` -> ${printStream(stream, table)}`
  const on = addresses.length === 0 ? '' : ` on ${addresses.join(' ')}`
  return `listener ${protocol} ${port}${on}${proxyProtocol ? ' proxy-protocol' : ''}${certificate}${to}`
}

function printStream(stream: StreamRoute, table: RouteTable): string {
  const { backend, balance, sendProxyHeader } = stream
  const words = [backendName(backend, table), printBalance(balance)]
  if (sendProxyHeader) words.push('sends-proxy-header')
  return words.join(' ')
}

function printOptions({ options }: RouteTable): string[] {
  const { policies, ...others } = options
  const changed = printChanged(others, defaultGlobalOptions)
  return [
    ...(changed === '' ? [] : [`options ${changed}`]),
    ...(policies.length === 0
      ? []
      : ['without rule', ...policies.map((use) => `  ${printPolicy(use)}`)]),
  ]
}

function printHost(host: Host, table: RouteTable): string[] {
  const { pattern, tls, certificate, clientCertificates, handshake, passthrough, rules } = host
  const words = [`host ${pattern === '' ? '(any other)' : pattern}`]
  if (certificate !== undefined) words.push(`tls=${certificateName(certificate, table)}`)
  else if (tls) words.push('tls=(default certificate)')
  if (clientCertificates !== undefined) {
    words.push(`clients=${authoritiesName(clientCertificates.authorities, table)}`)
  }
  if (handshake !== undefined) {
    const { ciphers, preferServerOrder } = handshake
    if (ciphers.length > 0) words.push(`ciphers=${ciphers.join(':')}`)
    if (!preferServerOrder) words.push('client-order')
  }
  if (passthrough !== undefined) words.push(`tls-passthrough -> ${printStream(passthrough, table)}`)
  const lines =
    rules.length === 0 ? ['  none (404)'] : rules.flatMap((rule) => printRule(rule, table))
  return [words.join(' '), ...lines]
}

function printRule(rule: Rule, table: RouteTable): string[] {
  const { path, pathText, origin, settings, policies, backends, predicates } = rule
  const shown = path.type === 'prefix' ? `${path.value}/*` : path.value
  const conditions = predicates.map(
    ({ on, name, value }) => ` ${on}:${name}=${JSON.stringify(value)}`,
  )
  const lines = [
    `  ${path.type} ${shown}${conditions.join('')}  # ${printOrigin(origin)} ${pathText || '(default backend)'}`,
  ]
  const changed = printChanged(settings, defaultRouteSettings)
  if (changed !== '') lines.push(`    settings ${changed}`)
  lines.push(...policies.map((use) => `    ${printPolicy(use)}`))
  if (rule.canary !== undefined) lines.push(`    canary ${printMembers(rule.canary)}`)
  if (rule.canaryGroup !== undefined) {
    const { name, canaries } = rule.canaryGroup
    lines.push(`    canary-group ${name}`)
    lines.push(...canaries.map((one) => `      canary ${printMembers(one)}`))
  }
  if (backends.length === 0) lines.push('    -> none (503)')
  lines.push(...backends.flatMap((use) => printWeighted(use, backends.length, table)))
  if (rule.fallback !== undefined) {
    const [first = '', ...more] = printWeighted(rule.fallback.use, 1, table)
    lines.push(first.replace('->', 'without endpoints ->'), ...more)
  }
  if (rule.errorPages !== undefined) lines.push(...printErrorPages(rule.errorPages, table))
  return lines
}

function printErrorPages({ statuses, intercept, uses }: ErrorPages, table: RouteTable): string[] {
  const whose = intercept ? '' : ' of our own'
  const answered = `answered ${statuses.join(' ')}${whose}`
  if (uses.length === 0) return [`    ${answered} -> none (404)`]
  return uses.flatMap((use) => {
    const [first = '', ...more] = printWeighted(use, 1, table)
    return [first.replace('->', `${answered} ->`), ...more]
  })
}

function printWeighted(use: WeightedBackend, count: number, table: RouteTable): string[] {
  const { backend, balance, protocol, tls, followsScheme, policies, weight } = use
  const words = [`    -> ${backendName(backend, table)}`, printBalance(balance)]
  if (count > 1 || weight !== 1) words.push(`weight=${weight}`)
  if (protocol !== 'http1') words.push(protocol)
  if (use.connection !== undefined) words.push(`connection-${use.connection}`)
  if (followsScheme === true) words.push('by-scheme')
  if (tls !== undefined) words.push(tls.verify ? `tls verify=${tls.serverName}` : 'tls')
  return [words.join(' '), ...policies.map((policy) => `       ${printPolicy(policy)}`)]
}

function printBalance({ algorithm, options, hashKey, probePath }: Balance): string {
  const given = printMembers(options)
  const key = hashKey.map((part) => ('text' in part ? part.text : `\${${part.variable}}`)).join('')
  const by = key === '' ? '' : `by=${JSON.stringify(key)}`
  const probes = probePath === undefined ? '' : `probes=${JSON.stringify(probePath)}`
  return [algorithm, given, by, probes].filter(Boolean).join(' ')
}

/**
 * A policy's configuration as it may be shown to people: hashes of passwords stay out of whatever is
 * printed, dumped or explained; `users` counts them.
 */
export function shownPolicy({ name, config }: PolicyUse): PolicyUse {
  const { credentials, ...shown } = config as { readonly credentials?: readonly string[] }
  if (credentials === undefined) return { name, config }
  return { name, config: { ...shown, users: credentials.length / 2 } }
}

function printPolicy(use: PolicyUse): string {
  const { name, config } = shownPolicy(use)
  return [name, printMembers(config)].filter(Boolean).join(' ')
}

function printBackend(backend: Backend): string[] {
  const { endpoints, clientIpAffinitySeconds, healthCheck } = backend
  const affinity =
    clientIpAffinitySeconds > 0 ? ` client-ip-affinity=${clientIpAffinitySeconds}s` : ''
  const health = healthCheck === undefined ? '' : ` health-check ${printMembers(healthCheck)}`
  const lines = endpoints.length === 0 ? ['  none'] : endpoints.map(printEndpoint)
  return [`backend ${backendTitle(backend)}${affinity}${health}`, ...lines]
}

function printEndpoint({ address, port, uid, state, weight, zone, node }: Endpoint): string {
  const host = address.includes(':') ? `[${address}]` : address
  const words = [`  ${host}:${port}`, state]
  if (weight !== 1) words.push(`weight=${weight}`)
  if (uid !== '') words.push(`uid=${uid}`)
  if (zone !== '') words.push(`zone=${zone}`)
  if (node !== '') words.push(`node=${node}`)
  return words.join(' ')
}

function printCertificate({ origin, names, fingerprint, notAfterMs }: Certificate): string[] {
  const until = new Date(notAfterMs).toISOString()
  return [
    `certificate ${origin.namespace}/${origin.name} ${names.join(' ')}`,
    `  fingerprint=${fingerprint} not-after=${until}`,
  ]
}

function printAuthorities({ origin, fingerprint, crlPem }: Authorities): string[] {
  return [
    `authorities ${origin.namespace}/${origin.name}${crlPem === '' ? '' : ' with revocation list'}`,
    `  fingerprint=${fingerprint}`,
  ]
}

function authoritiesName(key: Key, table: RouteTable): string {
  const origin = table.authorities.get(key)?.origin
  return origin === undefined ? key : `${origin.namespace}/${origin.name}`
}

function backendName(key: Key, table: RouteTable): string {
  const backend = table.backends.get(key)
  return backend === undefined ? key : backendTitle(backend)
}

function backendTitle({ service, servicePort }: Backend): string {
  return `${service.namespace}/${service.name}:${servicePort}`
}

function certificateName(key: Key, table: RouteTable): string {
  const origin = table.certificates.get(key)?.origin
  return origin === undefined ? key : `${origin.namespace}/${origin.name}`
}

function printOrigin(origin: Origin): string {
  return originParts(origin).filter(Boolean).join('/').replace('/', ' ')
}

function originParts({ kind, namespace, name }: Origin): string[] {
  return [kind, namespace, name]
}

/** The members that differ from the defaults, nested ones in full. */
function printChanged(settings: object, defaults: object): string {
  const kept = new Map<string, unknown>(Object.entries(defaults))
  const changed = Object.entries(settings).filter(([name, value]) => !equal(value, kept.get(name)))
  return printMembers(Object.fromEntries(changed))
}

function printMembers(members: object): string {
  return Object.entries(members)
    .map(([name, value]) => `${name}=${value === Infinity ? 'Infinity' : JSON.stringify(value)}`)
    .join(' ')
}

function sorted<Part>(
  parts: ReadonlyMap<Key, Part>,
  by: (part: Part) => readonly string[],
): Part[] {
  return [...parts.values()]
    .map((part) => ({ part, order: by(part).join('\0') }))
    .toSorted((a, b) => compareText(a.order, b.order))
    .map(({ part }) => part)
}

/** By code unit, the same on every machine. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
