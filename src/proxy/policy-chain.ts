import { CONTINUE } from '#src/policies/policy.ts'
import type { Phases, PolicyExchange, Verdict } from '#src/policies/policy.ts'

/** A moment at which phases may stop an exchange. */
export type StageName = 'requestHead' | 'requestBuffered' | 'upstreamChosen' | 'responseHead'

/** The phases of a rule for one such moment, in the order in which they run. */
export interface Stage {
  readonly name: StageName
  readonly phases: readonly Phases[]
  /** Calls the phase of this moment. */
  readonly call: (phase: Phases, exchange: PolicyExchange) => Verdict
}

/** The phases of a rule, sorted when the rule is linked: a request only meets those that have something to do. */
export interface PolicyChain {
  readonly requestHead: Stage
  readonly requestBuffered: Stage
  readonly upstreamChosen: Stage
  /** In reverse, as all that is done to answers. */
  readonly responseHead: Stage
  /** Bytes of the request body that are wanted before the upstream is asked; 0: none is. */
  readonly bufferLimit: number
  readonly requestFilters: readonly Phases[]
  readonly responseFilters: readonly Phases[]
  readonly trailers: readonly Phases[]
  readonly end: readonly Phases[]
}

const calls: Readonly<Record<StageName, Stage['call']>> = {
  requestHead: (phase, exchange) => phase.requestHead?.(exchange) ?? CONTINUE,
  requestBuffered: (phase, exchange) => phase.requestBuffered?.(exchange) ?? CONTINUE,
  upstreamChosen: (phase, exchange) => phase.upstreamChosen?.(exchange) ?? CONTINUE,
  responseHead: (phase, exchange) => phase.responseHead?.(exchange) ?? CONTINUE,
}

/** Sorts the phases of a rule, given in the order of its policies. */
export function linkPolicies(phases: readonly Phases[]): PolicyChain {
  const having = (name: keyof Phases): Phases[] =>
    phases.filter((phase) => phase[name] !== undefined)
  const stage = (name: StageName): Stage => ({ name, phases: having(name), call: calls[name] })
  return {
    requestHead: stage('requestHead'),
    requestBuffered: stage('requestBuffered'),
    upstreamChosen: stage('upstreamChosen'),
    responseHead: { ...stage('responseHead'), phases: having('responseHead').toReversed() },
    bufferLimit: Math.max(0, ...phases.map(({ bufferRequestBody = 0 }) => bufferRequestBody)),
    requestFilters: having('filterRequestBody'),
    responseFilters: having('filterResponseBody').toReversed(),
    trailers: having('trailers').toReversed(),
    end: having('end'),
  }
}
