/** Hosts by zone. The zones of both lists are the same, in the same order. */
export interface ZoneHosts {
  /** Healthy balancers (our replicas). */
  readonly balancers: readonly number[]
  /** Healthy endpoints. */
  readonly endpoints: readonly number[]
  /** The zone we are in. */
  readonly own: number
}

export interface ZoneAwareOptions {
  /** With fewer endpoints in all, zones do not count. Envoy's default is 6. */
  readonly endpointsMin?: number
}

/** Where requests go by zone. */
export interface ZonePlan {
  /** Share of requests that stay in the own zone, 0 to 1. */
  readonly stays: number
  /** Running sums, by zone, of what the zones can take from others, in 1/1000 per cent of all. */
  readonly residual: readonly number[]
}

/** 1/1000 per cent: the resolution of residuals. */
const scale = 100_000

/**
 * Zone-aware routing: as many requests as possible stay in the zone, and still every endpoint gets
 * the same.
 *
 * When to use: zones cost money or time, and load must stay even. Balancers are taken to receive
 * equal traffic, so a zone with a smaller share of the endpoints than of the balancers sends its
 * surplus to zones with room.
 * Cost: O(zones), when the sets change; {@link chooseZone} per request.
 * Source: Envoy zone aware routing. Undefined: zones do not count (too few endpoints, none in the
 * own zone or no balancer known there); the caller leaves it also where a panic or a lower priority
 * is in force.
 */
export function planZones(
  { balancers, endpoints, own }: ZoneHosts,
  { endpointsMin = 6 }: ZoneAwareOptions = {},
): ZonePlan | undefined {
  const allBalancers = sumOf(balancers)
  const allEndpoints = sumOf(endpoints)
  const hereBalancers = balancers[own] ?? 0
  const hereEndpoints = endpoints[own] ?? 0
  if (allEndpoints < endpointsMin || hereBalancers === 0 || hereEndpoints === 0) return undefined
  const balancerShare = hereBalancers / allBalancers
  const endpointShare = hereEndpoints / allEndpoints
  let sum = 0
  const residual = endpoints.map((count, zone) => {
    const surplus = count / allEndpoints - (balancers[zone] ?? 0) / allBalancers
    sum += Math.max(0, Math.round(surplus * scale))
    return sum
  })
  return { stays: Math.min(1, endpointShare / balancerShare), residual }
}

/** Zone for one request, from two uniform numbers in [0, 1). */
export function chooseZone(plan: ZonePlan, own: number, first: number, second: number): number {
  if (first < plan.stays) return own
  const total = plan.residual.at(-1) ?? 0
  const place = second * total
  for (let zone = 0; zone < plan.residual.length; zone++) {
    if (place < (plan.residual[zone] as number)) return zone
  }
  return own
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, own) => sum + own, 0)
}
