import type { Random } from '#algorithms/random.ts'
import type { EndpointColumns, PickInput } from '../balancer.ts'
import { mayPick, wasTried } from '../columns.ts'

/** Most endpoints of one draw. */
export const drawnMax = 16

/** Draws in a row that may hit what must not be drawn, before a scan settles the matter. */
const missesMax = 8

/**
 * Draws distinct endpoints at random in proportion to their weights.
 *
 * Cost: O(1) per endpoint drawn while most are usable, else O(n); rebuild O(n).
 * Source: the alias method (Walker 1977; Vose, "A linear algorithm for generating random numbers
 * with a given distribution", IEEE Trans. Softw. Eng. 1991). Equal weights need no table.
 */
export class WeightedDraw {
  /** The endpoints of the last draw. */
  readonly drawn = new Int32Array(drawnMax)
  readonly #columns: EndpointColumns
  readonly #random: Random
  #count = 0
  #equal = true
  /** Share of its own place that an endpoint keeps; the rest goes to its alias. */
  #share = new Float64Array(0)
  #alias = new Int32Array(0)

  constructor(columns: EndpointColumns, random: Random) {
    this.#columns = columns
    this.#random = random
    this.rebuild()
  }

  rebuild(): void {
    const { count, weight } = this.#columns
    this.#count = count
    this.#equal = true
    let sum = 0
    for (let i = 0; i < count; i++) {
      sum += weight[i] as number
      if (weight[i] !== weight[0]) this.#equal = false
    }
    if (!this.#equal) this.#fill(sum)
  }

  /** One endpoint, or -1 when none is usable. */
  one(input: PickInput): number {
    return this.some(input, 1) === 0 ? -1 : (this.drawn[0] as number)
  }

  /**
   * Puts up to `wanted` distinct endpoints into `drawn`; how many there are. Tried endpoints are
   * drawn only where no other is left.
   */
  some(input: PickInput, wanted: number): number {
    const most = Math.max(1, Math.min(wanted, drawnMax))
    if (input.triedCount === 0) {
      // The usual case, short enough to become part of the caller.
      const first = this.#equal && most > 1 && this.#count > most ? this.#drawFirst(most) : 0
      return first === most ? first : this.#draw(input, most, false, first)
    }
    const found = this.#draw(input, most, true, 0)
    return found > 0 ? found : this.#draw(input, most, false, 0)
  }

  #draw(input: PickInput, most: number, avoidTried: boolean, begun: number): number {
    if (this.#count <= most) return this.#drawAll(input, avoidTried)
    let found = begun
    let misses = 0
    while (found < most) {
      let index = this.#drawAny()
      if (!this.#isLeft(index, input, found, avoidTried)) {
        if (++misses < missesMax) continue
        index = this.#scan(input, found, avoidTried)
        if (index < 0) return found
      }
      this.drawn[found++] = index
      misses = 0
    }
    return found
  }

  /** The first two or three of more than one, if what is drawn will do: how many. */
  #drawFirst(most: number): number {
    const found = this.#drawPair()
    return found === 2 && most > 2 ? this.#drawThird() : found
  }

