import { joinChanges } from './joined-changes.ts'
import type { Phases, PolicyExchange, Verdict } from '#src/policies/policy.ts'

/** A moment at which phases may stop an exchange. */
export type StageName = 'requestHead' | 'requestBuffered' | 'upstreamChosen' | 'responseHead'

/** What runs at one such moment on a rule, in this order. */
export interface Stage {
  readonly name: StageName
  readonly calls: readonly ((exchange: PolicyExchange) => Verdict)[]
}

/** The phases of a rule, sorted when the rule is linked: a request only meets those that have something to do. */
export interface PolicyChain {
  readonly requestHead: Stage
  readonly requestBuffered: Stage
  readonly upstreamChosen: Stage
  /** In reverse, as all that is done to answers. */
  readonly responseHead: Stage
  /** Whether a phase of the head looks at the length of the body; else that is done before any of them. */
  readonly judgesLength: boolean
  /** Bytes of the request body that are wanted before the upstream is asked; 0: none is. */
  readonly bufferLimit: number
  readonly requestFilters: readonly Phases[]
  readonly responseFilters: readonly Phases[]
  readonly trailers: readonly Phases[]
  readonly end: readonly Phases[]
}

/** Sorts the phases of a rule, given in the order of its policies. */
export function linkPolicies(phases: readonly Phases[], judgesLength = false): PolicyChain {
  const having = (name: keyof Phases): Phases[] =>
    phases.filter((phase) => phase[name] !== undefined)
  const stage = (name: StageName, inOrder = phases): Stage => ({
    name,
    calls: inOrder.map((phase) => phase[name]).filter((call) => call !== undefined),
  })
  return {
    requestHead: stage('requestHead'),
    requestBuffered: stage('requestBuffered'),
    upstreamChosen: stage('upstreamChosen'),
    responseHead: stage('responseHead', joinChanges(phases.toReversed())),
    judgesLength,
    bufferLimit: Math.max(0, ...phases.map(({ bufferRequestBody = 0 }) => bufferRequestBody)),
    requestFilters: having('filterRequestBody'),
    responseFilters: having('filterResponseBody').toReversed(),
    trailers: having('trailers').toReversed(),
    end: having('end'),
  }
}
