import type { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import type { HealthCheck } from '#src/table/table.ts'

/** What a check changed. */
export type HealthChange = 'none' | 'unhealthy' | 'healthy'

/** Monotonic milliseconds as shared memory keeps them: they wrap, and 0 means never. */
function stampOf(now: number): number {
  return Math.trunc(now) | 0 || 1
}

/**
 * Takes the check of a slot that is due. One of all workers gets it; should that worker die, the next
 * check is whoever's comes first.
 */
export function claimCheck(
  memory: EndpointMemory,
  slot: number,
  now: number,
  intervalMs: number,
): boolean {
  const last = Atomics.load(memory.checkedAt, slot)
  const stamp = stampOf(now)
  if (last !== 0 && ((stamp - last) | 0) < intervalMs) return false
  return Atomics.compareExchange(memory.checkedAt, slot, last, stamp) === last
}

/** Notes how a check went, and puts the endpoint out of use or back into it. */
export function noteCheck(
  memory: EndpointMemory,
  slot: number,
  good: boolean,
  check: HealthCheck,
): HealthChange {
  const before = Atomics.load(memory.checkStreak, slot)
  const streak = good ? Math.max(0, before) + 1 : Math.min(0, before) - 1
  Atomics.store(memory.checkStreak, slot, streak)
  const unhealthy = Atomics.load(memory.unhealthy, slot) === 1
  if (!unhealthy && -streak >= check.failures) {
    Atomics.store(memory.unhealthy, slot, 1)
    memory.ejectedUntil[slot] = Infinity
    return 'unhealthy'
  }
  if (!unhealthy || streak < check.successes) return 'none'
  forgetChecks(memory, slot)
  return 'healthy'
}

/** Nobody checks the endpoint any more, or it is well again: passive ejection starts anew. */
export function forgetChecks(memory: EndpointMemory, slot: number): void {
  Atomics.store(memory.checkStreak, slot, 0)
  if (Atomics.exchange(memory.unhealthy, slot, 0) === 0) return
  Atomics.store(memory.consecutiveFailures, slot, 0)
  Atomics.store(memory.ejections, slot, 0)
  memory.ejectedUntil[slot] = 0
}
