import type { AnyObject, EndpointSlice, Kind, ObjectByKind } from './objects.ts'
import { kinds } from './objects.ts'
import type { Snapshot } from './snapshot.ts'

/** Addresses of host names; see `Snapshot.resolved`. */
export type Resolved = (hostname: string) => readonly string[] | undefined

type ObjectMaps = { [K in Kind]: Map<string, ObjectByKind[K]> }

const noSlices: readonly EndpointSlice[] = []

/**
 * All objects that the sources know, now. `freeze` gives them out as of a moment: it shares the maps
 * with the snapshot, and a later change copies the one map that it touches.
 */
export class Store {
  readonly #objects = Object.fromEntries(kinds.map((kind) => [kind, new Map()])) as ObjectMaps
  #slices = new Map<string, readonly EndpointSlice[]>()
  /** Maps that a snapshot holds, too. */
  readonly #shared = new Set<Kind>()
  #slicesShared = false

  /** Adds or replaces an object; false when it is the one that is there. */
  put(object: AnyObject): boolean {
    const key = keyOf(object.metadata.namespace, object.metadata.name)
    const before = this.#objects[object.kind].get(key)
    if (before === object) return false
    const map = this.#own(object.kind) as Map<string, AnyObject>
    map.set(key, object)
    if (before?.kind === 'EndpointSlice') this.#removeSlice(before)
    if (object.kind === 'EndpointSlice') this.#addSlice(object)
    return true
  }

  /** Removes an object; false when it is not there. */
  delete(kind: Kind, namespace: string, name: string): boolean {
    const key = keyOf(namespace, name)
    const before = this.#objects[kind].get(key)
    if (before === undefined) return false
    this.#own(kind).delete(key)
    if (before.kind === 'EndpointSlice') this.#removeSlice(before)
    return true
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind[K] | undefined {
    return this.#objects[kind].get(keyOf(namespace, name))
  }

  all<K extends Kind>(kind: K): Iterable<ObjectByKind[K]> {
    return this.#objects[kind].values()
  }

  count(kind: Kind): number {
    return this.#objects[kind].size
  }

  /** The objects as of now, with the names that `resolved` knows now or later. */
  freeze(resolved: Resolved = () => undefined): Snapshot {
    const objects: Record<Kind, ReadonlyMap<string, AnyObject>> = { ...this.#objects }
    const slices = this.#slices
    for (const kind of kinds) this.#shared.add(kind)
    this.#slicesShared = true
    return {
      all: <K extends Kind>(kind: K) => objects[kind].values() as Iterable<ObjectByKind[K]>,
      get: <K extends Kind>(kind: K, namespace: string, name: string) =>
        objects[kind].get(keyOf(namespace, name)) as ObjectByKind[K] | undefined,
      slicesOf: (namespace, service) => slices.get(keyOf(namespace, service)) ?? noSlices,
      resolved,
    }
  }

  /** The map of a kind, for a change: a copy when a snapshot holds it. */
  #own(kind: Kind): ObjectMaps[Kind] {
    if (this.#shared.delete(kind)) {
      const copies = this.#objects as Record<Kind, Map<string, AnyObject>>
      copies[kind] = new Map<string, AnyObject>(this.#objects[kind])
    }
    return this.#objects[kind]
  }

  #ownSlices(): Map<string, readonly EndpointSlice[]> {
    if (this.#slicesShared) this.#slices = new Map(this.#slices)
    this.#slicesShared = false
    return this.#slices
  }

  #addSlice(slice: EndpointSlice): void {
    if (slice.serviceName === '') return
    const key = keyOf(slice.metadata.namespace, slice.serviceName)
    const slices = this.#ownSlices()
    slices.set(key, [...(slices.get(key) ?? noSlices), slice])
  }

  #removeSlice(slice: EndpointSlice): void {
    if (slice.serviceName === '') return
    const key = keyOf(slice.metadata.namespace, slice.serviceName)
    const slices = this.#ownSlices()
    const rest = (slices.get(key) ?? noSlices).filter((other) => other !== slice)
    if (rest.length === 0) slices.delete(key)
    else slices.set(key, rest)
  }
}

/** Neither part of the key holds a slash: projections refuse such names. */
function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}
