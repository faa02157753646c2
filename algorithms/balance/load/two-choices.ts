import type { Random } from '#algorithms/random.ts'
import type {
  Algorithm,
  BalanceOptions,
  Balancer,
  EndpointColumns,
  PickInput,
} from '../balancer.ts'
import { WeightedDraw } from '../turns/weighted-draw.ts'
import { candidatesOf, readLoads } from './load.ts'
import type { Candidates } from './load.ts'

/** Endpoints drawn per pick where an algorithm draws. */
export const defaultChoices = 2

/**
 * Power of two choices: draws two endpoints, sends to the one with fewer requests in flight for
 * its weight.
 *
 * When to use: the safe default where requests differ in cost; also where several balancers do not
 * share their counts, since no herd forms.
 * Cost: O(choices); rebuild O(n).
 * Source: Azar et al. 1994; Mitzenmacher, IEEE TPDS 2001. Draws are distinct (with replacement a
 * set of three waits 8 % longer at load 0.9) and go by weight; a tie goes to the first drawn, so
 * idle endpoints get their shares.
 */
export const twoChoices: Algorithm = {
  summary: 'Of two random endpoints the one with fewer requests in flight for its weight.',
  keyed: false,
  create: (columns, random, options) => new TwoChoices(columns, random, options),
}

class TwoChoices implements Balancer {
  readonly #columns: EndpointColumns
  readonly #draw: WeightedDraw
  readonly #choices: number
  #candidates: Candidates

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    this.#columns = columns
    this.#draw = new WeightedDraw(columns, random)
    this.#choices = options.choices ?? defaultChoices
    this.#candidates = candidatesOf(columns, this.#draw)
  }

  rebuild(): void {
    this.#draw.rebuild()
    this.#candidates = candidatesOf(this.#columns, this.#draw)
  }

  pick(input: PickInput): number {
    const found = this.#draw.some(input, this.#choices)
    if (found === 0) return -1
    const { drawn, load } = this.#candidates
    readLoads(this.#columns, this.#candidates, found)
    let best = 0
    for (let at = 1; at < found; at++) if ((load[at] as number) < (load[best] as number)) best = at
    return drawn[best] as number
  }
}
