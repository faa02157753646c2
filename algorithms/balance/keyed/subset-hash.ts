import { hashPair } from '#algorithms/hash.ts'
import { Maglev } from '#algorithms/hash/maglev.ts'
import type { PlacedNodes } from '#algorithms/hash/placement.ts'
import type { Random } from '#algorithms/random.ts'
import type {
  Algorithm,
  BalanceOptions,
  Balancer,
  EndpointColumns,
  PickInput,
} from '../balancer.ts'
import { mayPick } from '../columns.ts'
import { WeightedDraw } from '../turns/weighted-draw.ts'

/** Endpoints in a group: the default of ingress-nginx. */
export const defaultSubsetSize = 3

/** Groups a key asks before it takes any endpoint. */
const groupsMax = 16

/**
 * Subset hashing: the key chooses a group of endpoints, chance one of the group.
 *
 * When to use: a key is too hot for one endpoint, or must survive the loss of one, and still should
 * meet few.
 * Cost: O(group); rebuild some milliseconds; 128 KiB.
 * Source: ingress-nginx upstream-hash-by-subset: groups are filled in order and the last is padded
 * with the first endpoints. Ours orders endpoints by identity, so that workers agree, places keys on
 * groups by Maglev where that has a ring, draws by weight in the group, and goes on to the key's
 * next group where none may be picked.
 */
export const subsetHash: Algorithm = {
  summary: 'By the hash of a key to a small group of endpoints, and any one of the group.',
  keyed: true,
  create: (columns, random, options) => new SubsetHash(columns, random, options),
}

class SubsetHash implements Balancer {
  readonly #columns: EndpointColumns
  readonly #random: Random
  readonly #size: number
  readonly #draw: WeightedDraw
  readonly #groups: PlacedNodes & { count: number; weight: Float64Array; identity: Uint32Array }
  readonly #placement: Maglev
  /** Members of group g: from g * size. */
  #members = new Int32Array(0)

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    this.#columns = columns
    this.#random = random
    this.#size = Math.max(1, options.subsetSize ?? defaultSubsetSize)
    this.#draw = new WeightedDraw(columns, random)
    this.#groups = { count: 0, weight: new Float64Array(0), identity: new Uint32Array(0) }
    this.#placement = new Maglev(this.#groups)
    this.rebuild()
  }

  rebuild(): void {
    const { count, weight, identity } = this.#columns
    this.#draw.rebuild()
    const order: number[] = []
    for (let i = 0; i < count; i++) if ((weight[i] as number) > 0) order.push(i)
    order.sort((a, b) => (identity[a] as number) - (identity[b] as number) || a - b)
    const groups = this.#groups
    groups.count = Math.ceil(order.length / this.#size)
    groups.weight = new Float64Array(groups.count).fill(1)
    groups.identity = Uint32Array.from({ length: groups.count }, (_, group) => group)
    this.#members = Int32Array.from(
      { length: groups.count * this.#size },
      (_, place) => order[place % order.length] as number,
    )
    this.#placement.rebuild()
  }

  pick(input: PickInput): number {
    let hash = input.key | 0
    for (let turn = 1; turn <= groupsMax; turn++) {
      const group = this.#placement.locate(hash)
      if (group < 0) return -1
      const index = this.#drawFrom(group, input)
      if (index >= 0) return index
      hash = hashPair(input.key | 0, turn)
    }
    return this.#draw.one(input)
  }

  #drawFrom(group: number, input: PickInput): number {
    const { weight } = this.#columns
    const members = this.#members
    const start = group * this.#size
    const end = start + this.#size
    let sum = 0
    for (let at = start; at < end; at++) {
      const index = members[at] as number
      if (mayPick(this.#columns, index, input, false)) sum += weight[index] as number
    }
    if (sum === 0) return -1
    let rest = this.#random() * sum
    let last = -1
    for (let at = start; at < end; at++) {
      const index = members[at] as number
      if (!mayPick(this.#columns, index, input, false)) continue
      last = index
      rest -= weight[index] as number
      if (rest < 0) break
    }
    return last
  }
}
