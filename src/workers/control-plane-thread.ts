import { errorStack, errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import type { TableDelta } from '#src/table/table.ts'
import type { BackoffOptions } from './backoff.ts'
import { Heartbeat } from './heartbeat.ts'
import type {
  ControlPlaneQuery,
  ControlPlaneStart,
  DiagnosticCounts,
  FromControlPlane,
  KeptCertificate,
  LogSettings,
  SourceStatus,
  Span,
  ToControlPlane,
  UnopenedListener,
} from './messages.ts'
import { SpanRelay } from './span-relay.ts'
import { SupervisedThread } from './supervised-thread.ts'
import type { EndReason } from './supervised-thread.ts'

/** Its event loop stands still while it compiles, so it is granted more time than a worker. */
const heartbeatIntervalMs = 5000
const checksMax = 12
/** What it makes while it reads and compiles mostly stays; room for more is memory never given back. */
const youngMb = 24
/** At the end: to clear what is to be cleared, to give the Lease back, and to send the last spans. */
const giveBackMsMax = 6000

export interface ControlPlaneThreadOptions {
  /** Module that the thread runs. */
  readonly entry: URL
  /** Plain data for that module. */
  readonly settings: unknown
  readonly heapMb: number
  readonly backoff: BackoffOptions
  readonly logSettings: LogSettings
  readonly log: Logger
  /** Version of the table in force: a new control plane goes on from there. */
  readonly version: () => number
  readonly onTable: (delta: TableDelta) => void
  readonly onLogLine: (line: string) => void
  /** It cannot work at all. */
  readonly onFailure: (error: string) => void
}

/**
 * The control plane as the supervisor sees it. What it found out last is kept here, so that it can be
 * shown while the thread is away.
 */
export class ControlPlaneThread {
  /** All findings as JSON text. */
  diagnosticsJson = '[]'
  diagnosticCounts: DiagnosticCounts = { error: 0, warning: 0, info: 0 }
  sources: readonly SourceStatus[] = []
  /** Whether this replica leads; undefined: there is no election. */
  leading: boolean | undefined
  readonly #options: ControlPlaneThreadOptions
  readonly #thread: SupervisedThread<ToControlPlane, FromControlPlane>
  readonly #beat = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  readonly #checks: NodeJS.Timeout
  readonly #spans: SpanRelay
  readonly #queries = new Map<number, (text: string | undefined) => void>()
  #queryId = 0
  #onStopped: () => void = () => undefined
  #certificate: KeptCertificate | undefined
  #unopened: readonly UnopenedListener[] = []

  constructor(options: ControlPlaneThreadOptions) {
    this.#options = options
    this.#thread = new SupervisedThread<ToControlPlane, FromControlPlane>({
      name: 'control-plane',
      entry: options.entry,
      resourceLimits: {
        maxOldGenerationSizeMb: options.heapMb,
        maxYoungGenerationSizeMb: youngMb,
      },
      backoff: options.backoff,
      workerData: () => this.#start(),
      onMessage: (message) => {
        this.#receive(message)
      },
      onEnded: (reason, error, delayMs) => {
        this.#onEnded(reason, error, delayMs)
      },
    })
    this.#spans = new SpanRelay((spans, dropped) => {
      this.#thread.post({ kind: 'spans', spans, dropped })
    })
    const heartbeat = new Heartbeat(() => Atomics.load(this.#beat, 0), checksMax)
    this.#checks = setInterval(() => {
      if (!this.#thread.running || heartbeat.check()) return
      heartbeat.reset()
      this.#thread.replaceStalled()
    }, heartbeatIntervalMs)
  }

  get running(): boolean {
    return this.#thread.running
  }

  get restarts(): Readonly<Record<EndReason, number>> {
    return this.#thread.restarts
  }

  start(): void {
    this.#thread.start()
  }

  async stop(): Promise<void> {
    clearInterval(this.#checks)
    const waited = this.leading !== undefined || this.#spans.used
    if (waited && this.#thread.running) await this.#giveBack()
    await this.#thread.stop()
  }

  /** Leaves it time to do what other replicas wait for. */
  async #giveBack(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, giveBackMsMax)
      this.#onStopped = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#thread.post({ kind: 'stop' })
    })
  }

  /** Every worker runs this version. */
  settled(version: number): void {
    this.#thread.post({ kind: 'settled', version })
  }

  /** Spans are lost while the thread is away. */
  addSpans(spans: readonly Span[]): void {
    if (this.#thread.running) this.#spans.add(spans)
  }

  /** Listeners that some worker cannot open, all of them. */
  unopened(listeners: readonly UnopenedListener[]): void {
    this.#unopened = listeners
    this.#thread.post({ kind: 'unopened', listeners })
  }

  /** The answer, or undefined when none comes within `timeoutMs`. */
  async query(query: ControlPlaneQuery, timeoutMs: number): Promise<string | undefined> {
    if (!this.#thread.running) return undefined
    const id = ++this.#queryId
    return await new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#answer(id, undefined)
      }, timeoutMs)
      this.#queries.set(id, (text) => {
        clearTimeout(timer)
        resolve(text)
      })
      this.#thread.post({ kind: 'query', id, query })
    })
  }

  #start(): ControlPlaneStart<unknown> {
    const { settings, logSettings, version } = this.#options
    return {
      settings,
      version: version(),
      certificate: this.#certificate,
      unopened: this.#unopened,
      log: logSettings,
      beat: this.#beat,
    }
  }

  #receive(message: FromControlPlane): void {
    switch (message.kind) {
      case 'table':
        this.#options.onTable(message.delta)
        break
      case 'diagnostics':
        this.diagnosticsJson = message.json
        this.diagnosticCounts = message.counts
        break
      case 'sources':
        this.sources = message.sources
        break
      case 'certificate':
        this.#certificate = message.certificate
        break
      case 'answer':
        this.#answer(message.id, message.text)
        break
      case 'log':
        this.#options.onLogLine(message.line)
        break
      case 'leading':
        this.leading = message.leading
        break
      case 'spans-taken':
        this.#spans.taken()
        break
      case 'stopped':
        this.#onStopped()
        break
      case 'failed':
        this.#options.onFailure(message.error)
        break
    }
  }

  #answer(id: number, text: string | undefined): void {
    const resolve = this.#queries.get(id)
    this.#queries.delete(id)
    resolve?.(text)
  }

  #onEnded(reason: EndReason, error: unknown, delayMs: number): void {
    for (const id of this.#queries.keys()) this.#answer(id, undefined)
    this.#spans.reset()
    if (this.leading !== undefined) this.leading = false
    this.#onStopped()
    this.#options.log.error('control plane ended; traffic goes on with the last table', {
      reason,
      error: errorText(error),
      stack: errorStack(error),
      restartInMs: delayMs,
    })
  }
}
