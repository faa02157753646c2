import { errorStack, errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import { workerCell, workerCells } from '#src/shared/worker-memory.ts'
import type { BackoffOptions } from './backoff.ts'
import { Heartbeat } from './heartbeat.ts'
import type {
  FromWorker,
  LogSettings,
  Span,
  TableUpdate,
  ToWorker,
  UnopenedListener,
  WorkerStart,
} from './messages.ts'
import type { SharedMemory } from './shared-memory.ts'
import { SupervisedThread } from './supervised-thread.ts'
import type { EndReason } from './supervised-thread.ts'
import type { TableFeed } from './table-feed.ts'

const requestsInFlight = workerCell('requests_in_flight')
const connectionCells = [...workerCells.entries()]
  .filter(([, { family }]) => family === 'connections')
  .map(([cell]) => cell)

/** Checks of a heartbeat until the worker counts as standing still. */
const checksMax = 5
/** As many more are granted while it loads its modules. */
const startChecksMax = 60

export interface WorkerPoolOptions {
  readonly memory: SharedMemory
  readonly feed: TableFeed
  readonly bindAddresses: readonly string[]
  /** Module that exports the class DataPlane. */
  readonly dataPlane: string
  readonly logSettings: LogSettings
  readonly log: Logger
  /** A worker whose event loop stands still so long is replaced. */
  readonly heartbeatTimeoutMs: number
  readonly backoff: BackoffOptions
  readonly ticketKeys: () => Uint8Array
  /** Key of session cookies. */
  readonly sessionKey: string
  /** A line of a worker's own log. */
  readonly onLogLine: (line: string) => void
  /** Some ring of the access log has lines. */
  readonly onAccessLog: () => void
  readonly onSpans: (spans: readonly Span[]) => void
  /** A worker runs a table, or one ended. */
  readonly onChange: () => void
  /** `unopened` is another one. */
  readonly onUnopened: () => void
  /** A table could not be put in force whole. */
  readonly onFailure: (error: string) => void
}

export interface WorkerStatus {
  readonly id: number
  readonly state: 'starting' | 'running' | 'restarting' | 'draining' | 'drained'
  /** Version that it runs; 0: none. */
  readonly table: number
  readonly connections: number
  readonly requestsInFlight: number
  readonly restarts: Readonly<Record<EndReason, number>>
}

/** One worker as the supervisor sees it. */
interface Member {
  readonly id: number
  readonly thread: SupervisedThread<ToWorker, FromWorker>
  readonly heartbeat: Heartbeat
  /** It has said that it runs. */
  started: boolean
  /** It was given a table. */
  attached: boolean
  table: number
  /** Listeners that it cannot open. */
  unopened: readonly UnopenedListener[]
  drained: boolean
  /** Checks since its start, while it has not said so. */
  startChecks: number
}

/** The workers of the data plane: their life, and what they are told. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #members: Member[] = []
  readonly #checks: NodeJS.Timeout
  #draining = false
  #onDrained: (() => void) | undefined

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    for (let id = 0; id < options.memory.writers; id++) this.#members.push(this.#member(id))
    this.#checks = setInterval(() => {
      this.#checkHeartbeats()
    }, options.heartbeatTimeoutMs / checksMax)
  }

  start(): void {
    for (const { thread } of this.#members) thread.start()
  }

  /** Every worker runs a table. */
  get complete(): boolean {
    return this.#members.every(({ table }) => table > 0)
  }

  /** Some worker runs a table. */
  get serving(): boolean {
    return this.#members.some(({ table }) => table > 0)
  }

  /** The version that every worker runs. */
  get settledVersion(): number {
    return Math.min(...this.#members.map(({ table }) => table))
  }

  /** Listeners that some worker cannot open, each once. */
  get unopened(): readonly UnopenedListener[] {
    const all = this.#members.flatMap(({ unopened }) => unopened)
    return [...new Map(all.map((one) => [one.key, one])).values()]
  }

  /** The first table is there: those who wait get it, each in a turn of its own, as it may be large. */
  feedWaiting(): void {
    for (const member of this.#members) {
      setImmediate(() => {
        this.#feed(member)
      })
    }
  }

  broadcast(update: TableUpdate): void {
    if (this.#draining) return
    for (const { attached, thread } of this.#members) {
      if (attached) thread.post({ kind: 'table', update })
    }
  }

  sendTicketKeys(keys: Uint8Array): void {
    for (const { thread } of this.#members) thread.post({ kind: 'ticket-keys', keys })
  }

  /** Stops accepting; resolves when no worker has anything in flight. Again: with another timeout. */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true
    await new Promise<void>((resolve) => {
      const earlier = this.#onDrained
      this.#onDrained = () => {
        earlier?.()
        resolve()
      }
      for (const { thread } of this.#members) {
        thread.giveUp()
        thread.post({ kind: 'drain', timeoutMs })
      }
      this.#checkDrained()
    })
  }

  async stop(): Promise<void> {
    clearInterval(this.#checks)
    await Promise.all(this.#members.map(({ thread }) => thread.stop()))
  }

  status(): WorkerStatus[] {
    const { workers } = this.#options.memory
    return this.#members.map((member) => ({
      id: member.id,
      state: this.#stateOf(member),
      table: member.table,
      connections: connectionCells.reduce((sum, cell) => sum + workers.get(member.id, cell), 0),
      requestsInFlight: workers.get(member.id, requestsInFlight),
      restarts: { ...member.thread.restarts },
    }))
  }

  #stateOf(member: Member): WorkerStatus['state'] {
    if (member.drained) return 'drained'
    if (!member.thread.running) return 'restarting'
    if (this.#draining) return 'draining'
    return member.table > 0 ? 'running' : 'starting'
  }

  #member(id: number): Member {
    const { backoff, memory } = this.#options
    const thread = new SupervisedThread<ToWorker, FromWorker>({
      name: `worker-${id}`,
      entry: new URL('worker.ts', import.meta.url),
      backoff,
      workerData: () => this.#workerStart(id),
      onMessage: (message) => {
        this.#receive(this.#members[id] as Member, message)
      },
      onEnded: (reason, error, delayMs) => {
        const fields = { worker: id, reason, error: errorText(error), stack: errorStack(error) }
        this.#options.log.error('worker ended', { ...fields, restartInMs: delayMs })
        this.#onEnded(this.#members[id] as Member)
      },
    })
    const heartbeat = new Heartbeat(() => memory.workers.beats(id), checksMax)
    const state = { started: false, attached: false, table: 0, drained: false, startChecks: 0 }
    return { id, thread, heartbeat, unopened: [], ...state }
  }

  #workerStart(writer: number): WorkerStart {
    const { memory, bindAddresses, dataPlane, logSettings, ticketKeys, sessionKey } = this.#options
    return {
      writer,
      endpoints: memory.endpoints.buffers(),
      rules: memory.rules.buffers(),
      limits: memory.limits.buffers(),
      worker: memory.workers.buffers(),
      accessLog: (memory.accessLogs[writer] as (typeof memory.accessLogs)[number]).buffers(),
      bindAddresses,
      ticketKeys: ticketKeys(),
      sessionKey,
      dataPlane,
      log: logSettings,
    }
  }

  #receive(member: Member, message: FromWorker): void {
    const { feed } = this.#options
    switch (message.kind) {
      case 'started':
        member.started = true
        member.heartbeat.reset()
        this.#feed(member)
        break
      case 'applied':
        member.table = message.version
        feed.applied(member.id, message.version)
        this.#options.onChange()
        break
      case 'failed':
        this.#options.onFailure(message.error)
        break
      case 'unopened':
        this.#setUnopened(member, message.listeners)
        break
      case 'released':
        feed.released(member.id, message.slots)
        break
      case 'log':
        this.#options.onLogLine(message.line)
        break
      case 'access-log':
        this.#options.onAccessLog()
        break
      case 'spans':
        this.#options.onSpans(message.spans)
        break
      case 'drained':
        member.drained = true
        this.#checkDrained()
        break
    }
  }

  #setUnopened(member: Member, listeners: readonly UnopenedListener[]): void {
    if (member.unopened.length === 0 && listeners.length === 0) return
    member.unopened = listeners
    this.#options.onUnopened()
  }

  #feed(member: Member): void {
    const { feed } = this.#options
    if (!member.started || member.attached || feed.version === 0 || this.#draining) return
    member.attached = true
    member.thread.post({ kind: 'table', update: feed.attach(member.id) })
  }

  /** The thread is gone: what it held is taken back before another takes its place. */
  #onEnded(member: Member): void {
    const { memory, feed } = this.#options
    member.started = false
    member.attached = false
    member.table = 0
    member.startChecks = 0
    this.#setUnopened(member, [])
    memory.endpoints.clearWriter(member.id, feed.endpointSlots.end)
    memory.limits.clearWriter(member.id)
    memory.workers.clearGauges(member.id)
    feed.detach(member.id)
    this.#checkDrained()
    this.#options.onChange()
  }

  #checkHeartbeats(): void {
    for (const member of this.#members) {
      if (!member.thread.running) continue
      const alive = member.started
        ? member.heartbeat.check()
        : ++member.startChecks < startChecksMax
      if (alive) continue
      member.heartbeat.reset()
      member.startChecks = 0
      member.thread.replaceStalled()
    }
  }

  #checkDrained(): void {
    if (this.#members.some(({ drained, thread }) => !drained && thread.running)) return
    this.#onDrained?.()
    this.#onDrained = undefined
  }
}
