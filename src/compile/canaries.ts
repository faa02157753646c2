import { sessionsOf } from '#algorithms/balance/index.ts'
import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { ReportField } from '#src/annotations/schema.ts'
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
 * of a route stays, with those of its group. A canary without such a route serves nothing and makes no
 * host.
 */
export function attachCanaries(
  parsed: readonly ParsedIngress[],
  routesOf: (host: string) => Map<Key, OwnedRoute> | undefined,
  diagnostics: Diagnostics,
): void {
  for (const owner of parsed) {
    if (owner.canary === undefined) continue
    const report = reportOn(owner.ingress, diagnostics)
    for (const route of owner.routes) attach({ parsed: owner, route }, routesOf(route.host), report)
  }
}

function attach(
  canary: OwnedRoute,
  routes: Map<Key, OwnedRoute> | undefined,
  report: ReportField,
): void {
  const { route } = canary
  const key = routeKey(route)
  const primary = routes?.get(key)
  const problem = problemOf(canary, primary)
  if (problem !== undefined) report('canary-unused', route.field, problem)
  if (problem !== undefined || primary === undefined) return
  const canaries = [...(primary.canaries ?? []), canary]
  routes?.set(key, { ...primary, canaries })
  if (shareOf(canaries) > 1) report('annotation-differs', route.field, overfull)
}

function problemOf(canary: OwnedRoute, primary: OwnedRoute | undefined): string | undefined {
  const { route } = canary
  const shown = `${route.host || 'any host'} ${route.pathText} (${route.path.type})`
  if (primary === undefined) return `no other Ingress serves ${shown}`
  const crowded = crowding(canary, primary.canaries ?? [])
  if (crowded !== '') return `${shown} ${crowded}`
  const sameBackend =
    canary.parsed.ingress.metadata.namespace === primary.parsed.ingress.metadata.namespace &&
    JSON.stringify(route.backend) === JSON.stringify(primary.route.backend)
  return sameBackend ? `${shown} has the same Service in its own Ingress` : undefined
}

/** Why a canary finds no place beside those that a route has; '' if it does. */
function crowding({ parsed }: OwnedRoute, canaries: readonly OwnedRoute[]): string {
  const [first] = canaries
  if (first === undefined) return ''
  const { namespace, name } = first.parsed.ingress.metadata
  const group = parsed.canary?.group ?? ''
  if (group === '' || first.parsed.canary?.group !== group) {
    return `has a canary in Ingress ${namespace}/${name} already, and only canaries of one headgate.dev/canary-group share a route`
  }
  return canaries.length < canariesMax ? '' : `has ${canariesMax} canaries already`
}

/** Canaries of one route. */
const canariesMax = 16
const overfull =
  'the weights of the group come to more than all requests: the primary gets none of them, and the canaries share them by weight'

/** The part of all requests that the weights of these canaries ask for. */
function shareOf(canaries: readonly OwnedRoute[]): number {
  return canaries.reduce((sum, { parsed: { canary } }) => {
    return canary === undefined ? sum : sum + canary.weight / canary.total
  }, 0)
}

/** A canary as the compiler has it: where it sends requests, and how it takes part. */
export interface CanarySide {
  readonly backend: WeightedBackend | undefined
  readonly use: CanaryUse | undefined
}

/** A rule with its canaries beside it. Without a backend on either side nothing is to be chosen. */
export function withCanaries({ rule }: CompiledRule, sides: readonly CanarySide[]): Rule {
  const [own] = rule.backends
  const found = sides.flatMap(({ backend, use }) =>
    backend === undefined || use === undefined ? [] : [{ backend, use }],
  )
  const [first] = found
  if (own === undefined || first === undefined) return rule
  const { total, group } = first.use
  const backends = found.map(({ backend, use }) => ({
    ...backend,
    weight: (use.weight * total) / use.total,
    balance:
      use.sticky && sessionsOf(own.balance.algorithm) !== undefined ? own.balance : backend.balance,
  }))
  const rest = total - backends.reduce((sum, { weight }) => sum + weight, 0)
  const all = [{ ...own, weight: Math.max(0, rest) }, ...backends]
  if (group === '') return { ...rule, backends: all, canary: first.use.choice }
  const canaries = found.map(({ use }) => use.choice)
  return { ...rule, backends: all, canaryGroup: { name: group, canaries } }
}
