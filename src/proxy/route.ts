import { canonicalPath, differsUnderEncoding } from '#algorithms/match/canonical-path.ts'
import { hostOf } from '#algorithms/match/host-table.ts'
import { fieldId, fieldMask } from '#src/exchange/known-fields.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import { dropCertificateClaims } from '#src/policies/certificate-claims.ts'
import { identify } from './client-identity.ts'
import { contextOf } from './connection-context.ts'
import type { Exchange } from './exchange.ts'
import type { LiveRule } from './live-rule.ts'
import type { LiveTable } from './live-table.ts'
import { linkPolicies } from './policy-chain.ts'
import { PolicyRun } from './policy-run.ts'

const requestIdField = fieldId('x-request-id')
const requestIdMask = fieldMask('x-request-id')
/** Longer ids of clients are replaced, not cut: a part of an id is none. */
const requestIdBytesMax = 256

/**
 * Everything that is decided about a request before the first policy: who asks, for which host and
 * path, and which rule that is. Ends in `begin` with the rule, or in an answer of our own.
 */
export function route(exchange: Exchange): void {
  const { request, services, stream } = exchange
  const { table } = services
  const { peer } = stream
  const context = contextOf(peer)
  identify(exchange, request, peer, services)
  // An upstream that believes what we say of one host's clients may be asked for another host as well.
  if (table.tellingHosts > 0) dropCertificateClaims(request.fields)
  identifyRequest(exchange)
  if (request.target === '*') {
    exchange.reply({ status: 204 })
    return
  }
  const { hostGroup } = context.listener
  const known = knownRoute(request, table, hostGroup)
  if (!readPlace(exchange, known)) {
    exchange.fail('bad-path')
    return
  }
  // Routes are found by Host; the upstream is told the host that a trusted peer names, as in ingress-nginx.
  if (exchange.publicHost !== request.authority) {
    request.originalAuthority = request.authority
    request.authority = exchange.publicHost
  }
  if (table.misdirects(peer, hostGroup, exchange.host)) {
    exchange.fail('misdirected')
    return
  }
  const live = match(exchange, hostGroup, known)
  if (live === undefined) {
    leaveUnmatched(exchange)
    return
  }
  if (live.rule.settings.strictPath && differsUnderEncoding(request.target)) {
    exchange.live = live
    exchange.fail('bad-path')
    return
  }
  if (live.policies !== undefined) exchange.policies = new PolicyRun(exchange, live.policies)
  exchange.begin(live)
  while (exchange.policies?.rerouting === true) reroute(exchange, exchange.policies)
}

/** What a head led to, which heads that repeat it lead to as well while the table is the same. */
interface KnownRoute {
  /** Of the table when it was found. */
  readonly updates: number
  readonly group: string
  readonly host: string
  readonly path: string
  readonly live: LiveRule
}

function knownRoute(
  { origin }: RequestHead,
  table: LiveTable,
  group: string,
): KnownRoute | undefined {
  const known = origin?.kept.route as KnownRoute | undefined
  return known?.updates === table.updates && known.group === group ? known : undefined
}

/** Puts host and path in the form that is matched. False: the path is malformed. */
function readPlace(exchange: Exchange, known: KnownRoute | undefined): boolean {
  const { request } = exchange
  const path = known === undefined ? canonicalPath(request.target) : known.path
  if (path === undefined) return false
  exchange.path = path
  exchange.host = known === undefined ? hostOf(request.authority) : known.host
  return true
}

/** The rule for the request, looked up once for all that repeat its head. */
function match(
  exchange: Exchange,
  group: string,
  known: KnownRoute | undefined,
): LiveRule | undefined {
  if (known !== undefined) return known.live
  const { services, host, path, request } = exchange
  const { table } = services
  const live = table.match(group, host, path, request)
  const { origin } = request
  if (origin !== undefined && live !== undefined) {
    origin.kept.route = { updates: table.updates, group, host, path, live } satisfies KnownRoute
  }
  return live
}

/** No rule takes it, and what holds for every request holds for this one, too. */
function leaveUnmatched(exchange: Exchange): void {
  const { unmatched } = exchange.services.table
  if (unmatched !== undefined) {
    exchange.policies = new PolicyRun(exchange, unmatched)
    if (!exchange.policies.runRequestHead()) return
  }
  exchange.fail('no-route')
}

const noPolicies = linkPolicies([])

/** As nginx: a path may be rewritten so often, then it is taken for a loop. */
const reroutesMax = 10

/** Hands the exchange over to the rule for the path that a policy has put in place. */
function reroute(exchange: Exchange, before: PolicyRun): void {
  const { services, stream, host, path, request } = exchange
  before.end()
  exchange.policies = undefined
  if (before.reroutes >= reroutesMax) {
    exchange.fail('rewrite-loop')
    return
  }
  const group = contextOf(stream.peer).listener.hostGroup
  const live = services.table.match(group, host, path, request)
  if (live === undefined) {
    leaveUnmatched(exchange)
    return
  }
  const after = new PolicyRun(exchange, live.policies ?? noPolicies)
  after.follow(before)
  exchange.policies = after
  exchange.begin(live)
}

/** Every request has an id: the client's own, or a new one. */
function identifyRequest(exchange: Exchange): void {
  const { services, request } = exchange
  const { fields } = request
  if ((fields.mask & requestIdMask) !== 0) {
    const sent = fields.get('x-request-id') as string
    if (sent !== '' && sent.length <= requestIdBytesMax) {
      exchange.requestId = sent
      exchange.requestIdSent = true
      return
    }
    fields.removeKnown(requestIdMask)
  }
  exchange.requestId = services.requestIds.make()
  if (services.table.options.generateRequestId) {
    fields.appendKnown(requestIdField, 'X-Request-ID', exchange.requestId)
  }
}
