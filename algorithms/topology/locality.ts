/** Endpoints of one locality (zone, region) and the weight that it shall have. */
export interface Locality {
  readonly weight: number
  readonly total: number
  readonly available: number
}

/**
 * Effective weights of localities: each keeps its weight until its available share falls below
 * 1 / overprovisioning, then gives way in proportion.
 *
 * When to use: traffic is split between zones by weights that somebody set.
 * Cost: O(localities), when health changes; choose by weighted draw.
 * Source: Envoy locality weighted load balancing, weight x min(1, 1.4 available / total).
 */
export function localityWeights(
  localities: readonly Locality[],
  overprovisioning = 1.4,
): Float64Array {
  return Float64Array.from(localities, ({ weight, total, available }) =>
    total === 0 ? 0 : weight * Math.min(1, (overprovisioning * available) / total),
  )
}

/** What a load-aware choice knows of a zone. */
export interface ZoneLoad {
  readonly healthy: number
  /** Smoothed utilization of its endpoints, 0 to 1. */
  readonly utilization: number
}

export interface LoadAwareOptions {
  /** The own zone keeps all traffic while it is at most so much fuller than the others. */
  readonly threshold?: number
  /** Share that goes to other zones all the same, so that their utilization stays known. */
  readonly probeShare?: number
}

/**
 * Shares of the traffic by zone from the load that endpoints report: the own zone while it is about
 * as free as the others, else all zones by their free capacity.
 *
 * When to use: traffic should stay in the zone but zones fill unevenly, and load is reported (ORCA).
 * Cost: O(zones), about once a second.
 * Source: Envoy load_aware_locality (2026): free capacity is healthy x (1 - utilization); by the
 * number of healthy endpoints when all are full. Shares add up to 1, or are all 0.
 */
export function loadAwareShares(
  zones: readonly ZoneLoad[],
  own: number,
  { threshold = 0.1, probeShare = 0.03 }: LoadAwareOptions = {},
): Float64Array {
  const free =
    normalized(zones.map(freeCapacity)) ?? normalized(zones.map(({ healthy }) => healthy))
  const shares = free ?? new Float64Array(zones.length)
  const local = zones[own]
  if (local === undefined || local.healthy === 0) return shares
  const remote = zones.filter((_, zone) => zone !== own)
  const remoteHealthy = remote.reduce((sum, { healthy }) => sum + healthy, 0)
  if (remoteHealthy === 0) return shares
  const remoteLoad = remote.reduce((sum, zone) => sum + zone.healthy * zone.utilization, 0)
  const stays = local.utilization <= remoteLoad / remoteHealthy + threshold
  if (!stays || local.utilization >= 1) return shares
  return shares.map((_, zone) =>
    zone === own
      ? 1 - probeShare
      : (probeShare * (zones[zone] as ZoneLoad).healthy) / remoteHealthy,
  )
}

/** One step of the smoothing of a zone's utilization; `weight` 0 to 1 is that of the new sample. */
export function smoothUtilization(smoothed: number, sample: number, weight = 0.2): number {
  return smoothed + weight * (sample - smoothed)
}

function freeCapacity({ healthy, utilization }: ZoneLoad): number {
  return healthy * Math.max(0, 1 - utilization)
}

function normalized(values: readonly number[]): Float64Array | undefined {
  const sum = values.reduce((all, own) => all + own, 0)
  return sum > 0 ? Float64Array.from(values, (own) => own / sum) : undefined
}
