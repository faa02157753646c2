import type { PickInput } from '#algorithms/balance/balancer.ts'
import type { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import type { LiveBackend, LiveBalancer } from './live-backend.ts'
import type { LiveEndpoint } from './live-endpoint.ts'

/** Failed tries in a row after which an endpoint is ejected (nginx max_fails, Envoy consecutive_gateway_failure). */
export const failuresInARow = 3
/** First back-off; it doubles with each further ejection. */
export const backOffMs = 5000
export const backOffMaxMs = 60_000

/** Slot 0 is shared by endpoints without a slot of their own, so nothing is learnt there. */
const overflowSlot = 0

/** Notes a failed try: connect, reset or timeout. True when it ejects the endpoint. */
export function recordFailure(
  memory: EndpointMemory,
  endpoint: LiveEndpoint,
  now: number,
): boolean {
  const { slot, cell } = endpoint
  memory.failures[cell] = (memory.failures[cell] as number) + 1
  if (slot === overflowSlot) return false
  const inARow = Atomics.add(memory.consecutiveFailures, slot, 1) + 1
  if (inARow < failuresInARow || (memory.ejectedUntil[slot] as number) > now) return false
  const times = Atomics.add(memory.ejections, slot, 1)
  memory.ejectedUntil[slot] = now + Math.min(backOffMaxMs, backOffMs * 2 ** Math.min(times, 8))
  return true
}

/** Notes a try that got a response head. */
export function recordSuccess(memory: EndpointMemory, { slot }: LiveEndpoint): void {
  if (memory.consecutiveFailures[slot] === 0) return
  Atomics.store(memory.consecutiveFailures, slot, 0)
  Atomics.store(memory.ejections, slot, 0)
  // A request that was under way says nothing against the checks.
  memory.ejectedUntil[slot] = Atomics.load(memory.unhealthy, slot) === 1 ? Infinity : 0
}

/**
 * Picks an endpoint and keeps away from ejected ones, whichever worker ejected them. An endpoint
 * whose back-off is over is tried first by a request that may be repeated. When every endpoint
 * would be out, ejection does not count.
 */
export function pickSound(
  backend: LiveBackend,
  { balancer }: LiveBalancer,
  input: PickInput,
  repeatable: boolean,
): LiveEndpoint | undefined {
  const { triedCount } = input
  let fallback: LiveEndpoint | undefined
  for (let turn = 0; turn <= backend.endpoints.length; turn++) {
    const endpoint = backend.pick(balancer, input)
    if (endpoint === undefined) break
    const until = backend.memory.ejectedUntil[endpoint.slot] as number
    if (until === 0 || endpoint.slot === overflowSlot) {
      input.triedCount = triedCount
      return endpoint
    }
    if (until > input.now) {
      if (!backend.holdBack(endpoint)) return endpoint
      continue
    }
    if (repeatable) return endpoint
    if (fallback === endpoint || input.triedCount >= input.tried.length) break
    fallback ??= endpoint
    input.tried[input.triedCount++] = endpoint.index
  }
  input.triedCount = triedCount
  return fallback
}
