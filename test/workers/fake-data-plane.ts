import { BroadcastChannel } from 'node:worker_threads'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { Key } from '#src/table/keys.ts'
import type { DataPlane as Contract, DataPlaneOptions } from '#src/workers/data-plane-options.ts'
import type { TableUpdate } from '#src/workers/messages.ts'
import { hear, say } from './channel.ts'

/** What a test tells the data planes; `writer` undefined: all of them. */
export interface DataPlaneCommand {
  readonly writer?: number
  readonly do:
    | 'begin' // a request to the first endpoint of the table begins
    | 'end' // and ends
    | 'crash'
    | 'stall' // the event loop stands still
    | 'refuse-tables' // listeners cannot be opened from now on
    | 'log' // a line for the access log
    | 'finish-drain' // what was in flight is done
    | 'report'
}

/** What a data plane answers to `report`. */
export interface DataPlaneReport {
  readonly writer: number
  readonly version: number
  readonly ticketKeys: string
  readonly drainTimeouts: readonly number[]
}

const channel = new BroadcastChannel(new URL(import.meta.url).searchParams.get('channel') ?? '')

/**
 * A data plane without a network, for tests of the process around it. The test commands it over a
 * channel whose name stands in the query of the module's URL.
 */
export class DataPlane implements Contract {
  readonly #options: DataPlaneOptions
  /** By slot: requests in flight. */
  readonly #held = new Map<number, number>()
  readonly #slots = new Map<Key, readonly number[]>()
  readonly #drainTimeouts: number[] = []
  #ticketKeys: Buffer
  #version = 0
  #refuses = false
  #finishDrain: () => void = () => undefined

  constructor(options: DataPlaneOptions) {
    this.#options = options
    this.#ticketKeys = options.ticketKeys
    hear<DataPlaneCommand>(channel, (command) => {
      const { writer } = command
      if (writer === undefined || writer === options.writer) this.#actions[command.do]()
    })
  }

  async apply({ delta, endpointSlots }: TableUpdate): Promise<void> {
    const before = this.#all()
    for (const [key, backend] of delta.backends) {
      if (backend === undefined) this.#slots.delete(key)
      else this.#slots.set(key, [...(endpointSlots.get(key) ?? [])])
    }
    const after = new Set(this.#all())
    for (const slot of before) if (!after.has(slot)) this.#releaseUnlessHeld(slot)
    this.#version = delta.version
    if (this.#refuses) throw new Error('cannot listen on a port of the test')
    await Promise.resolve()
  }

  setTicketKeys(keys: Buffer): void {
    this.#ticketKeys = keys
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#drainTimeouts.push(timeoutMs)
    if (timeoutMs === 0) this.#finishDrain()
    else if (this.#held.size > 0) {
      await new Promise<void>((resolve) => {
        this.#finishDrain = resolve
      })
    }
  }

  readonly #actions: Readonly<Record<DataPlaneCommand['do'], () => void>> = {
    begin: () => {
      const { worker, writer } = this.#options
      this.#count(this.#all()[0] ?? 0, 1)
      worker.add(writer, workerCell('requests_in_flight'), 1)
    },
    end: () => {
      for (const slot of this.#held.keys()) this.#end(slot)
    },
    crash: () => {
      throw new Error('crashed by the test')
    },
    stall: () => {
      for (;;);
    },
    'refuse-tables': () => {
      this.#refuses = true
    },
    log: () => {
      this.#options.accessLog.write(`line of worker ${this.#options.writer}`)
    },
    'finish-drain': () => {
      this.#finishDrain()
    },
    report: () => {
      this.#report()
    },
  }

  #report(): void {
    const report: DataPlaneReport = {
      writer: this.#options.writer,
      version: this.#version,
      ticketKeys: this.#ticketKeys.toString('hex'),
      drainTimeouts: this.#drainTimeouts,
    }
    say(channel, report)
  }

  #end(slot: number): void {
    this.#count(slot, -1)
    this.#held.delete(slot)
    if (!this.#all().includes(slot)) this.#options.onReleasedEndpoint(slot)
  }

  #releaseUnlessHeld(slot: number): void {
    if (!this.#held.has(slot)) this.#options.onReleasedEndpoint(slot)
  }

  #count(slot: number, change: number): void {
    const { endpoints, writer } = this.#options
    const cell = slot * endpoints.writers + writer
    endpoints.inFlight[cell] = (endpoints.inFlight[cell] as number) + change
    this.#held.set(slot, endpoints.inFlight[cell])
  }

  #all(): number[] {
    return [...this.#slots.values()].flat()
  }
}
