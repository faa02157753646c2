import { EventEmitter, once } from 'node:events'
import { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { BroadcastChannel } from 'node:worker_threads'
import { LineWriter } from '#src/observe/line-writer.ts'
import { createLogger } from '#src/observe/log.ts'
import { fullDelta } from '#src/table/delta.ts'
import type { RouteTable } from '#src/table/table.ts'
import type { FromControlPlane } from '#src/workers/messages.ts'
import { Supervisor } from '#src/workers/supervisor.ts'
import { hear, say } from './channel.ts'
import type { ControlPlaneCommand, ControlPlaneReport } from './fake-control-plane.ts'
import type { DataPlaneCommand, DataPlaneReport } from './fake-data-plane.ts'

let processes = 0

export interface ProcessOptions {
  readonly workers?: number
  readonly heartbeatTimeoutMs?: number
}

/** A supervisor with real threads, whose control plane and data planes do what the test says. */
export class TestProcess {
  readonly supervisor: Supervisor
  readonly log: Record<string, unknown>[] = []
  readonly controlReports: ControlPlaneReport[] = []
  readonly dataReports: DataPlaneReport[] = []
  accessLog = ''
  readonly #control: BroadcastChannel
  readonly #data: BroadcastChannel
  readonly #heard = new EventEmitter()
  #version = 0

  constructor(t: TestContext, { workers = 2, heartbeatTimeoutMs = 10_000 }: ProcessOptions = {}) {
    const name = `process ${process.pid} ${processes++}`
    this.#control = new BroadcastChannel(`${name} control`)
    this.#data = new BroadcastChannel(`${name} data`)
    hear<ControlPlaneReport>(this.#control, (report) => {
      this.controlReports.push(report)
      this.#heard.emit('control')
    })
    hear<DataPlaneReport>(this.#data, (report) => {
      this.dataReports.push(report)
    })
    const dataPlane = new URL('fake-data-plane.ts', import.meta.url)
    dataPlane.searchParams.set('channel', `${name} data`)
    const logSettings = { format: 'json', level: 'info' } as const
    const write = (line: string): void => {
      this.log.push(JSON.parse(line) as Record<string, unknown>)
    }
    this.supervisor = new Supervisor({
      workers,
      endpointSlots: 64,
      ruleSlots: 64,
      bindAddresses: [],
      heartbeatTimeoutMs,
      controlPlane: {
        entry: new URL('fake-control-plane.ts', import.meta.url),
        settings: { channel: `${name} control` },
        heapMb: 32,
      },
      dataPlane: dataPlane.href,
      backoff: { firstMs: 10, maxMs: 50, soundMs: 60_000 },
      logSettings,
      log: createLogger({ ...logSettings, now: Date.now, write }),
      accessLog: new LineWriter(this.#accessLogStream()),
      onLogLine: write,
    })
    t.after(async () => {
      await this.supervisor.stop()
      this.#control.close()
      this.#data.close()
    })
  }

  /** Starts everything and gives the first table. */
  async start(table: RouteTable): Promise<void> {
    const started = this.supervisor.start()
    await this.untilControl((report) => 'started' in report)
    this.sendTable(table)
    await started
  }

  /** The control plane compiles this table; `full` deltas suit every situation. */
  sendTable(table: RouteTable): number {
    this.#version = Math.max(this.#version, this.supervisor.feed.version) + 1
    this.post({ kind: 'table', delta: fullDelta(table, this.#version) })
    return this.#version
  }

  post(message: FromControlPlane): void {
    this.control({ post: message })
  }

  control(command: ControlPlaneCommand): void {
    say(this.#control, command)
  }

  data(command: DataPlaneCommand): void {
    say(this.#data, command)
  }

  /** Resolves at the first report, past or coming, from index `from` on. */
  async untilControl(
    test: (report: ControlPlaneReport) => boolean,
    from = 0,
  ): Promise<ControlPlaneReport> {
    for (;;) {
      const found = this.controlReports.slice(from).find(test)
      if (found !== undefined) return found
      await once(this.#heard, 'control')
    }
  }

  /** Asks one data plane for its report, until it is there to answer. */
  async reportOf(writer: number): Promise<DataPlaneReport> {
    const from = this.dataReports.length
    const own = (): DataPlaneReport | undefined =>
      this.dataReports.slice(from).find((report) => report.writer === writer)
    await until(() => {
      if (own() === undefined) this.data({ writer, do: 'report' })
      return own() !== undefined
    })
    return own() as DataPlaneReport
  }

  #accessLogStream(): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.accessLog += chunk.toString('latin1')
        done()
      },
    })
  }
}

/** Polls until the condition holds: for state in shared memory, which has no events. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
