import type { Key } from '#src/table/keys.ts'
import type { ErrorPages, RouteSettings, Rule, WeightedBackend } from '#src/table/table.ts'
import type { UpstreamTls } from '#src/transport/transport.ts'
import type { LiveBackend } from '#src/upstream/live-backend.ts'
import { linkCanaryGroup } from './canary-group.ts'
import { linkCanary } from './canary.ts'
import { linkChain } from './gates.ts'
import type { LiveErrorPages, LiveRule, LiveTarget } from './live-rule.ts'
import type { PoolSettingsCache } from './pool-settings.ts'

/** What linking needs from the live table. */
export interface LinkContext {
  readonly pools: PoolSettingsCache
  backendFor(key: Key): LiveBackend
  dropUnused(backend: LiveBackend): void
  generationOf(slot: number): number
}

/** Attaches code to a rule: its policies, its backends, their balancers. */
export function linkRule(rule: Rule, slot: number, context: LinkContext): LiveRule {
  const targets = rule.backends.map((use) => linkTarget(use, context))
  const group =
    rule.canaryGroup === undefined ? undefined : linkCanaryGroup(rule.canaryGroup, rule.backends)
  const first = group === undefined ? [] : [group.phases]
  const fallback = rule.fallback && linkTarget(rule.fallback.use, context)
  return {
    rule,
    slot,
    generation: context.generationOf(slot),
    recorded: true,
    policies: linkChain(rule, first, targets, fallback),
    targets,
    fallback,
    errorPages: rule.errorPages && linkErrorPages(rule.errorPages, context),
    weight: rule.backends.reduce((sum, { weight }) => sum + weight, 0),
    canary: group?.canary ?? (rule.canary && linkCanary(rule.canary)),
  }
}

function linkErrorPages(
  { statuses, intercept, uses }: ErrorPages,
  context: LinkContext,
): LiveErrorPages {
  const targets = uses.map((use) => linkTarget(use, context))
  return { statuses: new Set(statuses), intercept, targets }
}

function linkTarget(use: WeightedBackend, context: LinkContext): LiveTarget {
  const backend = context.backendFor(use.backend)
  const pool = context.pools.take(use)
  backend.usePool(pool)
  return { use, backend, balancer: backend.balancerFor(use.balance), pool }
}

/** Gives back what a rule holds. Exchanges under way keep what they have. */
export function unlinkRule(live: LiveRule, context: LinkContext): void {
  const { targets, fallback, errorPages } = live
  const last = fallback === undefined ? [] : [fallback]
  for (const target of [...targets, ...last, ...(errorPages?.targets ?? [])]) {
    const { backend, balancer, pool } = target
    backend.releaseBalancer(balancer)
    backend.unusePool(pool)
    context.pools.release(pool)
    context.dropUnused(backend)
  }
}

const plainBalance = { algorithm: 'round-robin', options: {}, hashKey: [] } as const

/** As nginx speaks with the authentication service: the name is sent, the certificate not verified. */
const subrequestTls: UpstreamTls = {
  serverName: '',
  sendServerName: true,
  verify: false,
  verifyDepth: 1,
  ca: '',
  certificate: '',
  key: '',
  ciphers: '',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  alpn: [],
}

/** A rule for one request of our own; it holds nothing that must be given back. */
export function linkSubrequest(
  backend: LiveBackend,
  settings: RouteSettings,
  serverName: string,
  { pools }: LinkContext,
): LiveRule {
  const use: WeightedBackend = {
    backend: backend.key,
    service: backend.backend.service.name,
    weight: 1,
    balance: plainBalance,
    protocol: 'http1',
    tls: serverName === '' ? undefined : { ...subrequestTls, serverName },
    policies: [],
  }
  const balancer = backend.balancerFor(plainBalance)
  backend.releaseBalancer(balancer)
  const rule: Rule = {
    key: '',
    origin: backend.backend.service,
    path: { type: 'prefix', value: '' },
    pathText: '/',
    predicates: [],
    settings,
    policies: [],
    backends: [use],
  }
  return {
    rule,
    slot: 0,
    generation: 0,
    recorded: false,
    policies: undefined,
    targets: [{ use, backend, balancer, pool: pools.take(use) }],
    weight: 1,
  }
}
