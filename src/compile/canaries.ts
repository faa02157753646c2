import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import { tupleKey } from '#src/table/keys.ts'
import type { Key } from '#src/table/keys.ts'
import type { Rule, WeightedBackend } from '#src/table/table.ts'
import { reportOn } from './findings.ts'
import type { OwnedRoute } from './hosts.ts'
import type { ParsedIngress, ParsedRoute } from './ingress.ts'
import type { CompiledRule } from './rules.ts'
import type { CanaryUse } from './values/canary.ts'

/** Identity of a route among those of its host. */
export function routeKey({ path, pathText }: ParsedRoute): Key {
  return tupleKey(path.type, pathText)
}

/**
 * Puts the routes of canaries beside the routes they are alternatives for: same host, path and type,
 * another Service. `routesOf` gives the routes of a host. `parsed` is sorted by age: the first canary
 * of a route stays. A canary without such a route serves nothing and makes no host.
 */
export function attachCanaries(
  parsed: readonly ParsedIngress[],
  routesOf: (host: string) => Map<Key, OwnedRoute> | undefined,
  diagnostics: Diagnostics,
): void {
  for (const owner of parsed) {
    if (owner.canary === undefined) continue
    const report = reportOn(owner.ingress, diagnostics)
    for (const route of owner.routes) {
      const routes = routesOf(route.host)
      const key = routeKey(route)
      const primary = routes?.get(key)
      const problem = problemOf({ parsed: owner, route }, primary)
      if (problem !== undefined) report('canary-unused', route.field, problem)
      else if (primary !== undefined) {
        routes?.set(key, { ...primary, canary: { parsed: owner, route } })
      }
    }
  }
}

function problemOf(canary: OwnedRoute, primary: OwnedRoute | undefined): string | undefined {
  const { route } = canary
  const shown = `${route.host || 'any host'} ${route.pathText} (${route.path.type})`
  if (primary === undefined) return `no other Ingress serves ${shown}`
  if (primary.canary !== undefined) {
    const { namespace, name } = primary.canary.parsed.ingress.metadata
    return `${shown} has a canary in Ingress ${namespace}/${name} already`
  }
  const sameBackend =
    canary.parsed.ingress.metadata.namespace === primary.parsed.ingress.metadata.namespace &&
    JSON.stringify(route.backend) === JSON.stringify(primary.route.backend)
  return sameBackend ? `${shown} has the same Service in its own Ingress` : undefined
}

/** A rule with its canary beside it. Without a backend on either side nothing is to be chosen. */
export function withCanary(
  primary: CompiledRule,
  canary: WeightedBackend | undefined,
  { choice, weight, total, sticky }: CanaryUse,
): Rule {
  const { rule } = primary
  const [own] = rule.backends
  if (own === undefined || canary === undefined) return rule
  const bound = sticky && own.balance.algorithm === 'sticky'
  return {
    ...rule,
    backends: [
      { ...own, weight: total - weight },
      { ...canary, weight, balance: bound ? own.balance : canary.balance },
    ],
    canary: choice,
  }
}
