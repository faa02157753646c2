/** A priority level of endpoints: traffic goes to the first level while that is well. */
export interface PriorityLevel {
  readonly total: number
  readonly healthy: number
  /** Usable but impaired: gets what the healthy endpoints of all levels cannot take. */
  readonly degraded?: number
}

export interface PriorityOptions {
  /** A level counts as full while this times its healthy share is 1. Envoy's default is 1.4. */
  readonly overprovisioning?: number
  /** A level with a smaller healthy share (0 to 1) ignores health when levels together lack capacity. */
  readonly panicThreshold?: number
}

/** Shares of the traffic in whole per cent; all of `healthy` and `degraded` add up to 100. */
export interface PriorityLoads {
  readonly healthy: readonly number[]
  readonly degraded: readonly number[]
  /** The level ignores health: so many endpoints are out that the rest would be overrun. */
  readonly panic: readonly boolean[]
}

/**
 * Priority failover with overprovisioning, and the panic threshold.
 *
 * When to use: a second set of endpoints (zone, cluster, static page) stands by for the first. The
 * first keeps all traffic until less than 1/1.4 = 72 % of it is healthy, then hands over smoothly.
 * Cost: O(levels), to be called when health changes; {@link choosePriority} per request.
 * Source: Envoy's priority levels, in its whole-number arithmetic: level health is
 * min(100, floor(140 healthy / total)), loads are scaled by the sum of healths, and what rounding
 * leaves goes to the first level with any health. Without any endpoint all loads are 0.
 */
export function priorityLoads(
  levels: readonly PriorityLevel[],
  { overprovisioning = 1.4, panicThreshold = 0.5 }: PriorityOptions = {},
): PriorityLoads {
  const percent = Math.round(overprovisioning * 100)
  const health = levels.map(({ healthy, total }) => levelHealth(percent * healthy, total))
  const impaired = levels.map(({ degraded = 0, total }) => levelHealth(percent * degraded, total))
  const sum =
    health.reduce((all, own) => all + own, 0) + impaired.reduce((all, own) => all + own, 0)
  const available = Math.min(100, sum)
  const panic = levels.map((level) => available < 100 && isInPanic(level, panicThreshold))
  if (panic.every(Boolean)) return { ...byTotals(levels), panic }
  const healthy: number[] = []
  const degraded: number[] = []
  const afterHealthy = distribute(healthy, health, { left: 100, available })
  const rest = distribute(degraded, impaired, { left: afterHealthy, available })
  const first = health.findIndex((own) => own > 0)
  const firstDegraded = impaired.findIndex((own) => own > 0)
  if (first >= 0) healthy[first] = (healthy[first] as number) + rest
  else if (firstDegraded >= 0) degraded[firstDegraded] = (degraded[firstDegraded] as number) + rest
  return { healthy, degraded, panic }
}

/**
 * Level for one request, from any 32-bit hash or random number: the index of the level, or
 * -1 - index where one of its degraded endpoints is due; undefined when no level has endpoints.
 */
export function choosePriority(loads: PriorityLoads, hash: number): number | undefined {
  const place = (hash % 100) + 1
  let end = 0
  for (const [level, load] of loads.healthy.entries()) {
    end += load
    if (place <= end) return level
  }
  for (const [level, load] of loads.degraded.entries()) {
    end += load
    if (place <= end) return -1 - level
  }
  return undefined
}

function levelHealth(percentTimesCount: number, total: number): number {
  return total === 0 ? 0 : Math.min(100, Math.floor(percentTimesCount / total))
}

function isInPanic({ healthy, degraded = 0, total }: PriorityLevel, threshold: number): boolean {
  return (total === 0 ? 0 : (healthy + degraded) / total) < threshold
}

/** Fills `loads` by health; what is left of the load. */
function distribute(
  loads: number[],
  health: readonly number[],
  { left, available }: { left: number; available: number },
): number {
  let rest = left
  for (const own of health) {
    const load = available === 0 ? 0 : Math.min(rest, Math.floor((own * 100) / available))
    loads.push(load)
    rest -= load
  }
  return rest
}

/** Every level is in panic: endpoints count, not their health. */
function byTotals(levels: readonly PriorityLevel[]): { healthy: number[]; degraded: number[] } {
  const total = levels.reduce((sum, level) => sum + level.total, 0)
  const healthy = levels.map((level) => (total === 0 ? 0 : Math.floor((100 * level.total) / total)))
  const first = levels.findIndex((level) => level.total > 0)
  const rest = 100 - healthy.reduce((sum, load) => sum + load, 0)
  if (first >= 0) healthy[first] = (healthy[first] as number) + rest
  return { healthy, degraded: levels.map(() => 0) }
}
