import { saysTheSame } from './equal.ts'
import { kinds } from './objects.ts'
import type { AnyObject, EndpointSlice, Kind, ObjectByKind } from './objects.ts'
import { SharedMap, type SharedView } from './shared-map.ts'
import type { Snapshot } from './snapshot.ts'

/** Addresses of host names; see `Snapshot.resolved`. */
export type Resolved = Snapshot['resolved']

type ObjectMaps = { readonly [K in Kind]: SharedMap<ObjectByKind[K]> }

const noSlices: readonly EndpointSlice[] = []

/**
 * All objects that the sources know, now. `freeze` gives them out as of a moment, at a cost that does
 * not depend on how many there are; a later change copies a small part of what it touches.
 */
export class Store {
  readonly #objects = Object.fromEntries(kinds.map((kind) => [kind, new SharedMap()])) as ObjectMaps
  /** By namespace and name of the Service. */
  readonly #slices = new SharedMap<readonly EndpointSlice[]>()

  /** Adds or replaces an object; false when the one that is there says the same: it stays. */
  put(object: AnyObject): boolean {
    const { kind, metadata } = object
    const map = this.#objects[kind] as SharedMap<AnyObject>
    const key = keyOf(metadata.namespace, metadata.name)
    const before = map.get(key)
    if (saysTheSame(before, object)) return false
    map.set(key, object)
    if (before?.kind === 'EndpointSlice') this.#removeSlice(before)
    if (object.kind === 'EndpointSlice') this.#addSlice(object)
    return true
  }

  /** Removes an object; false when it is not there. */
  delete(kind: Kind, namespace: string, name: string): boolean {
    const key = keyOf(namespace, name)
    const before: AnyObject | undefined = this.#objects[kind].get(key)
    if (before === undefined) return false
    this.#objects[kind].delete(key)
    if (before.kind === 'EndpointSlice') this.#removeSlice(before)
    return true
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind[K] | undefined {
    return (this.#objects[kind] as SharedMap<ObjectByKind[K]>).get(keyOf(namespace, name))
  }

  all<K extends Kind>(kind: K): Iterable<ObjectByKind[K]> {
    return (this.#objects[kind] as SharedMap<ObjectByKind[K]>).values()
  }

  count(kind: Kind): number {
    return this.#objects[kind].size
  }

  /** The objects as of now, with the names that `resolved` knows now or later. */
  freeze(resolved: Resolved = () => undefined): Snapshot {
    const views = Object.fromEntries(kinds.map((kind) => [kind, this.#objects[kind].view()]))
    const viewOf = <K extends Kind>(kind: K) => views[kind] as SharedView<ObjectByKind[K]>
    const slices = this.#slices.view()
    return {
      all: (kind) => viewOf(kind).values(),
      get: (kind, namespace, name) => viewOf(kind).get(keyOf(namespace, name)),
      slicesOf: (namespace, service) => slices.get(keyOf(namespace, service)) ?? noSlices,
      resolved,
    }
  }

  #addSlice(slice: EndpointSlice): void {
    if (slice.serviceName === '') return
    const key = keyOf(slice.metadata.namespace, slice.serviceName)
    this.#slices.set(key, [...(this.#slices.get(key) ?? noSlices), slice])
  }

  #removeSlice(slice: EndpointSlice): void {
    if (slice.serviceName === '') return
    const key = keyOf(slice.metadata.namespace, slice.serviceName)
    const rest = (this.#slices.get(key) ?? noSlices).filter((other) => other !== slice)
    if (rest.length === 0) this.#slices.delete(key)
    else this.#slices.set(key, rest)
  }
}

/** No namespace holds a slash, so no two pairs make one text. */
function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}
