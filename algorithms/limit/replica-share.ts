/**
 * A replica's equal part of a limit for all: the quotient, and one more for each of the lowest
 * indices until the remainder is used up. The parts of all replicas add up to the limit.
 *
 * When to use: replicas share a limit without talking to each other, and clients spread evenly.
 * Cost: O(1), when membership changes. Source: Envoy local_cluster_rate_limit.
 */
export function replicaShare(limit: number, replicas: number, index: number): number {
  const whole = Math.floor(limit / replicas)
  return whole + (index < limit - whole * replicas ? 1 : 0)
}

/**
 * A replica's part of a limit by demand: max-min fair, so that a replica that few clients reach
 * leaves its part to the others, and what nobody wants is shared out evenly. The parts of all
 * replicas that know the same demands add up to the limit.
 *
 * When to use: clients are uneven (a few large ones stick to one replica), and replicas tell each
 * other their demand about once a second. An equal part would waste up to (n - 1)/n of the limit.
 * Cost: O(n log n). Source: max-min fairness (Bertsekas and Gallager, Data Networks, 6.5.2).
 *
 * `demands`: requests a second offered to each replica.
 */
export function demandShare(limit: number, demands: readonly number[], index: number): number {
  const order = demands.map((demand, replica) => ({ demand, replica }))
  order.sort((a, b) => a.demand - b.demand || a.replica - b.replica)
  let left = limit
  let own = 0
  for (const [place, { demand, replica }] of order.entries()) {
    const part = Math.min(Math.max(0, demand), left / (order.length - place))
    if (replica === index) own = part
    left -= part
  }
  return own + left / order.length
}
