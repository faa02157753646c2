import type { Random } from '#algorithms/random.ts'
import type {
  Algorithm,
  BalanceOptions,
  Balancer,
  EndpointColumns,
  PickInput,
} from '../balancer.ts'
import { mayKeepSession } from '../columns.ts'
import { twoChoices } from '../load/two-choices.ts'
import { IdentityIndex } from './identity-index.ts'

/**
 * Sticky sessions: a session goes to the endpoint it began at, a new one by two choices.
 *
 * When to use: endpoints keep sessions in memory. `key` is the identity of the session's endpoint
 * as {@link SessionCookies} reads it from the cookie, or 0 for none.
 * Cost: O(1); rebuild O(n).
 * Source: nginx sticky, HAProxy cookie, Traefik, Caddy. A session stays while its endpoint lives,
 * also where it drains and takes no new ones; when the endpoint goes, just its sessions move.
 */
export const sticky: Algorithm = {
  summary: 'The endpoint that a session began at, by a signed cookie; a new one by two choices.',
  keyed: true,
  sessions: 'endpoint',
  create: (columns, random, options) => new Sticky(columns, random, options),
}

class Sticky implements Balancer {
  readonly #columns: EndpointColumns
  readonly #index: IdentityIndex
  readonly #inner: Balancer

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    this.#columns = columns
    this.#index = new IdentityIndex(columns)
    this.#inner = twoChoices.create(columns, random, options)
  }

  rebuild(): void {
    this.#index.rebuild()
    this.#inner.rebuild()
  }

  pick(input: PickInput): number {
    const bound = input.key === 0 ? -1 : this.#index.indexOf(input.key | 0)
    return mayKeepSession(this.#columns, bound, input) ? bound : this.#inner.pick(input)
  }
}
