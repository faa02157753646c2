import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { AnyObject, Kind } from '#src/snapshot/objects.ts'

/** The name of one object. */
export interface ObjectName {
  readonly kind: Kind
  readonly namespace: string
  readonly name: string
}

/** What changed at a source, as one step. */
export interface SourceChange {
  readonly put: readonly AnyObject[]
  readonly deleted: readonly ObjectName[]
}

/** How a source stands, for /api/status. */
export interface SourceStatus {
  readonly kind: 'files' | 'kubernetes'
  readonly description: string
  /** It has delivered everything it has at least once. */
  readonly synced: boolean
  readonly objects: number
  /** While the last good state is delivered in place of the source. */
  readonly restored?: RestoredState
}

export interface RestoredState {
  /** ISO 8601. */
  readonly savedAt: string
  /** Secrets that were not kept, or cannot be opened. */
  readonly secretsLeftOut: number
}

/** Objects that others refer to, whether or not they exist. */
export interface Wanted {
  readonly secrets: readonly Omit<ObjectName, 'kind'>[]
  readonly configMaps: readonly Omit<ObjectName, 'kind'>[]
}

/** Where objects come from: a folder, or a cluster. */
export interface Source {
  /** Resolves once the first full view has been delivered through `onChange`. */
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * Resolves when the first full view does not come at the first try, and may be long in coming. Absent: then
   * `start` rejects.
   */
  readonly failing?: Promise<void>
  /** What is wrong with the source's data apart from what the compiler finds. */
  readonly diagnostics: readonly Diagnostic[]
  readonly status: SourceStatus
  /** Kinds of which nothing could be read for lack of rights. Absent: none. */
  readonly unreadable?: ReadonlySet<Kind>
  /**
   * Told after every compilation, for a source that delivers these kinds only where they are wanted.
   * Resolves when all are delivered or known not to be there.
   */
  want?(wanted: Wanted): Promise<void>
  /** Metrics of its own in the text format. */
  metrics?(): string
}

/** What a source tells its owner. */
export interface SourceOwner {
  /** Objects changed, or only the diagnostics; one call a step. */
  onChange(change: SourceChange): void
}
