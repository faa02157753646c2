import { hashText } from '#algorithms/hash.ts'
import type { StreamRoute } from '#src/table/table.ts'
import { pickSound } from '#src/upstream/ejection.ts'
import type { LiveBackend, LiveBalancer } from '#src/upstream/live-backend.ts'
import type { LiveEndpoint } from '#src/upstream/live-endpoint.ts'
import type { LinkContext } from './link.ts'
import type { Services } from './services.ts'

/** A stream route with its code attached: what a tunnel keeps from its beginning to its end. */
export interface LiveStream {
  readonly route: StreamRoute
  readonly backend: LiveBackend
  readonly balancer: LiveBalancer
}

/** Attaches backend and balancer. */
export function linkStream(route: StreamRoute, context: LinkContext): LiveStream {
  const backend = context.backendFor(route.backend)
  backend.users++
  return { route, backend, balancer: backend.balancerFor(route.balance) }
}

/** Gives back what a stream route holds. Tunnels that are open keep what they have. */
export function unlinkStream({ backend, balancer }: LiveStream, context: LinkContext): void {
  backend.releaseBalancer(balancer)
  backend.users--
  context.dropUnused(backend)
}

/**
 * An endpoint for a client of this address, other than those that failed; undefined when none is usable.
 * Below HTTP an address is all that there is to hash.
 */
export function pickStreamEndpoint(
  { backend, balancer: own }: LiveStream,
  address: string,
  failed: readonly LiveEndpoint[],
  { pickInput: input, now }: Pick<Services, 'pickInput' | 'now'>,
): LiveEndpoint | undefined {
  const balancer = own.keyed ? own : (backend.affinity ?? own)
  input.key = balancer.keyed ? hashText(address, 0) : 0
  input.now = now()
  input.triedCount = 0
  for (const { index } of failed) {
    if (index >= 0 && input.triedCount < input.tried.length) input.tried[input.triedCount++] = index
  }
  const endpoint = pickSound(backend, balancer, input, true)
  return endpoint !== undefined && failed.includes(endpoint) ? undefined : endpoint
}
