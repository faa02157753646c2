import type { PickInput } from '#algorithms/balance/balancer.ts'
import { pickSound } from '#src/upstream/ejection.ts'
import type { LiveEndpoint } from '#src/upstream/live-endpoint.ts'
import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import { isIdempotent } from './failures.ts'
import { hashKeyOf } from './hash-key.ts'
import type { LiveTarget } from './live-rule.ts'
import { sentSession } from './sessions.ts'

/** An endpoint of the target for the exchange's next try, or undefined when none is usable. */
export function pickEndpoint(
  exchange: Exchange,
  target: LiveTarget,
  now: number,
): LiveEndpoint | undefined {
  const { backend } = target
  const balancer = target.balancer.keyed ? target.balancer : (backend.affinity ?? target.balancer)
  const { pickInput: input } = exchange.services
  if (balancer.keyed && exchange.hashKey < 0) {
    exchange.hashKey =
      balancer.sessions !== undefined && backend.sessions !== undefined
        ? backend.sessions.keyOf(sentSession(exchange, target), balancer.sessions)
        : hashKeyOf(exchange, balancer.balance.hashKey)
  }
  input.key = balancer.keyed ? exchange.hashKey : 0
  input.now = now
  input.triedCount = 0
  if (exchange.failedEndpoints !== undefined) avoid(exchange.failedEndpoints, input)
  const endpoint = pickSound(backend, balancer, input, isIdempotent(exchange.request.method))
  exchange.sessionKey = balancer.sessions === 'key' ? input.session : 0
  if (balancer.probes) exchange.services.loadProbes.send(target, balancer)
  return endpoint
}

function avoid(failed: readonly LiveEndpoint[], input: PickInput): void {
  for (const { index } of failed) {
    // Negative: the table changed and the endpoint is gone.
    if (index >= 0 && input.triedCount < input.tried.length) input.tried[input.triedCount++] = index
  }
}

/** Tells the balancer how a try went. `status` 0: it failed. */
export function observeTry(attempt: Attempt, now: number, latencyMs: number, status: number): void {
  const { balancer } = attempt.target.balancer
  const { index } = attempt.endpoint
  if (balancer.observe === undefined || index < 0) return
  if (status === 429 || status === 503) balancer.observe(index, now, latencyMs, 'overload')
  else
    balancer.observe(index, now, latencyMs, status === 0 || status >= 500 ? 'failure' : 'success')
}