  /** Two distinct ones at once, if the first two drawn will do: 2 or 0. */
  #drawPair(): number {
    const { usable, weight } = this.#columns
    const first = (this.#random() * this.#count) | 0
    const second = steppedOver((this.#random() * (this.#count - 1)) | 0, first)
    // Where weights are equal, one that is 0 makes all of them 0.
    if (usable[first] === 0 || usable[second] === 0 || weight[first] === 0) return 0
    this.drawn[0] = first
    this.drawn[1] = second
    return 2
  }

  /** One more behind a pair, if the first drawn will do: 3 or 2. */
  #drawThird(): number {
    const { drawn } = this
    const first = drawn[0] as number
    const second = drawn[1] as number
    const lower = second + ((first - second) & ((first - second) >> 31))
    const skipping = steppedOver((this.#random() * (this.#count - 2)) | 0, lower)
    const third = steppedOver(skipping, first + second - lower)
    if (this.#columns.usable[third] === 0) return 2
    drawn[2] = third
    return 3
  }

  /**
   * All of them in one number drawn, if all will do: how many, or 0. Once round from any place in either
   * direction, so that each is first and before each other equally often.
   */
  #drawRound(): number {
    const count = this.#count
    const { usable, weight } = this.#columns
    if (weight[0] === 0) return 0
    for (let i = 0; i < count; i++) if (usable[i] === 0) return 0
    const start = (this.#random() * 2 * count) | 0
    const step = start < count ? 1 : count - 1
    let index = start < count ? start : start - count
    for (let at = 0; at < count; at++) {
      this.drawn[at] = index
      index += step
      if (index >= count) index -= count
    }
    return count
  }

  /** All that may be drawn: the first by weight, the others shuffled. */
  #drawAll(input: PickInput, avoidTried: boolean): number {
    const round = this.#equal && !avoidTried ? this.#drawRound() : 0
    if (round > 0) return round
    const { count, weight } = this.#columns
    const { drawn } = this
    let found = 0
    let sum = 0
    for (let i = 0; i < count; i++) {
      if (!mayPick(this.#columns, i, input, !avoidTried)) continue
      drawn[found++] = i
      sum += weight[i] as number
    }
    if (found < 2) return found
    let first = 0
    let rest = this.#random() * sum - (weight[drawn[0] as number] as number)
    while (rest >= 0 && first < found - 1) rest -= weight[drawn[++first] as number] as number
    this.#swap(0, first)
    for (let at = 1; at < found - 1; at++) {
      this.#swap(at, at + ((this.#random() * (found - at)) | 0))
    }
    return found
  }

  #swap(a: number, b: number): void {
    const { drawn } = this
    const index = drawn[a] as number
    drawn[a] = drawn[b] as number
    drawn[b] = index
  }

  #drawAny(): number {
    const place = this.#random() * this.#count
    const index = place | 0
    if (this.#equal || place - index < (this.#share[index] as number)) return index
    return this.#alias[index] as number
  }

  /** Exact draw among what is left: one pass to add the weights, one to find the place. */
  #scan(input: PickInput, found: number, avoidTried: boolean): number {
    const { count, weight } = this.#columns
    let sum = 0
    for (let i = 0; i < count; i++) {
      if (this.#isLeft(i, input, found, avoidTried)) sum += weight[i] as number
    }
    let rest = this.#random() * sum
    let last = -1
    for (let i = 0; i < count && rest >= 0; i++) {
      if (!this.#isLeft(i, input, found, avoidTried)) continue
      last = i
      rest -= weight[i] as number
    }
    return last
  }

  #isLeft(index: number, input: PickInput, found: number, avoidTried: boolean): boolean {
    const { usable, weight } = this.#columns
    return (
      usable[index] === 1 &&
      weight[index] !== 0 &&
      !isAmong(this.drawn, found, index) &&
      !(avoidTried && wasTried(input, index))
    )
  }

  #fill(sum: number): void {
    const { count, weight } = this.#columns
    if (this.#share.length !== count) {
      this.#share = new Float64Array(count)
      this.#alias = new Int32Array(count)
    }
    const share = this.#share
    const alias = this.#alias
    // One stack of places with room from the left, one of places with surplus from the right.
    const stack = new Int32Array(count)
    let small = 0
    let large = count
    for (let i = 0; i < count; i++) {
      share[i] = ((weight[i] as number) * count) / sum
      alias[i] = i
      if ((share[i] as number) < 1) stack[small++] = i
      else stack[--large] = i
    }
    while (small > 0 && large < count) {
      const taker = stack[--small] as number
      const giver = stack[large] as number
      alias[taker] = giver
      const left = (share[giver] as number) + (share[taker] as number) - 1
      share[giver] = left
      if (left < 1) {
        large++
        stack[small++] = giver
      }
    }
    // Rounding leaves a few places over; each is worth its whole self.
    while (small > 0) share[stack[--small] as number] = 1
  }
}

/**
 * The `index`th of all whole numbers but `left`. By arithmetic, as a branch that goes either way costs
 * more than all of this.
 */
function steppedOver(index: number, left: number): number {
  return index + 1 + ((index - left) >> 31)
}

function isAmong(values: Int32Array, count: number, value: number): boolean {
  for (let i = 0; i < count; i++) if (values[i] === value) return true
  return false
}
