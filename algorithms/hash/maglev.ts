import { hashPair } from '#algorithms/hash.ts'
import { membersOf } from './placement.ts'
import type { PlacedNodes, Placement } from './placement.ts'

/** Slots of a table: a prime, as in the paper and in Envoy. */
export const maglevSize = 65_537

const offsetSeed = 0x6d61676c
const skipSeed = 0x65762121

/**
 * Maglev: a table of M slots that the nodes fill in turn, each by a permutation of its own.
 *
 * When to use: the best balance a table can give (shares differ by one slot), at one memory read a
 * key. When one of 1000 nodes goes, 0.7 % of the keys move where 0.1 % would have to.
 * Cost: locate O(1); rebuild O(M log M) on average, some milliseconds; M x 2 bytes.
 * Source: Eisenbud et al., "Maglev", NSDI 2016; weights as in Envoy: a node of half the greatest
 * weight takes every other turn.
 */
export class Maglev implements Placement {
  readonly #nodes: PlacedNodes
  readonly #size: number
  #table: Uint16Array | Int32Array = new Uint16Array(0)
  #stale = true

  constructor(nodes: PlacedNodes, size = maglevSize) {
    this.#nodes = nodes
    this.#size = size
  }

  locate(hash: number): number {
    if (this.#stale) this.#build()
    const { length } = this.#table
    // Scaling keeps the high bits of the hash where a remainder would cost a division.
    return length === 0
      ? -1
      : (this.#table[((hash >>> 0) * (length / 4_294_967_296)) | 0] as number)
  }

  /** The table is built when it is next asked: several changes in a row cost one building. */
  rebuild(): void {
    this.#stale = true
  }

  #build(): void {
    const { index, identity, weight, weightMax } = membersOf(this.#nodes)
    this.#stale = false
    if (index.length === 0) {
      this.#table = new Uint16Array(0)
      return
    }
    const size = this.#size
    const slots = fillSlots({
      size,
      offset: identity.map((id) => (hashPair(offsetSeed, id) >>> 0) % size),
      skip: identity.map((id) => ((hashPair(skipSeed, id) >>> 0) % (size - 1)) + 1),
      turnEvery: weight.map((own) => weightMax / own),
    })
    const table = this.#nodes.count > 0xffff ? new Int32Array(size) : new Uint16Array(size)
    for (let slot = 0; slot < size; slot++) table[slot] = index[slots[slot] as number] as number
    this.#table = table
  }
}

/** What {@link fillSlots} needs: per node the start and step of its permutation, and its turns. */
export interface MaglevInput {
  /** Number of slots, a prime. */
  readonly size: number
  /** 0 to size - 1. */
  readonly offset: ArrayLike<number>
  /** 1 to size - 1. */
  readonly skip: ArrayLike<number>
  /** Rounds per turn, >= 1: the greatest weight divided by the node's. */
  readonly turnEvery: ArrayLike<number>
}

/** The node of each slot. */
export function fillSlots({ size, offset, skip, turnEvery }: MaglevInput): Int32Array {
  const nodes = offset.length
  const slots = new Int32Array(size).fill(-1)
  const position = Int32Array.from(offset)
  const turns = new Int32Array(nodes)
  const rounds = new Rounds(size, nodes)
  for (let node = 0; node < nodes; node++) rounds.add(0, node)
  let filled = 0
  for (let round = 0; filled < size; round++) {
    let node = rounds.first(round)
    while (node >= 0 && filled < size) {
      const following = rounds.after(node)
      const slot = nextFree(slots, position[node] as number, skip[node] as number)
      slots[slot] = node
      filled++
      position[node] = slot
      const turn = (turns[node] as number) + 1
      turns[node] = turn
      rounds.add(Math.ceil(turn * (turnEvery[node] as number)), node)
      node = following
    }
  }
  return slots
}

function nextFree(slots: Int32Array, from: number, skip: number): number {
  const { length } = slots
  let slot = from
  while ((slots[slot] as number) >= 0) {
    slot += skip
    if (slot >= length) slot -= length
  }
  return slot
}

/** Nodes by the round of their next turn: a node with few turns costs nothing in between. */
class Rounds {
  readonly #size: number
  readonly #head: Int32Array
  readonly #tail: Int32Array
  readonly #next: Int32Array

  constructor(size: number, nodes: number) {
    this.#size = size
    this.#head = new Int32Array(size).fill(-1)
    this.#tail = new Int32Array(size).fill(-1)
    this.#next = new Int32Array(nodes).fill(-1)
  }

  first(round: number): number {
    return this.#head[round] as number
  }

  after(node: number): number {
    return this.#next[node] as number
  }

  add(round: number, node: number): void {
    // The heaviest node fills a slot a round, so the table is full before this round.
    if (round >= this.#size) return
    const last = this.#tail[round] as number
    if (last < 0) this.#head[round] = node
    else this.#next[last] = node
    this.#tail[round] = node
    this.#next[node] = -1
  }
}
