import { hashPair } from '#algorithms/hash.ts'

/** The part of the endpoint columns that decides where keys live. */
export interface PlacedNodes {
  readonly count: number
  readonly weight: Float64Array
  readonly identity: Uint32Array
}

/** Maps hashes of keys to nodes; the same nodes in another order give the same places. */
export interface Placement {
  /** The node of a hash (32 bits, signed or not), -1 when no node has a weight. No allocation. */
  locate(hash: number): number
  /** The nodes, their weights or identities changed. */
  rebuild(): void
}

/** The nodes that have a weight, in the order of their identities. */
export interface Members {
  /** Index of the node in the columns. */
  readonly index: Int32Array
  readonly identity: Uint32Array
  readonly weight: Float64Array
  readonly weightMax: number
  readonly equalWeights: boolean
}

/**
 * Sorts the nodes that take part by identity, so that their order in the columns does not matter.
 * Two nodes with the same 32-bit identity (one pair in 10,000 nodes at odds of 1 to 85) are told
 * apart by a second hash; a tie would leave one of them without keys.
 */
export function membersOf({ count, weight, identity }: PlacedNodes): Members {
  const order: number[] = []
  for (let i = 0; i < count; i++) if ((weight[i] as number) > 0) order.push(i)
  order.sort((a, b) => (identity[a] as number) - (identity[b] as number) || a - b)
  const index = Int32Array.from(order)
  const identities = Uint32Array.from(order, (i) => identity[i] as number)
  const weights = Float64Array.from(order, (i) => weight[i] as number)
  for (let at = 1, repeats = 0; at < order.length; at++) {
    const same = identity[order[at] as number] === identity[order[at - 1] as number]
    repeats = same ? repeats + 1 : 0
    if (repeats > 0) identities[at] = hashPair(identities[at] as number, repeats)
  }
  const weightMax = weights.reduce((greatest, own) => Math.max(greatest, own), 0)
  return {
    index,
    identity: identities,
    weight: weights,
    weightMax,
    equalWeights: weights.every((own) => own === weightMax),
  }
}
