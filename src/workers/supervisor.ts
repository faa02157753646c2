import type { LineWriter } from '#src/observe/line-writer.ts'
import type { Logger } from '#src/observe/log.ts'
import type { TableDelta } from '#src/table/table.ts'
import { defaultBackoff } from './backoff.ts'
import type { BackoffOptions } from './backoff.ts'
import { ControlPlaneThread } from './control-plane-thread.ts'
import { tuneEngine } from './engine.ts'
import type { LogSettings } from './messages.ts'
import { createSharedMemory } from './shared-memory.ts'
import type { SharedMemory } from './shared-memory.ts'
import { TableFeed } from './table-feed.ts'
import { TicketKeys } from './ticket-keys.ts'
import { UpstreamTotals } from './upstream-totals.ts'
import { WorkerPool } from './worker-pool.ts'

export interface SupervisorOptions {
  readonly workers: number
  readonly endpointSlots: number
  readonly ruleSlots: number
  readonly bindAddresses: readonly string[]
  /** Key of session cookies, the same in all replicas; absent: one that is no secret. */
  readonly sessionKey?: string
  /** A worker whose event loop stands still so long is replaced. */
  readonly heartbeatTimeoutMs: number
  readonly controlPlane: {
    /** Module that the thread runs. */
    readonly entry: URL
    /** Plain data for that module. */
    readonly settings: unknown
    readonly heapMb: number
  }
  /** Module that exports the class DataPlane. */
  readonly dataPlane: string
  readonly backoff?: BackoffOptions
  readonly logSettings: LogSettings
  readonly log: Logger
  readonly accessLog: LineWriter
  /** Takes finished lines of the other threads' logs. */
  readonly onLogLine: (line: string) => void
}

/**
 * The main thread's part: it owns the shared memory and the newest table, and keeps the control plane
 * and the workers alive. It does little, so that it is there when they are not.
 */
export class Supervisor {
  readonly memory: SharedMemory
  readonly feed: TableFeed
  readonly pool: WorkerPool
  readonly controlPlane: ControlPlaneThread
  readonly upstreamTotals: UpstreamTotals
  readonly #options: SupervisorOptions
  readonly #ticketKeys: TicketKeys
  #draining = false
  #settled = 0
  /** Set while starting. */
  #starting: { resolve(): void; reject(error: Error): void } | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.memory = createSharedMemory(options.workers, options.endpointSlots, options.ruleSlots)
    this.upstreamTotals = new UpstreamTotals(this.memory.endpoints)
    this.feed = new TableFeed(this.memory.endpoints, this.memory.rules, (slot) => {
      this.upstreamTotals.retire(slot)
    })
    for (const ring of this.memory.accessLogs) options.accessLog.addRing(ring)
    this.#ticketKeys = new TicketKeys({
      onRotated: (keys) => {
        this.pool.sendTicketKeys(keys)
      },
      random: Math.random,
      schedule: (callback, delayMs) => {
        const timer = setTimeout(callback, delayMs)
        return () => {
          clearTimeout(timer)
        }
      },
    })
    this.pool = this.#createPool()
    this.controlPlane = this.#createControlPlane()
  }

  /** Resolves once every worker runs the first table; rejects when that cannot be. */
  async start(): Promise<void> {
    tuneEngine()
    this.#ticketKeys.start()
    await new Promise<void>((resolve, reject) => {
      this.#starting = { resolve, reject }
      this.pool.start()
      this.controlPlane.start()
    })
  }

  /** Whether the process wants traffic. */
  get ready(): boolean {
    return this.#starting === undefined && !this.#draining && this.pool.serving
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Readiness fails from now on; nothing else changes. */
  beginDraining(): void {
    this.#draining = true
  }

  async stop(): Promise<void> {
    this.#ticketKeys.stop()
    await Promise.all([this.pool.stop(), this.controlPlane.stop()])
  }

  #createPool(): WorkerPool {
    const { accessLog, bindAddresses, dataPlane, heartbeatTimeoutMs, log } = this.#options
    return new WorkerPool({
      memory: this.memory,
      feed: this.feed,
      bindAddresses,
      dataPlane,
      heartbeatTimeoutMs,
      log,
      logSettings: this.#options.logSettings,
      backoff: this.#options.backoff ?? defaultBackoff,
      ticketKeys: () => this.#ticketKeys.current,
      sessionKey: this.#options.sessionKey ?? '',
      onLogLine: this.#options.onLogLine,
      onAccessLog: () => {
        accessLog.pump()
      },
      onSpans: (spans) => {
        this.controlPlane.addSpans(spans)
      },
      onChange: () => {
        this.#onWorkersChanged()
      },
      onUnopened: () => {
        this.controlPlane.unopened(this.pool.unopened)
      },
      onFailure: (error) => {
        this.#onFailure(error)
      },
    })
  }

  #createControlPlane(): ControlPlaneThread {
    const { controlPlane, logSettings, log } = this.#options
    return new ControlPlaneThread({
      ...controlPlane,
      logSettings,
      log,
      backoff: this.#options.backoff ?? defaultBackoff,
      version: () => this.feed.version,
      onLogLine: this.#options.onLogLine,
      onTable: (delta) => {
        this.#onTable(delta)
      },
      onFailure: (error) => {
        this.#onFailure(error)
      },
    })
  }

  #onTable(delta: TableDelta): void {
    const update = this.feed.update(delta)
    this.upstreamTotals.name(update)
    if ([...update.delta.backends.values()].includes(undefined)) {
      this.upstreamTotals.prune(this.feed.table)
    }
    this.pool.broadcast(update)
    this.pool.feedWaiting()
  }

  #onWorkersChanged(): void {
    if (this.#starting !== undefined && this.pool.complete) {
      this.#starting.resolve()
      this.#starting = undefined
    }
    const settled = this.pool.settledVersion
    if (settled <= this.#settled) return
    this.#settled = settled
    this.controlPlane.settled(settled)
  }

  /** While starting, what cannot be put in force ends it; later the rest goes on. */
  #onFailure(error: string): void {
    if (this.#starting === undefined) {
      this.#options.log.error('the table is not in force whole', { error })
    } else {
      this.#starting.reject(new Error(error))
    }
  }
}
