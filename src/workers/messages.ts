import type { Span } from '#src/exchange/span.ts'
import type { EndpointBuffers } from '#src/shared/endpoint-memory.ts'
import type { LogRingBuffers } from '#src/shared/log-ring.ts'
import type { LimitBuffers } from '#src/shared/limit-memory.ts'
import type { RuleBuffers } from '#src/shared/rule-memory.ts'
import type { WorkerBuffers } from '#src/shared/worker-memory.ts'
import type { LogFormat, LogLevel } from '#src/observe/log.ts'
import type { Key } from '#src/table/keys.ts'
import type { TableDelta } from '#src/table/table.ts'

export type { Span } from '#src/exchange/span.ts'

/** A delta with the slots of what it names. */
export interface TableUpdate {
  readonly delta: TableDelta
  /** For every backend in the delta that is not gone: slots, parallel to its endpoints. */
  readonly endpointSlots: ReadonlyMap<Key, Int32Array>
  /**
   * For every rule of a host in the delta that is not gone, by the rule's key. The worker notes the
   * slot's generation when it applies the update; see RuleMemory.row.
   */
  readonly ruleSlots: ReadonlyMap<Key, number>
}

export interface LogSettings {
  readonly format: LogFormat
  readonly level: LogLevel
}

/** What a data worker is started with. */
export interface WorkerStart {
  readonly writer: number
  readonly endpoints: EndpointBuffers
  readonly rules: RuleBuffers
  readonly limits: LimitBuffers
  readonly worker: WorkerBuffers
  readonly accessLog: LogRingBuffers
  readonly bindAddresses: readonly string[]
  readonly ticketKeys: Uint8Array
  /** Key of session cookies, '' for one that is no secret. */
  readonly sessionKey: string
  /** Module that exports the class DataPlane. */
  readonly dataPlane: string
  readonly log: LogSettings
}

/** What the supervisor tells a data worker. */
export type ToWorker =
  | { readonly kind: 'table'; readonly update: TableUpdate }
  | { readonly kind: 'ticket-keys'; readonly keys: Uint8Array }
  /** Stop accepting, finish what is in flight, cut the rest after `timeoutMs`. A later one counts. */
  | { readonly kind: 'drain'; readonly timeoutMs: number }

/** A listener of the table that could not be opened; it is tried again. */
export interface UnopenedListener {
  readonly key: Key
  /** Why, in one line. */
  readonly problem: string
}

/** What a data worker tells the supervisor. */
export type FromWorker =
  /** Its modules are loaded and its event loop turns; it wants a table. */
  | { readonly kind: 'started' }
  | { readonly kind: 'applied'; readonly version: number }
  /** The table is in force as far as possible; something in it could not be, e.g. a port to listen on. */
  | { readonly kind: 'failed'; readonly version: number; readonly error: string }
  /** All listeners that it could not open, whenever they are others. */
  | { readonly kind: 'unopened'; readonly listeners: readonly UnopenedListener[] }
  | { readonly kind: 'released'; readonly slots: Int32Array }
  | { readonly kind: 'log'; readonly line: string }
  /** The access log's ring has lines. */
  | { readonly kind: 'access-log' }
  | { readonly kind: 'spans'; readonly spans: readonly Span[] }
  | { readonly kind: 'drained' }

/** A certificate made by ourselves, PEM; kept by the supervisor over a restart of the control plane. */
export interface KeptCertificate {
  readonly certificatePem: string
  readonly keyPem: string
}

/** What the control plane is started with. */
export interface ControlPlaneStart<Settings> {
  readonly settings: Settings
  /** Version that its first table must pass. */
  readonly version: number
  readonly certificate: KeptCertificate | undefined
  /** Listeners that some worker could not open. */
  readonly unopened: readonly UnopenedListener[]
  readonly log: LogSettings
  /** One Int32: rises while the event loop turns. */
  readonly beat: Int32Array
}

/** What the supervisor tells the control plane. */
export type ToControlPlane =
  | { readonly kind: 'query'; readonly id: number; readonly query: ControlPlaneQuery }
  /** Every worker runs this version. */
  | { readonly kind: 'settled'; readonly version: number }
  /** Listeners that some worker could not open, whenever they are others. */
  | { readonly kind: 'unopened'; readonly listeners: readonly UnopenedListener[] }
  /** Spans of the workers, and how many before them were dropped. Answered by `spans-taken`. */
  | { readonly kind: 'spans'; readonly spans: readonly Span[]; readonly dropped: number }
  /** The process ends: give back what others wait for, and say so. */
  | { readonly kind: 'stop' }

/** What the control plane can be asked. */
export type ControlPlaneQuery = 'metrics'

/** Where objects come from, for /api/status. */
export interface SourceStatus {
  readonly kind: string
  /** Folder or cluster. */
  readonly name: string
  /** All objects were read at least once. */
  readonly synced: boolean
  readonly objects: number
  /** While a state of an earlier time is served in its place; of when, ISO 8601. */
  readonly restored?: { readonly savedAt: string; readonly secretsLeftOut: number }
}

export interface DiagnosticCounts {
  readonly error: number
  readonly warning: number
  readonly info: number
}

/** What the control plane tells the supervisor. */
export type FromControlPlane =
  | { readonly kind: 'table'; readonly delta: TableDelta }
  /** All findings as JSON text, whenever they change. */
  | { readonly kind: 'diagnostics'; readonly json: string; readonly counts: DiagnosticCounts }
  | { readonly kind: 'sources'; readonly sources: readonly SourceStatus[] }
  | { readonly kind: 'certificate'; readonly certificate: KeptCertificate }
  | { readonly kind: 'answer'; readonly id: number; readonly text: string }
  | { readonly kind: 'log'; readonly line: string }
  /** Whether this replica leads; a control plane that never says so takes part in no election. */
  | { readonly kind: 'leading'; readonly leading: boolean }
  | { readonly kind: 'spans-taken' }
  /** The answer to `stop`. */
  | { readonly kind: 'stopped' }
  /** It cannot work at all, e.g. because a folder does not exist. Fatal while starting. */
  | { readonly kind: 'failed'; readonly error: string }
