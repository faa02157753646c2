import { Worker } from 'node:worker_threads'
import type { ResourceLimits } from 'node:worker_threads'
import { Backoff } from './backoff.ts'
import type { BackoffOptions } from './backoff.ts'

/** Why a thread ended without being told to. */
export const endReasons = ['crash', 'out-of-memory', 'stalled'] as const
export type EndReason = (typeof endReasons)[number]

export interface ThreadOptions<Up> {
  readonly name: string
  /** Module that the thread runs. */
  readonly entry: URL
  readonly resourceLimits?: ResourceLimits
  readonly backoff: BackoffOptions
  /** What the thread is given; asked anew for every start. */
  workerData(): unknown
  onMessage(message: Up): void
  /** The thread is gone with everything that it held; it starts again in `delayMs`, -1: never. */
  onEnded(reason: EndReason, error: unknown, delayMs: number): void
}

/**
 * A thread that is started again whenever it ends, after a back-off. What it posts is heard until its
 * end, never afterwards.
 */
export class SupervisedThread<Down, Up> {
  readonly restarts: Record<EndReason, number> = { crash: 0, 'out-of-memory': 0, stalled: 0 }
  readonly #options: ThreadOptions<Up>
  readonly #backoff: Backoff
  #worker: Worker | undefined
  #startedAt = 0
  #stalled = false
  /** It is not started again. */
  #last = false
  /** We ended it ourselves. */
  #stopped = false
  #error: unknown
  #timer: NodeJS.Timeout | undefined

  constructor(options: ThreadOptions<Up>) {
    this.#options = options
    this.#backoff = new Backoff(options.backoff)
  }

  get running(): boolean {
    return this.#worker !== undefined
  }

  start(): void {
    this.#last = false
    this.#stopped = false
    const { name, entry, resourceLimits } = this.#options
    const worker = new Worker(entry, {
      name,
      workerData: this.#options.workerData(),
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
    })
    this.#worker = worker
    this.#startedAt = performance.now()
    this.#stalled = false
    this.#error = undefined
    worker.on('message', (message: Up) => {
      this.#options.onMessage(message)
    })
    worker.on('error', (error) => {
      this.#error = error
    })
    worker.on('exit', (code) => {
      this.#ended(code)
    })
  }

  /** Does nothing while the thread is not running. */
  post(message: Down): void {
    this.#worker?.postMessage(message)
  }

  /** Ends a thread that does not answer any more, so that it is started again. */
  replaceStalled(): void {
    this.#stalled = true
    void this.#worker?.terminate()
  }

  /** Lets the thread run on, but does not start it again. */
  giveUp(): void {
    this.#last = true
    clearTimeout(this.#timer)
  }

  /** Ends the thread for good. */
  async stop(): Promise<void> {
    this.giveUp()
    this.#stopped = true
    await this.#worker?.terminate()
  }

  #ended(code: number): void {
    this.#worker = undefined
    if (this.#stopped) return
    const reason = this.#stalled ? 'stalled' : reasonOf(this.#error)
    const error = this.#error ?? new Error(`exited with code ${code}`)
    if (this.#last) {
      this.#options.onEnded(reason, error, -1)
      return
    }
    this.restarts[reason]++
    const delayMs = this.#backoff.next(performance.now() - this.#startedAt)
    this.#options.onEnded(reason, error, delayMs)
    this.#timer = setTimeout(() => {
      this.start()
    }, delayMs)
  }
}

function reasonOf(error: unknown): EndReason {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'out-of-memory' : 'crash'
}
