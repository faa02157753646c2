import { equal } from './equal.ts'
import type { Key } from './keys.ts'
import type { RouteTable, TableDelta } from './table.ts'

type Changes<Part> = ReadonlyMap<Key, Part | undefined>

/** What leads from one table to another. Parts that are the same object are not looked into. */
export function diffTables(before: RouteTable, after: RouteTable, version: number): TableDelta {
  return {
    version,
    full: false,
    listeners: diffParts(before.listeners, after.listeners),
    hosts: diffParts(before.hosts, after.hosts),
    backends: diffParts(before.backends, after.backends),
    certificates: diffParts(before.certificates, after.certificates),
    authorities: diffParts(before.authorities, after.authorities),
    options: equal(before.options, after.options) ? undefined : after.options,
  }
}

/** A whole table, for a worker that has none. */
export function fullDelta(table: RouteTable, version: number): TableDelta {
  return { version, full: true, ...table }
}

/** Whether a delta changes nothing. */
export function isEmptyDelta(delta: TableDelta): boolean {
  const { full, listeners, hosts, backends, certificates, authorities, options } = delta
  const parts = listeners.size + hosts.size + backends.size + certificates.size + authorities.size
  return !full && parts === 0 && options === undefined
}

/** The table after a delta. Neither argument is changed; parts that stay are the same objects. */
export function applyDelta(table: RouteTable, delta: TableDelta): RouteTable {
  const { full } = delta
  return {
    listeners: applyParts(full ? undefined : table.listeners, delta.listeners),
    hosts: applyParts(full ? undefined : table.hosts, delta.hosts),
    backends: applyParts(full ? undefined : table.backends, delta.backends),
    certificates: applyParts(full ? undefined : table.certificates, delta.certificates),
    authorities: applyParts(full ? undefined : table.authorities, delta.authorities),
    options: delta.options ?? table.options,
  }
}

/** One delta that does what two do one after the other. */
export function mergeDeltas(first: TableDelta, second: TableDelta): TableDelta {
  if (second.full) return second
  return {
    version: second.version,
    full: first.full,
    listeners: mergeParts(first.listeners, second.listeners),
    hosts: mergeParts(first.hosts, second.hosts),
    backends: mergeParts(first.backends, second.backends),
    certificates: mergeParts(first.certificates, second.certificates),
    authorities: mergeParts(first.authorities, second.authorities),
    options: second.options ?? first.options,
  }
}

function diffParts<Part>(
  before: ReadonlyMap<Key, Part>,
  after: ReadonlyMap<Key, Part>,
): Changes<Part> {
  const changes = new Map<Key, Part | undefined>()
  if (before === after) return changes
  for (const key of before.keys()) {
    if (!after.has(key)) changes.set(key, undefined)
  }
  for (const [key, part] of after) {
    const old = before.get(key)
    if (old !== part && !equal(old, part)) changes.set(key, part)
  }
  return changes
}

function applyParts<Part>(
  parts: ReadonlyMap<Key, Part> | undefined,
  changes: Changes<Part>,
): ReadonlyMap<Key, Part> {
  if (parts !== undefined && changes.size === 0) return parts
  const applied = new Map(parts)
  for (const [key, part] of changes) {
    if (part === undefined) applied.delete(key)
    else applied.set(key, part)
  }
  return applied
}

function mergeParts<Part>(first: Changes<Part>, second: Changes<Part>): Changes<Part> {
  return new Map([...first, ...second])
}
