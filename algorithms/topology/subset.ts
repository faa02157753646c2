import { hashPair } from '#algorithms/hash.ts'
import type { Random } from '#algorithms/random.ts'
import { seededRandom } from '#algorithms/random.ts'

/**
 * Subsetting: each of many balancers talks to `size` of many endpoints, so that connections stay
 * few. Needed above some 10,000 pairs of balancer and endpoint. All functions give indices.
 */

/**
 * Random subset: shuffle and take the first.
 *
 * When to use: never where load matters; kept as the base line. With 300 balancers, 300 endpoints
 * and subsets of 30 the busiest endpoint has 1.5 times the mean.
 * Cost: O(count). Source: SRE book, chapter 20.
 */
export function randomSubset(count: number, size: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index)
  const taken = Math.min(size, count)
  for (let at = 0; at < taken; at++) {
    const other = at + Math.floor(random() * (count - at))
    const index = order[at] as number
    order[at] = order[other] as number
    order[other] = index
  }
  return order.slice(0, taken)
}

/**
 * Deterministic subset: balancers in rounds; in a round each endpoint is in exactly one subset.
 *
 * When to use: balancers have contiguous numbers (`id`, from a Lease or their order) and the set of
 * endpoints is steady: a change reshuffles most subsets.
 * Cost: O(count). Source: SRE book, chapter 20. Of `count` endpoints, count mod size sit a round out.
 */
export function deterministicSubset(count: number, size: number, id: number): Int32Array {
  if (size >= count) return Int32Array.from({ length: count }, (_, index) => index)
  const subsets = Math.floor(count / size)
  const round = Math.floor(id / subsets)
  const shuffled = randomSubset(count, count, seededRandom(round))
  const start = (id % subsets) * size
  return shuffled.slice(start, start + size)
}

/**
 * Rendezvous subset: the `size` endpoints whose hash with the balancer's seed is greatest.
 *
 * When to use: endpoints come and go: one change alters at most one place in each subset. Load is as
 * uneven as with random subsets.
 * Cost: O(count log count). Source: gRPC A68.
 */
export function rendezvousSubset(identities: Uint32Array, size: number, seed: number): Int32Array {
  const bids = Array.from(identities, (identity, index) => ({
    bid: hashPair(seed, identity),
    index,
  }))
  bids.sort((a, b) => b.bid - a.bid || a.index - b.index)
  return Int32Array.from(bids.slice(0, size), ({ index }) => index)
}
