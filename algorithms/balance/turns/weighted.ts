import type { Random } from '#algorithms/random.ts'
import type { Algorithm, Balancer, EndpointColumns, PickInput } from '../balancer.ts'
import { CarryOver } from '../carry-over.ts'
import { mayPick } from '../columns.ts'
import { WeightedDraw } from './weighted-draw.ts'

/** Weights are scaled so that the greatest is this. */
const weightMax = 65_535
/** Phase between neighbours, about half of the modulus, so that equal light weights interleave. */
const phaseStep = 32_767

/**
 * Static stride: each endpoint in proportion to its weight, spread evenly in time.
 *
 * When to use: endpoints differ in size in a known way and requests cost about the same.
 * Cost: O(1) amortised (a round passes over an endpoint in proportion to how light it is);
 * rebuild O(n). Shares are exact to 1/65535 of the heaviest.
 * Source: gRPC A58 (static stride scheduler). In round g endpoint i is picked unless
 * (w_i g + 32767 i) mod 65535 < 65535 - w_i. We keep that remainder per endpoint and add w_i a
 * round, which needs no multiplication or division. Start at a random place, as there.
 */
export const weighted: Algorithm = {
  summary: 'Every endpoint in proportion to its weight, evenly interleaved.',
  keyed: false,
  create: (columns, random) => new StaticStride(columns, random),
}

export class StaticStride implements Balancer {
  readonly #columns: EndpointColumns
  readonly #random: Random
  readonly #draw: WeightedDraw
  readonly #carryOver: CarryOver
  /** Endpoints with a weight, their scaled weights and their remainders in the round to come. */
  #members = new Int32Array(0)
  #memberCount = 0
  #stride = new Int32Array(0)
  #remainder = new Int32Array(0)
  #next = 0

  constructor(columns: EndpointColumns, random: Random) {
    this.#columns = columns
    this.#random = random
    this.#draw = new WeightedDraw(columns, random)
    this.#carryOver = new CarryOver(columns)
    this.#restart()
  }

  rebuild(): void {
    this.#draw.rebuild()
    const same = this.#carryOver.next() === undefined
    // While the members stay, so do their remainders: only the strides change.
    if (!same || !this.#fillStrides()) this.#restart()
  }

  #restart(): void {
    const { count } = this.#columns
    this.#members = new Int32Array(count)
    this.#stride = new Int32Array(count)
    this.#remainder = new Int32Array(count)
    this.#fillStrides()
    const round = Math.floor(this.#random() * weightMax)
    for (let at = 0; at < this.#memberCount; at++) {
      this.#remainder[at] = ((this.#stride[at] as number) * round + at * phaseStep) % weightMax
    }
    this.#next = Math.floor(this.#random() * this.#memberCount)
    for (let at = 0; at < this.#next; at++) this.#advance(at)
  }

  /** Sets members and strides from the weights; whether the members are the same as before. */
  #fillStrides(): boolean {
    const { count, weight } = this.#columns
    let greatest = 0
    for (let i = 0; i < count; i++) greatest = Math.max(greatest, weight[i] as number)
    let at = 0
    let same = true
    for (let i = 0; i < count; i++) {
      const own = weight[i] as number
      if (own <= 0) continue
      if (this.#members[at] !== i) same = false
      this.#members[at] = i
      // A positive weight is at least one step: it is picked seldom, not never.
      this.#stride[at++] = Math.max(1, Math.round((own / greatest) * weightMax))
    }
    same &&= at === this.#memberCount
    this.#memberCount = at
    return same
  }

  pick(input: PickInput): number {
    const length = this.#memberCount
    // Within one round the heaviest is picked. Two rounds without a pick: it is not usable, and
    // the light ones could keep us waiting for thousands of rounds.
    for (let turn = 2 * length; turn > 0; turn--) {
      const at = this.#next
      this.#next = at + 1 === length ? 0 : at + 1
      const due = this.#advance(at)
      const index = this.#members[at] as number
      if (due && mayPick(this.#columns, index, input, false)) return index
    }
    return this.#draw.one(input)
  }

  /** Moves a member one round on; whether it is due in the round it leaves. */
  #advance(at: number): boolean {
    const stride = this.#stride[at] as number
    const remainder = this.#remainder[at] as number
    const moved = remainder + stride
    this.#remainder[at] = moved >= weightMax ? moved - weightMax : moved
    return remainder >= weightMax - stride
  }
}
