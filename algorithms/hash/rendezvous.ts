import { mixInteger } from '#algorithms/hash.ts'
import { membersOf } from './placement.ts'
import type { Members, PlacedNodes, Placement } from './placement.ts'

/**
 * Rendezvous (highest random weight): every node bids for a key, the highest bid wins.
 *
 * When to use: up to some dozens of nodes; no memory, no rebuild, shares as even as the keys, any
 * weights, and exactly the keys of a lost node move, to all others evenly.
 * Cost: locate O(n), 2 ns a node (20 ns when weights differ); rebuild O(n log n), no table.
 * Source: Thaler and Ravishankar, IEEE/ACM ToN 1998; weights by -w / ln(u) as in Schindelhauer and
 * Schomaker 2005. Equal weights compare hashes alone, which is the same order.
 */
export class Rendezvous implements Placement {
  readonly #nodes: PlacedNodes
  #members: Members
  /** Identities, spread once, so that a bid is one round of mixing. */
  #spread: Uint32Array

  constructor(nodes: PlacedNodes) {
    this.#nodes = nodes
    this.#members = membersOf(nodes)
    this.#spread = this.#members.identity.map(mixInteger)
  }

  rebuild(): void {
    this.#members = membersOf(this.#nodes)
    this.#spread = this.#members.identity.map(mixInteger)
  }

  locate(hash: number): number {
    const best = this.#members.equalWeights ? this.#highest(hash) : this.#highestWeighted(hash)
    return best < 0 ? -1 : (this.#members.index[best] as number)
  }

  #highest(hash: number): number {
    const spread = this.#spread
    const salt = Math.imul(hash, 0x9e3779b1)
    let best = -1
    let highest = -1
    for (let member = 0; member < spread.length; member++) {
      const bid = mixInteger((spread[member] as number) ^ salt) >>> 0
      if (bid <= highest) continue
      highest = bid
      best = member
    }
    return best
  }

  #highestWeighted(hash: number): number {
    const spread = this.#spread
    const { weight } = this.#members
    const salt = Math.imul(hash, 0x9e3779b1)
    let best = -1
    let highest = -1
    for (let member = 0; member < spread.length; member++) {
      const bits = mixInteger((spread[member] as number) ^ salt) >>> 0
      const uniform = (bits + 0.5) / 4_294_967_296
      const bid = -(weight[member] as number) / Math.log(uniform)
      if (bid <= highest) continue
      highest = bid
      best = member
    }
    return best
  }
}
