import type { EndpointSlice, Kind, ObjectByKind } from './objects.ts'

/**
 * Every object that the compiler may read, as of one moment. Frozen: later changes make a new
 * snapshot and leave this one alone.
 *
 * Identity is meaning: while an object does not change, every snapshot holds the same object (and
 * `slicesOf` and `resolved` answer with the same array), so that results can be kept by reference.
 */
export interface Snapshot {
  /** All objects of one kind, in no particular order. */
  all<K extends Kind>(kind: K): Iterable<ObjectByKind[K]>
  /** The same object in two snapshots: all objects of the kind are the same, too. Undefined: unknown. */
  identity?(kind: Kind): object | undefined
  /** Objects of a kind, as `namespace/name`, that are others than in an earlier snapshot. Undefined: unknown. */
  changed?(kind: Kind, before: Snapshot): Iterable<string> | undefined
  /** One object, or undefined. `namespace` is '' for kinds of cluster scope. */
  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind[K] | undefined
  /** The slices whose label kubernetes.io/service-name names this Service; empty when none does. */
  slicesOf(namespace: string, service: string): readonly EndpointSlice[]
  /** Services, as `namespace/name`, whose slices are others than in an earlier snapshot. Undefined: unknown. */
  slicesChanged?(before: Snapshot): Iterable<string> | undefined
  /**
   * Addresses of a host name, for ExternalName Services and FQDN endpoints, sorted. Undefined: the
   * name has not been resolved, or does not resolve. Lower case, without a trailing dot.
   */
  resolved(hostname: string): readonly string[] | undefined
}
