import { canonicalPath, differsUnderEncoding } from '#algorithms/match/canonical-path.ts'
import { hostOf } from '#algorithms/match/host-table.ts'
import { fieldId, fieldMask } from '#src/exchange/known-fields.ts'
import { dropCertificateClaims } from '#src/policies/certificate-claims.ts'
import { identify } from './client-identity.ts'
import { contextOf } from './connection-context.ts'
import type { Exchange } from './exchange.ts'
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
  const path = canonicalPath(request.target)
  if (path === undefined) {
    exchange.fail('bad-path')
    return
  }
  exchange.path = path
  exchange.host = hostOf(request.authority)
  // Routes are found by Host; the upstream is told the host that a trusted peer names, as in ingress-nginx.
  if (exchange.publicHost !== request.authority) request.authority = exchange.publicHost
  if (table.misdirects(peer, context.listener.hostGroup, exchange.host)) {
    exchange.fail('misdirected')
    return
  }
  const live = table.match(context.listener.hostGroup, exchange.host, path, request)
  if (live === undefined) {
    exchange.fail('no-route')
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
    exchange.fail('no-route')
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
      return
    }
    fields.removeKnown(requestIdMask)
  }
  exchange.requestId = services.requestIds.make()
  if (services.table.options.generateRequestId) {
    fields.appendKnown(requestIdField, 'X-Request-ID', exchange.requestId)
  }
}
