import type { Random } from '#algorithms/random.ts'
import type { Algorithm, Balancer, EndpointColumns, Outcome, PickInput } from '../balancer.ts'
import { CarryOver, carried } from '../carry-over.ts'
import { mayPick } from '../columns.ts'

/**
 * Smooth weighted round robin, as nginx has it: each endpoint in proportion to its weight, in the
 * smoothest sequence there is.
 *
 * When to use: few endpoints with small whole weights, or where nginx's very sequence is wanted.
 * Elsewhere `weighted` gives the same shares in O(1).
 * Cost: O(n); rebuild O(n).
 * Source: nginx commit 52327e0 (2012). Each pick adds to every eligible endpoint its effective
 * weight, takes the greatest (the first of equals) and subtracts the sum from that one. A failed
 * try takes the effective weight to 0 (nginx with max_fails=1); each pick gives 1 back. nginx begins
 * with the first endpoint; ours begins anywhere in the sequence, or workers would begin in step.
 */
export const smoothWeighted: Algorithm = {
  summary: "Every endpoint in proportion to its weight, in nginx's smooth sequence.",
  keyed: false,
  create: (columns, random) => new SmoothWeighted(columns, random),
}

/** The balancer behind {@link smoothWeighted}; open to view, as its states are part of its promise. */
export class SmoothWeighted implements Balancer {
  readonly #columns: EndpointColumns
  readonly #carryOver: CarryOver
  #current: Float64Array
  #effective: Float64Array

  constructor(columns: EndpointColumns, random: Random) {
    const { count, weight } = columns
    this.#columns = columns
    this.#carryOver = new CarryOver(columns)
    this.#effective = weight.slice(0, count)
    this.#current = this.#effective.map((own) => random() * own)
    this.#center()
  }

  /** Current weights after the last pick; they add up to 0. */
  get state(): Float64Array {
    return this.#current.slice()
  }

  rebuild(): void {
    const { count, weight } = this.#columns
    const from = this.#carryOver.next()
    if (from !== undefined) this.#current = carried(this.#current, from)
    this.#effective = weight.slice(0, count)
    this.#center()
  }

  pick(input: PickInput): number {
    const index = this.#greatest(input, false)
    return index < 0 && input.triedCount > 0 ? this.#greatest(input, true) : index
  }

  observe(index: number, _now: number, _latencyMs: number, outcome: Outcome): void {
    if (outcome !== 'success') this.#effective[index] = 0
  }

  #greatest(input: PickInput, again: boolean): number {
    const { count, weight } = this.#columns
    const current = this.#current
    const effective = this.#effective
    let best = -1
    let sum = 0
    for (let i = 0; i < count; i++) {
      if (!mayPick(this.#columns, i, input, again)) continue
      const own = effective[i] as number
      const moved = (current[i] as number) + own
      current[i] = moved
      sum += own
      const full = weight[i] as number
      if (own < full) effective[i] = Math.min(full, own + 1)
      if (best < 0 || moved > (current[best] as number)) best = i
    }
    if (best >= 0) current[best] = (current[best] as number) - sum
    return best
  }

  /** Makes the current weights add up to 0, as they do in every state of the sequence. */
  #center(): void {
    const sum = this.#current.reduce((total, own) => total + own, 0)
    const weightSum = this.#effective.reduce((total, own) => total + own, 0)
    if (sum === 0 || weightSum === 0) return
    const excess = sum / weightSum
    this.#current = this.#current.map((own, i) => own - excess * (this.#effective[i] as number))
  }
}
