import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { kinds } from '#src/snapshot/objects.ts'
import type { EndpointSlice, Service } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import type { Key } from '#src/table/keys.ts'
import type { Compiled } from './compiled.ts'
import type { Target } from './services/backends.ts'

/** What all but the endpoints came to the last time. */
export interface Kept {
  readonly snapshot: Snapshot
  readonly atMs: number
  /** Findings about dates hold until then. */
  readonly untilMs: number
  readonly compiled: Compiled
  /** Without those about endpoints, and those alone. */
  readonly diagnostics: readonly Diagnostic[]
  readonly ofEndpoints: readonly Diagnostic[]
  /** Sorted. */
  readonly targets: ReadonlyMap<Key, Target>
  /** Services whose endpoints decided where a route leads, and what these were. */
  readonly sides: ReadonlyMap<Service, readonly EndpointSlice[]>
}

/** Whether nothing but endpoints can have changed. */
export function isKept(
  { snapshot: before, atMs, untilMs, sides }: Kept,
  snapshot: Snapshot,
  nowMs: number,
): boolean {
  if (nowMs < atMs || nowMs > untilMs) return false
  for (const [{ metadata }, slices] of sides) {
    if (snapshot.slicesOf(metadata.namespace, metadata.name) !== slices) return false
  }
  return kinds.every((kind) => {
    if (kind === 'EndpointSlice') return true
    const identity = before.identity?.(kind)
    return identity !== undefined && identity === snapshot.identity?.(kind)
  })
}
