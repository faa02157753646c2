import type { PolicyDefinition } from './policy-definition.ts'
import type { Phases, PolicyUse } from './policy.ts'
import { sslRedirect } from './ssl-redirect.ts'

/**
 * The one list of policies, in the order in which a request meets them; a response meets them in
 * reverse. The order is ingress-nginx's order of effects.
 */
export const policies = {
  'ssl-redirect': sslRedirect,
} as const

export type PolicyName = keyof typeof policies

/** The list for code that treats all policies alike. */
export const policyList = Object.entries(policies) as unknown as readonly (readonly [
  name: PolicyName,
  definition: PolicyDefinition<object, object, object>,
])[]

const byName = new Map<string, PolicyDefinition<object, object, object>>(policyList)

/** The running code of a policy on a rule. Throws for a name that is not in the list. */
export function startPolicy({ name, config }: PolicyUse): Phases {
  const definition = byName.get(name)
  if (definition === undefined) throw new Error(`no policy is named ${name}`)
  return definition.start(config)
}
