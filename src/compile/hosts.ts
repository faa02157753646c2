import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import { hostKey } from '#src/table/keys.ts'
import type { Key } from '#src/table/keys.ts'
import type { HandshakeTerms, Host, Rule, StreamRoute } from '#src/table/table.ts'
import { attachCanaries, routeKey } from './canaries.ts'
import type { HostClients } from './client-certificates.ts'
import { reportOn } from './findings.ts'
import type { ParsedIngress, ParsedRoute } from './ingress.ts'
import { ingressGroup } from './listeners.ts'
import { withAppRoot } from './app-root.ts'
import type { HostTls } from './tls.ts'

/** A route and the Ingress it stands in. */
export interface OwnedRoute {
  readonly parsed: ParsedIngress
  readonly route: ParsedRoute
  /** Alternatives for the same requests: one, or those of a group. */
  readonly canaries?: readonly OwnedRoute[]
}

/** What the Ingresses say about one host, conflicts decided. */
export interface HostParts {
  readonly routes: readonly OwnedRoute[]
  /** Ingresses with a rule for the host, oldest first. */
  readonly owners: readonly ParsedIngress[]
}

/** A host while it is being put together. */
interface Gathering {
  readonly taken: Map<Key, OwnedRoute>
  readonly owners: Set<ParsedIngress>
  fallback: OwnedRoute | undefined
}

/**
 * Brings the routes of all Ingresses together by host. `parsed` is sorted by age: of two routes for
 * the same host, path and type the first stays and the other's owner is told. A default backend
 * stays out where a rule for every path is there already.
 */
export function gatherHosts(
  parsed: readonly ParsedIngress[],
  diagnostics: Diagnostics,
): Map<string, HostParts> {
  const hosts = new Map<string, Gathering>()
  for (const owner of parsed) {
    if (owner.canary !== undefined) continue
    for (const host of owner.hosts) hostOf(hosts, host).owners.add(owner)
    for (const route of owner.routes) claim(hostOf(hosts, route.host), owner, route, diagnostics)
    for (const route of owner.fallbacks)
      fallBack(hostOf(hosts, route.host), owner, route, diagnostics)
  }
  attachCanaries(parsed, (host) => hosts.get(host)?.taken, diagnostics)
  return new Map(
    [...hosts].map(([host, gathering]) => [
      host,
      { routes: routesOf(gathering), owners: [...gathering.owners] },
    ]),
  )
}

function hostOf(hosts: Map<string, Gathering>, host: string): Gathering {
  let gathering = hosts.get(host)
  if (gathering === undefined) {
    gathering = { taken: new Map(), owners: new Set(), fallback: undefined }
    hosts.set(host, gathering)
  }
  return gathering
}

function claim(
  { taken }: Gathering,
  parsed: ParsedIngress,
  route: ParsedRoute,
  diagnostics: Diagnostics,
): void {
  const key = routeKey(route)
  const winner = taken.get(key)
  if (winner === undefined) {
    taken.set(key, { parsed, route })
    return
  }
  const shown = `${route.host || 'any host'} ${route.pathText} (${route.path.type})`
  reportConflict(shown, { parsed, route }, winner, diagnostics)
}

function fallBack(
  gathering: Gathering,
  parsed: ParsedIngress,
  route: ParsedRoute,
  diagnostics: Diagnostics,
): void {
  const winner = gathering.fallback
  if (winner === undefined) gathering.fallback = { parsed, route }
  else
    reportConflict(
      `the default backend of ${route.host || 'all other hosts'}`,
      { parsed, route },
      winner,
      diagnostics,
    )
}

function reportConflict(
  what: string,
  loser: OwnedRoute,
  winner: OwnedRoute,
  diagnostics: Diagnostics,
): void {
  const { namespace, name } = winner.parsed.ingress.metadata
  const message =
    winner.parsed === loser.parsed
      ? `${what} stands in this Ingress before, at ${winner.route.field}`
      : `${what} belongs to Ingress ${namespace}/${name}, which is older or comes first by name`
  reportOn(loser.parsed.ingress, diagnostics)('route-conflict', loser.route.field, message)
}

function routesOf({ taken, fallback }: Gathering): OwnedRoute[] {
  const routes = [...taken.values()]
  const everything = routes.some(
    ({ route }) => route.path.type === 'prefix' && route.path.value === '',
  )
  if (fallback !== undefined && !everything) routes.push(fallback)
  return routes
}

/** What a host asks of TLS with its clients. */
export interface HostDemands {
  readonly clients: HostClients | undefined
  readonly handshake: HandshakeTerms | undefined
  readonly passthrough: StreamRoute | undefined
}

/** The host as the table has it, its rules sorted; `fallback` takes what none of them matches. */
export function assembleHost(
  pattern: string,
  { named, certificate, clients, handshake, passthrough }: HostTls & HostDemands,
  sorted: readonly Rule[],
  fallback: Rule | undefined,
): Host {
  const everything = sorted.at(-1)?.path
  const open = everything?.type !== 'prefix' || everything.value !== ''
  return {
    key: hostKey(ingressGroup, pattern),
    hostGroup: ingressGroup,
    pattern,
    rules: withAppRoot(pattern, fallback !== undefined && open ? [...sorted, fallback] : sorted),
    certificate: certificate?.key,
    tls: named,
    clientCertificates: clients?.asked,
    ...(handshake !== undefined && { handshake }),
    ...(passthrough !== undefined && { passthrough }),
  }
}
