import { saysTheSame } from './equal.ts'
import { kinds } from './objects.ts'
import type { AnyObject, EndpointSlice, Kind, ObjectByKind } from './objects.ts'
import { SharedMap, type SharedView } from './shared-map.ts'
import type { Snapshot } from './snapshot.ts'

/** Addresses of host names; see `Snapshot.resolved`. */
export type Resolved = Snapshot['resolved']

type ObjectMaps = { readonly [K in Kind]: SharedMap<ObjectByKind[K]> }

/** `status`: nothing but the status of an Ingress is another one, which no table depends on. */
export type PutResult = 'changed' | 'status' | 'same'

/** What a snapshot looks at. */
interface Views {
  of<K extends Kind>(kind: K): SharedView<ObjectByKind[K]>
  readonly slices: SharedView<readonly EndpointSlice[]>
}

const nothing: readonly string[] = []
const noSlices: readonly EndpointSlice[] = []

/**
 * All objects that the sources know, now. `freeze` gives them out as of a moment, at a cost that does
 * not depend on how many there are; a later change copies a small part of what it touches.
 */
export class Store {
  readonly #objects = Object.fromEntries(kinds.map((kind) => [kind, new SharedMap()])) as ObjectMaps
  /** What the status of Ingresses says now, where it says anything. */
  readonly #published = new Map<string, readonly string[]>()
  /** By namespace and name of the Service. */
  readonly #slices = new SharedMap<readonly EndpointSlice[]>()
  readonly #snapshots = new WeakMap<Snapshot, Views>()

  /** Adds or replaces an object; one that says the same, or the same apart from its status, stays. */
  put(object: AnyObject): PutResult {
    const { kind, metadata } = object
    const map = this.#objects[kind] as SharedMap<AnyObject>
    const key = keyOf(metadata.namespace, metadata.name)
    const before = map.get(key)
    const news = object.kind === 'Ingress' && this.#publish(key, object.published)
    if (before !== undefined && sameButStatus(before, object)) return news ? 'status' : 'same'
    map.set(key, object)
    if (before?.kind === 'EndpointSlice') this.#removeSlice(before)
    if (object.kind === 'EndpointSlice') this.#addSlice(object)
    return 'changed'
  }

  /** Removes an object; false when it is not there. */
  delete(kind: Kind, namespace: string, name: string): boolean {
    const key = keyOf(namespace, name)
    const before: AnyObject | undefined = this.#objects[kind].get(key)
    if (before === undefined) return false
    this.#objects[kind].delete(key)
    if (kind === 'Ingress') this.#published.delete(key)
    if (before.kind === 'EndpointSlice') this.#removeSlice(before)
    return true
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind[K] | undefined {
    return (this.#objects[kind] as SharedMap<ObjectByKind[K]>).get(keyOf(namespace, name))
  }

  all<K extends Kind>(kind: K): Iterable<ObjectByKind[K]> {
    return (this.#objects[kind] as SharedMap<ObjectByKind[K]>).values()
  }

  /** IPs and host names that the status of an Ingress shows now. */
  publishedOf(namespace: string, name: string): readonly string[] {
    return this.#published.get(keyOf(namespace, name)) ?? nothing
  }

  count(kind: Kind): number {
    return this.#objects[kind].size
  }

  /** The objects as of now, with the names that `resolved` knows now or later. */
  freeze(resolved: Resolved = () => undefined): Snapshot {
    const views = Object.fromEntries(kinds.map((kind) => [kind, this.#objects[kind].view()]))
    const viewOf = <K extends Kind>(kind: K) => views[kind] as SharedView<ObjectByKind[K]>
    const slices = this.#slices.view()
    const snapshot: Snapshot = {
      all: (kind) => viewOf(kind).values(),
      identity: viewOf,
      get: (kind, namespace, name) => viewOf(kind).get(keyOf(namespace, name)),
      slicesOf: (namespace, service) => slices.get(keyOf(namespace, service)) ?? noSlices,
      changed: (kind, before) => {
        const earlier = this.#snapshots.get(before)
        return earlier && viewOf(kind).changedSince(earlier.of(kind))
      },
      slicesChanged: (before) => {
        const earlier = this.#snapshots.get(before)
        return earlier && slices.changedSince(earlier.slices)
      },
      resolved,
    }
    this.#snapshots.set(snapshot, { of: viewOf, slices })
    return snapshot
  }

  /** Whether the status says something else than before. */
  #publish(key: string, addresses: readonly string[]): boolean {
    const before = this.#published.get(key) ?? nothing
    if (saysTheSame(before, addresses)) return false
    if (addresses.length === 0) this.#published.delete(key)
    else this.#published.set(key, addresses)
    return true
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

function sameButStatus(before: AnyObject, object: AnyObject): boolean {
  if (object.kind !== 'Ingress') return saysTheSame(before, object)
  return saysTheSame({ ...before, published: nothing }, { ...object, published: nothing })
}

/** No namespace holds a slash, so no two pairs make one text. */
function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}
