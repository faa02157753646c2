import { hashPair } from '#algorithms/hash.ts'
import { membersOf } from './placement.ts'
import type { PlacedNodes, Placement } from './placement.ts'

/** Points per node of mean weight, as in nginx: shares differ by 8 % (standard deviation). */
export const ringPoints = 160

/** Most points of a ring. Beyond some 3,000 nodes each has fewer. */
const pointsMax = 524_288
/** A point and the number of its owner share a 53-bit number, so that sorting is native. */
const ownersMax = 2 ** 21

/**
 * Ring (ketama): each node owns points on a circle of 2^32, a key belongs to the first point at or
 * after its hash.
 *
 * When to use: where exactly the keys of a lost node may move and no others, and nodes are too many
 * for {@link Rendezvous}. Shares are uneven: with 160 points the busiest of 100 nodes holds 1.2
 * times the mean.
 * Cost: locate O(log points); rebuild O(points log points); 8 bytes a point.
 * Source: Karger et al., STOC 1997; points per weight as in libketama and nginx.
 */
export class Ring implements Placement {
  readonly #nodes: PlacedNodes
  readonly #pointsPerNode: number
  #point = new Uint32Array(0)
  #owner = new Int32Array(0)
  #stale = true

  constructor(nodes: PlacedNodes, pointsPerNode = ringPoints) {
    this.#nodes = nodes
    this.#pointsPerNode = pointsPerNode
  }

  locate(hash: number): number {
    if (this.#stale) this.#build()
    const owner = this.#owner
    if (owner.length === 0) return -1
    const at = firstAtOrAfter(this.#point, hash)
    return owner[at === owner.length ? 0 : at] as number
  }

  /** The ring is built when it is next asked: several changes in a row cost one building. */
  rebuild(): void {
    this.#stale = true
  }

  #build(): void {
    const { index, identity, weight } = membersOf(this.#nodes)
    const perNode = Math.min(this.#pointsPerNode, pointsMax / Math.max(1, index.length))
    const meanWeight = weight.reduce((sum, own) => sum + own, 0) / weight.length
    const counts = weight.map((own) => Math.max(1, Math.round((own / meanWeight) * perNode)))
    const packed = new Float64Array(counts.reduce((sum, count) => sum + count, 0))
    let at = 0
    for (let member = 0; member < index.length; member++) {
      const count = counts[member] as number
      for (let k = 0; k < count; k++) {
        packed[at++] = (hashPair(identity[member] as number, k) >>> 0) * ownersMax + member
      }
    }
    packed.sort()
    this.#point = new Uint32Array(packed.length)
    this.#owner = new Int32Array(packed.length)
    for (let place = 0; place < packed.length; place++) {
      const both = packed[place] as number
      const point = Math.floor(both / ownersMax)
      this.#point[place] = point
      this.#owner[place] = index[both - point * ownersMax] as number
    }
    this.#stale = false
  }
}

/** Place of the first number that is not below the 32-bit `hash`; the length when all are. */
export function firstAtOrAfter(sorted: Uint32Array, hash: number): number {
  const value = hash >>> 0
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
