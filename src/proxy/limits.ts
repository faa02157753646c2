import type { GcraRate } from '#algorithms/limit/gcra.ts'
import { evicted, refused, uncounted } from '#src/shared/limit-memory.ts'
import type { LimitKey } from '#src/shared/limit-memory.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import { contextOf } from './connection-context.ts'
import type { Exchange } from './exchange.ts'

const evictions = workerCell('limits_evicted_total')

/** Counts the request against its client's rate; false: there are too many. */
export function admitRequest(exchange: Exchange, limit: string, rate: GcraRate): boolean {
  const { services } = exchange
  // Limits come before anything that waits: the request is as good as just begun.
  const admission = services.limits.admit(keyFor(exchange, limit), rate, exchange.startedAt)
  if (admission === evicted) services.worker.add(services.writer, evictions, 1)
  return admission !== refused
}

/** Counts the request among its client's requests under way; see LimitMemory.acquire. */
export function acquireRequest(exchange: Exchange, limit: string, max: number): number {
  const { services } = exchange
  const place = services.limits.acquire(keyFor(exchange, limit), max, services.writer)
  if (place === uncounted) services.worker.add(services.writer, evictions, 1)
  return place
}

export function releaseRequests({ services }: Exchange, places: readonly number[]): void {
  for (const place of places) services.limits.release(place, services.writer)
}

/** Kept with the connection, whose requests mostly are of one client under one limit. */
function keyFor({ services, clientAddress, peer }: Exchange, limit: string): LimitKey {
  const context = contextOf(peer)
  const key = services.limits.keyOf(limit, clientAddress, context.limitKey)
  context.limitKey = key
  return key
}
