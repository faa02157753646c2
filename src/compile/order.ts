import type { AnyObject } from '#src/snapshot/objects.ts'
import type { Key } from '#src/table/keys.ts'

/** By code unit, the same on every machine. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Who wins a conflict comes first: the oldest, then by namespace and name. */
export function byAge(a: AnyObject, b: AnyObject): number {
  return (
    a.metadata.createdMs - b.metadata.createdMs ||
    compareText(a.metadata.namespace, b.metadata.namespace) ||
    compareText(a.metadata.name, b.metadata.name)
  )
}

export function sortedByKey<Part>(parts: ReadonlyMap<Key, Part>): ReadonlyMap<Key, Part> {
  return new Map([...parts].toSorted(([a], [b]) => compareText(a, b)))
}
