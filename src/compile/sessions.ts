import type { SessionAffinityConfig } from '#src/policies/session-affinity.ts'
import type { PolicyUse } from '#src/policies/policy.ts'
import type { WeightedBackend } from '#src/table/table.ts'

/** Session affinity, where the rule has it, decides before any other way to choose an endpoint. */
export function withSessions(
  use: WeightedBackend,
  policies: readonly PolicyUse[],
): WeightedBackend {
  const affinity = policies.find(({ name }) => name === 'session-affinity')
  if (affinity === undefined) return use
  const { cookie, balanced } = affinity.config as SessionAffinityConfig
  return {
    ...use,
    balance: {
      algorithm: balanced ? 'sticky-balanced' : 'sticky',
      options: {},
      hashKey: [{ variable: `cookie_${cookie}` }],
    },
  }
}
