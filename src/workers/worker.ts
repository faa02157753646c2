import { parentPort, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { seededRandom } from '#algorithms/random.ts'
import { TimerWheel } from '#src/exchange/timer-wheel.ts'
import { turnClock } from '#src/exchange/turn.ts'
import { createLogger, errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import { processClock } from '#src/shared/clock.ts'
import { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import { LogRing } from '#src/shared/log-ring.ts'
import { LimitMemory } from '#src/shared/limit-memory.ts'
import { RuleMemory } from '#src/shared/rule-memory.ts'
import { WorkerMemory, workerCell } from '#src/shared/worker-memory.ts'
import { createTransport } from '#src/transport/select.ts'
import { AccessLogSink } from './access-log.ts'
import { SpanBuffer } from './span-buffer.ts'
import type { DataPlane, DataPlaneOptions } from './data-plane-options.ts'
import type { FromWorker, TableUpdate, ToWorker, WorkerStart } from './messages.ts'

const tableVersion = workerCell('worker_table_version')
const logLinesPerSecond = 100

/** Runs one data plane in this thread: its clock, its memory, and its conversation with the supervisor. */
class DataWorker {
  readonly #port: MessagePort
  readonly #start: WorkerStart
  readonly #log: Logger
  readonly #wheel: TimerWheel
  readonly #now = processClock()
  readonly #memory: WorkerMemory
  readonly #accessLog: AccessLogSink
  readonly #spans: SpanBuffer
  #plane: DataPlane | undefined
  #released: number[] = []
  /** Updates are applied one after the other. */
  #applying = Promise.resolve()

  constructor(port: MessagePort, start: WorkerStart) {
    this.#port = port
    this.#start = start
    this.#log = createLogger({
      ...start.log,
      now: Date.now,
      fields: { worker: start.writer },
      linesPerSecond: logLinesPerSecond,
      write: (line) => {
        this.#post({ kind: 'log', line })
      },
    })
    this.#wheel = new TimerWheel(this.#now())
    this.#memory = WorkerMemory.attach(start.worker)
    const ring = LogRing.attach(start.accessLog)
    this.#accessLog = new AccessLogSink(ring, this.#memory, start.writer, () => {
      this.#post({ kind: 'access-log' })
    })
    this.#spans = new SpanBuffer(this.#memory, start.writer, (spans) => {
      this.#post({ kind: 'spans', spans })
    })
  }

  async run(): Promise<void> {
    const { DataPlane } = (await import(this.#start.dataPlane)) as {
      DataPlane: new (options: DataPlaneOptions) => DataPlane
    }
    this.#plane = new DataPlane(await this.#options())
    this.#port.on('message', (message: ToWorker) => {
      this.#receive(message)
    })
    setInterval(() => {
      this.#tick()
    }, this.#wheel.tickMs)
    this.#memory.beat(this.#start.writer)
    this.#post({ kind: 'started' })
  }

  async #options(): Promise<DataPlaneOptions> {
    const { writer, endpoints, rules, limits, bindAddresses, ticketKeys, sessionKey } = this.#start
    const transport = await createTransport()
    const { fallbackReason } = transport
    if (fallbackReason !== '') {
      this.#log.warn('the portable transport is used', { reason: fallbackReason })
    }
    return {
      transport,
      endpoints: EndpointMemory.attach(endpoints),
      rules: RuleMemory.attach(rules),
      limits: LimitMemory.attach(limits),
      worker: this.#memory,
      writer,
      wheel: this.#wheel,
      now: this.#now,
      turnNow: turnClock(this.#now),
      wallClock: Date.now,
      random: seededRandom(crypto.getRandomValues(new Uint32Array(1))[0] as number),
      accessLog: this.#accessLog,
      spans: this.#spans,
      bindAddresses,
      ticketKeys: Buffer.from(ticketKeys),
      sessionKey,
      log: this.#log,
      onReleasedEndpoint: (slot) => {
        this.#released.push(slot)
      },
      onUnopenedListeners: (listeners) => {
        this.#post({ kind: 'unopened', listeners })
      },
    }
  }

  #receive(message: ToWorker): void {
    const plane = this.#plane as DataPlane
    switch (message.kind) {
      case 'table':
        this.#applying = this.#applying.then(() => this.#apply(plane, message.update))
        break
      case 'ticket-keys':
        plane.setTicketKeys(Buffer.from(message.keys))
        break
      case 'drain':
        void this.#drain(plane, message.timeoutMs)
        break
    }
  }

  async #apply(plane: DataPlane, update: TableUpdate): Promise<void> {
    const { version } = update.delta
    let failure: string | undefined
    try {
      await plane.apply(update)
    } catch (error) {
      failure = errorText(error)
    }
    this.#memory.set(this.#start.writer, tableVersion, version)
    if (failure !== undefined) this.#post({ kind: 'failed', version, error: failure })
    this.#post({ kind: 'applied', version })
    this.#reportReleased()
  }

  async #drain(plane: DataPlane, timeoutMs: number): Promise<void> {
    await plane.drain(timeoutMs)
    this.#accessLog.flush()
    this.#spans.flush()
    this.#post({ kind: 'drained' })
  }

  #tick(): void {
    this.#memory.beat(this.#start.writer)
    this.#wheel.advance(this.#now())
    this.#accessLog.flush()
    this.#spans.flush()
    this.#reportReleased()
  }

  #reportReleased(): void {
    if (this.#released.length === 0) return
    this.#post({ kind: 'released', slots: Int32Array.from(this.#released) })
    this.#released = []
  }

  #post(message: FromWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window
    this.#port.postMessage(message)
  }
}

await new DataWorker(parentPort as MessagePort, workerData as WorkerStart).run()
