import type { Random } from '#algorithms/random.ts'
import type { Algorithm, Balancer, EndpointColumns, PickInput } from '../balancer.ts'
import { WeightedDraw } from './weighted-draw.ts'

/**
 * Random: each request to an endpoint drawn in proportion to the weights.
 *
 * When to use: seldom; as a base line, or where no two balancers may fall into step. Queues are
 * those of independent arrivals: at load 0.9 ten service times where two-choices has 2.6.
 * Cost: O(1); rebuild O(n).
 * Source: folklore; drawn by the alias method, see {@link WeightedDraw}.
 */
export const random: Algorithm = {
  summary: 'An endpoint at random, in proportion to the weights.',
  keyed: false,
  create: (columns, source) => new RandomChoice(columns, source),
}

class RandomChoice implements Balancer {
  readonly #draw: WeightedDraw

  constructor(columns: EndpointColumns, source: Random) {
    this.#draw = new WeightedDraw(columns, source)
  }

  rebuild(): void {
    this.#draw.rebuild()
  }

  pick(input: PickInput): number {
    return this.#draw.one(input)
  }
}
