import { policyIndex } from '#src/policies/index.ts'
import type { PolicyName } from '#src/policies/index.ts'
import type { PolicyUse } from '#src/policies/policy.ts'
import { tupleKey } from '#src/table/keys.ts'
import type { Rule } from '#src/table/table.ts'

const place = policyIndex('app-root')

/**
 * The rules of a host, in their order, where `app-root` of any of them holds for the root of the host, whatever
 * path it was written for: ingress-nginx writes it into the server, and the first counts.
 */
export function withAppRoot(host: string, rules: readonly Rule[]): readonly Rule[] {
  const owner = rules.find((rule) => rootOf(rule) !== undefined)
  const root = owner && rootOf(owner)
  if (owner === undefined || root === undefined) return rules
  const told = rules.map((rule) => (mayTakeRoot(rule) ? tell(rule, root) : rule))
  return rules.some(takesRoot) ? told : [...told, rootRule(host, owner, root)]
}

function rootOf({ policies }: Rule): PolicyUse | undefined {
  return policies.find(({ name }) => name === 'app-root')
}

function takesRoot({ path }: Rule): boolean {
  return path.type === 'exact' ? path.value === '/' : path.type === 'prefix' && path.value === ''
}

function mayTakeRoot(rule: Rule): boolean {
  return rule.path.type === 'regex' || takesRoot(rule)
}

function tell(rule: Rule, root: PolicyUse): Rule {
  if (rootOf(rule) === root) return rule
  const others = rule.policies.filter(({ name }) => name !== 'app-root')
  const before = others.filter(comesBefore)
  return { ...rule, policies: [...before, root, ...others.slice(before.length)] }
}

/** What of a server comes in front of it. */
function comesBefore({ name }: PolicyUse): boolean {
  return policyIndex(name as PolicyName) < place
}

function rootRule(host: string, { origin, settings, policies }: Rule, root: PolicyUse): Rule {
  const server = policies.filter(
    (use) => comesBefore(use) && policyIndex(use.name as PolicyName) >= firstOfServer,
  )
  return {
    key: tupleKey('app-root', host),
    origin,
    path: { type: 'exact', value: '/' },
    pathText: '/',
    predicates: [],
    settings,
    policies: [...server, root],
    backends: [],
  }
}

const firstOfServer = policyIndex('client-certificates')
