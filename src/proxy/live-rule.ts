import type { VariableSource } from '#src/policies/variables.ts'
import type { Rule, WeightedBackend } from '#src/table/table.ts'
import type { LiveBackend, LiveBalancer } from '#src/upstream/live-backend.ts'
import type { PoolSettings } from '#src/upstream/pool.ts'
import type { LiveCanary } from './canary.ts'
import type { PolicyChain } from './policy-chain.ts'

/** One weighted backend of a rule with its code attached. */
export interface LiveTarget {
  readonly use: WeightedBackend
  readonly backend: LiveBackend
  readonly balancer: LiveBalancer
  readonly pool: PoolSettings
}

/** The error pages of a rule with their backends attached. */
export interface LiveErrorPages {
  readonly statuses: ReadonlySet<number>
  readonly intercept: boolean
  readonly targets: readonly LiveTarget[]
}

/** A rule with its code attached: what an exchange keeps from its match to its end. */
export interface LiveRule {
  readonly rule: Rule
  /** Slot in the shared rule memory, and the slot's generation when the rule came into force. */
  readonly slot: number
  readonly generation: number
  /** False for requests of our own, which count in no route's metrics. */
  readonly recorded: boolean
  /** Those of `rule.policies`, behind that of a group of canaries. Undefined for a route without policies, which then meets no policy code. */
  readonly policies: PolicyChain | undefined
  readonly targets: readonly LiveTarget[]
  /** The target of last resort. */
  readonly fallback?: LiveTarget | undefined
  readonly errorPages?: LiveErrorPages | undefined
  /** Sum of the targets' weights. */
  readonly weight: number
  /** The other targets are canaries, and this chooses. */
  readonly canary?: LiveCanary | undefined
}

/** Chooses among the weighted backends; `draw` is uniform in [0, 1). */
export function chooseTarget(
  live: LiveRule,
  source: VariableSource,
  draw: () => number,
): LiveTarget | undefined {
  const { targets } = live
  if (targets.length <= 1) return targets[0]
  if (live.canary !== undefined) return live.canary.choose(source, targets, draw)
  let rest = draw() * live.weight
  for (const target of targets) {
    rest -= target.use.weight
    if (rest < 0) return target
  }
  return undefined
}
