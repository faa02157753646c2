import { policyIndex, startPolicy } from '#src/policies/index.ts'
import type { PolicyName } from '#src/policies/index.ts'
import { CONTINUE } from '#src/policies/policy.ts'
import type { Phases } from '#src/policies/policy.ts'
import type { Rule } from '#src/table/table.ts'
import type { LiveTarget } from './live-rule.ts'
import { linkPolicies } from './policy-chain.ts'
import type { PolicyChain } from './policy-chain.ts'
import type { PolicyRun } from './policy-run.ts'
import { saysTooMuch } from './receive-body.ts'

/** The last policy that is of the server in nginx, which answers before it looks at a location. */
const lastOfServer = policyIndex('host-redirect')
const firstLimit = policyIndex('limits')
const lastBeforeUpstream = policyIndex('mirror')

/** Between those of the server and others: a body that is too long is refused. */
const lengthGate: Phases = {
  requestHead(exchange) {
    const run = exchange as PolicyRun
    const { live } = run.exchange
    return live !== undefined && saysTooMuch(run.exchange, live)
      ? run.fail('body-too-large')
      : CONTINUE
  },
}

/** In front of limits and of who may come: without an endpoint there is nothing to come to. */
function endpointGate({ backend }: LiveTarget, fallback: LiveTarget | undefined): Phases {
  return {
    requestHead: (exchange) =>
      backend.eligible === 0 && (fallback?.backend.eligible ?? 0) === 0
        ? (exchange as PolicyRun).fail('no-endpoint')
        : CONTINUE,
  }
}

/**
 * The policies of a rule at work, with what the proxy itself decides among them where ingress-nginx does:
 * 413 behind the policies of the server, 503 without endpoints before limits and authentication. Undefined:
 * there are none.
 */
export function linkChain(
  { policies, canary, canaryGroup }: Rule,
  first: readonly Phases[],
  targets: readonly LiveTarget[],
  fallback: LiveTarget | undefined,
): PolicyChain | undefined {
  if (first.length + policies.length === 0) return undefined
  const indexes = policies.map(({ name }) => policyIndex(name as PolicyName))
  const phases = policies.map(startPolicy)
  const server = indexes.filter((index) => index <= lastOfServer).length
  const judgesLength = phases.slice(0, server).some(({ requestHead }) => requestHead !== undefined)
  const [primary] = targets
  const hasPrimary = targets.length === 1 || canary !== undefined || canaryGroup !== undefined
  const guards = indexes.some((index) => index >= firstLimit && index <= lastBeforeUpstream)
  const limit = indexes.filter((index) => index < firstLimit).length
  const ordered = [
    ...first,
    ...phases.slice(0, server),
    ...(judgesLength ? [lengthGate] : []),
    ...phases.slice(server, limit),
    ...(primary !== undefined && hasPrimary && guards ? [endpointGate(primary, fallback)] : []),
    ...phases.slice(limit),
  ]
  return linkPolicies(ordered, judgesLength)
}
