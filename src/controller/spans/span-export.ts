import type { TracingOptions } from '#src/compile/values/tracing.ts'
import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import type { Schedule } from '#src/sources/schedule.ts'
import type { Span } from '#src/workers/messages.ts'

/** Whoever takes spans in batches. */
export interface Collector {
  /** Rejects when they were not taken, after tries of its own. */
  send(spans: readonly Span[]): Promise<void>
  close(): Promise<void>
}

/** Spans by what became of them. */
export interface SpanCounts {
  exported: number
  failed: number
  dropped: number
}

interface SpanExportOptions {
  readonly connect: (options: TracingOptions) => Promise<Collector>
  readonly schedule: Schedule
  readonly log: Logger
}

/** How long the end waits for what is left. */
const lastMsMax = 3000

/**
 * Spans on their way to the collector: in batches, one after the other, from a bounded queue. What does
 * not fit is dropped and counted; that nobody takes spans is said once, until somebody does.
 */
export class SpanExport {
  readonly counts: SpanCounts = { exported: 0, failed: 0, dropped: 0 }
  readonly #options: SpanExportOptions
  #tracing: TracingOptions | undefined
  #collector: Promise<Collector> | undefined
  #queue: Span[] = []
  #sending: Promise<void> | undefined
  #cancelTimer: (() => void) | undefined
  #failing = false

  constructor(options: SpanExportOptions) {
    this.#options = options
  }

  /** Spans that wait. */
  get waiting(): number {
    return this.#queue.length
  }

  /** What waits goes to the new collector. */
  configure(tracing: TracingOptions | undefined): void {
    if (isSame(tracing, this.#tracing)) return
    this.#tracing = tracing
    this.#failing = false
    const before = this.#collector
    this.#collector = undefined
    void this.#close(before)
    if (tracing === undefined) this.#drop(this.#queue.length)
    else this.#drop(this.#queue.length - tracing.queueMax)
    this.#advance()
  }

  /** `dropped`: spans that were lost on their way here. */
  add(spans: readonly Span[], dropped: number): void {
    this.counts.dropped += dropped
    const room = (this.#tracing?.queueMax ?? 0) - this.#queue.length
    this.#queue.push(...spans.slice(0, Math.max(0, room)))
    this.counts.dropped += Math.max(0, spans.length - room)
    this.#advance()
  }

  /** Sends what is left, for a while. */
  async stop(): Promise<void> {
    this.#stopTimer()
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const cancel = this.#options.schedule(resolve, lastMsMax)
    await Promise.race([this.#sendAll(), late])
    cancel()
    this.#drop(this.#queue.length)
    await Promise.race([this.#close(this.#collector), late])
  }

  /** A full batch leaves at once, others when the oldest of them has waited. */
  #advance(): void {
    const { schedule } = this.#options
    if (this.#tracing === undefined || this.#sending !== undefined) return
    if (this.#queue.length >= this.#tracing.batchMax) this.#send()
    else if (this.#queue.length > 0) {
      this.#cancelTimer ??= schedule(() => {
        this.#send()
      }, this.#tracing.delayMs)
    }
  }

  #send(): void {
    this.#stopTimer()
    if (this.#tracing === undefined || this.#queue.length === 0) return
    const batch = this.#queue.splice(0, this.#tracing.batchMax)
    this.#sending = this.#sendBatch(batch, this.#tracing)
  }

  async #sendAll(): Promise<void> {
    for (;;) {
      await this.#sending
      if (this.#queue.length === 0 || this.#tracing === undefined) return
      if (this.#sending === undefined) this.#send()
    }
  }

  async #sendBatch(batch: readonly Span[], tracing: TracingOptions): Promise<void> {
    const { connect, log } = this.#options
    const collector = `${tracing.host}:${tracing.port}`
    try {
      this.#collector ??= connect(tracing)
      await (await this.#collector).send(batch)
      this.counts.exported += batch.length
      if (this.#failing) log.info('spans are taken again', { collector })
      this.#failing = false
    } catch (error) {
      this.counts.failed += batch.length
      if (!this.#failing) log.warn('spans are lost', { collector, error: errorText(error) })
      this.#failing = true
    }
    this.#sending = undefined
    this.#advance()
  }

  /** The oldest go first. */
  #drop(count: number): void {
    if (count <= 0) return
    this.#queue.splice(0, count)
    this.counts.dropped += count
  }

  async #close(collector: Promise<Collector> | undefined): Promise<void> {
    try {
      await (await collector)?.close()
    } catch (error) {
      this.#options.log.debug('a collector was not closed in order', { error: errorText(error) })
    }
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }
}

function isSame(a: TracingOptions | undefined, b: TracingOptions | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
