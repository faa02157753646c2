import { mixInteger } from '#algorithms/hash.ts'
import type { PlacedNodes, Placement } from './placement.ts'

// 2862933555777941757, the multiplier of the generator, in 32-bit halves.
const factorHigh = 0x27bb2ee6
const factorLow = 0x87b0b0fd

/**
 * Jump consistent hash: the bucket of a 64-bit key among `buckets`, without any table.
 *
 * Shares are perfectly even, and from n to n + 1 buckets 1/(n + 1) of the keys move.
 * Cost: O(ln n). `high` and `low` are the halves of the key.
 * Source: Lamping and Veach 2014 (arXiv 1406.2294).
 */
export function jumpHash(high: number, low: number, buckets: number): number {
  let bucket = -1
  let next = 0
  let keyHigh = high | 0
  let keyLow = low >>> 0
  while (next < buckets) {
    bucket = next
    // key = key * factor + 1 modulo 2^64, in halves: JavaScript has no 64-bit product.
    keyHigh =
      (Math.imul(keyHigh, factorLow) + Math.imul(keyLow, factorHigh) + highOfProduct(keyLow)) | 0
    keyLow = (Math.imul(keyLow, factorLow) + 1) >>> 0
    if (keyLow === 0) keyHigh = (keyHigh + 1) | 0
    next = Math.floor((bucket + 1) * (2_147_483_648 / ((keyHigh >>> 1) + 1)))
  }
  return bucket
}

/** Upper 32 bits of low * factorLow, from products of 16-bit halves. */
function highOfProduct(low: number): number {
  const lowLow = (low & 0xffff) * (factorLow & 0xffff)
  const lowHigh = (low & 0xffff) * (factorLow >>> 16)
  const highLow = (low >>> 16) * (factorLow & 0xffff)
  const middle = (lowLow >>> 16) + (lowHigh & 0xffff) + (highLow & 0xffff)
  const upper = (low >>> 16) * (factorLow >>> 16)
  return upper + (lowHigh >>> 16) + (highLow >>> 16) + (middle >>> 16)
}

/**
 * Placement by {@link jumpHash} over the nodes in the order of their columns.
 *
 * When to use: numbered shards only, where nodes come and go at the end of the list (a StatefulSet).
 * Weights other than 0 do not count; the keys of a node without weight are placed elsewhere by the
 * balancer.
 */
export class Jump implements Placement {
  readonly #nodes: PlacedNodes

  constructor(nodes: PlacedNodes) {
    this.#nodes = nodes
  }

  locate(hash: number): number {
    return jumpHash(mixInteger(hash), hash, this.#nodes.count)
  }

  /** Nothing is kept. */
  rebuild(): void {}
}
