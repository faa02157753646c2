import type { PolicyExchange } from '#src/policies/policy.ts'
import { statePlaces } from '#src/policies/state-places.ts'
import type { Scope } from './program.ts'

/** What the snippets of one request have come to. */
export interface SnippetState {
  readonly locals: Map<string, string>
  /** Of the regular expression that was compared last, that of the location included; none if it did not match. */
  groups: readonly string[]
  /** `break` or a flag ended the rewrites. */
  ended: boolean
  /** A step answered in words of its own: no `error_page` takes its place. */
  stands: boolean
  /** The server's own steps have run. */
  served: boolean
  /** What is done to the answer; undefined: what the rule says. */
  scope: Scope | undefined
}

export const noGroups: readonly string[] = []

/** The state of an exchange; undefined: it met no snippet. */
export function snippetState(exchange: PolicyExchange): SnippetState | undefined {
  return exchange.state[statePlaces.snippets] as SnippetState | undefined
}

/** The state of an exchange, made where there is none. */
export function takeSnippetState(exchange: PolicyExchange): SnippetState {
  let state = snippetState(exchange)
  if (state === undefined) {
    state = {
      locals: new Map(),
      groups: noGroups,
      ended: false,
      stands: false,
      served: false,
      scope: undefined,
    }
    exchange.state[statePlaces.snippets] = state
  }
  return state
}
