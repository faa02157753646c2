import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerOwner } from '#src/exchange/timer-wheel.ts'
import { errorText } from '#src/observe/log.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { Key } from '#src/table/keys.ts'
import type { Listener } from '#src/table/table.ts'
import type { Connection, Listener as Socket } from '#src/transport/transport.ts'
import type { DataPlaneOptions } from '#src/workers/data-plane-options.ts'

/** Who gets what a listener accepts. */
export interface AcceptedBy {
  accept(connection: Connection, key: Key): void
}

const missingCell = workerCell('listeners_missing')
const retryMs = 5000

/** Connections that the kernel keeps until they are accepted (nginx: 511; net.core.somaxconn caps it). */
const backlog = 4096

/**
 * Sockets of each worker at a port for HTTP, so that under new connections a turn of the event loop has several of
 * them to do (ingress-nginx: `enable-multi-accept`). TCP ports may be many, and have one.
 */
const httpSockets = 8

interface Open {
  readonly name: string
  readonly sockets: Socket[]
}

/** The listening sockets of one worker: opened and closed as the table says, each on its own. */
export class Listeners implements TimerOwner {
  readonly #options: DataPlaneOptions
  readonly #acceptedBy: AcceptedBy
  readonly #open = new Map<Key, Open>()
  /** What the table asks for. */
  #wanted: ReadonlyMap<Key, Listener> = new Map()
  readonly #retry = new Timer(this)
  /** Why listeners could not be opened; each is logged once. */
  readonly #missing = new Map<Key, string>()
  #told = '[]'
  /** Ends when nobody opens or closes sockets any more. */
  #turn = Promise.resolve<void>(undefined)
  #closed = false

  constructor(options: DataPlaneOptions, acceptedBy: AcceptedBy) {
    this.#options = options
    this.#acceptedBy = acceptedBy
  }

  /**
   * Opens what is new and closes what is gone; what stays is not touched. What cannot be opened is told,
   * counted, and tried again. Rejects when it is for HTTP, after everything else has been done: a TCP port
   * harms nothing else.
   */
  async follow(listeners: ReadonlyMap<Key, Listener>): Promise<void> {
    this.#wanted = listeners
    // A socket that is being opened would be out of reach of another call, and stay open.
    const turn = this.#followAfter(this.#turn)
    this.#turn = turn.catch(() => undefined)
    await turn
  }

  async #followAfter(earlier: Promise<void>): Promise<void> {
    await earlier
    if (!this.#closed) await this.#follow(this.#wanted)
  }

  async #follow(listeners: ReadonlyMap<Key, Listener>): Promise<void> {
    const wanted = new Map([...listeners].map(([key, listener]) => [key, this.#nameOf(listener)]))
    const closing: Promise<void>[] = []
    for (const [key, open] of this.#open) {
      if (wanted.get(key) === open.name) continue
      this.#open.delete(key)
      closing.push(...open.sockets.map((socket) => socket.close()))
    }
    const failed: unknown[] = []
    for (const [key, listener] of listeners) {
      if (this.#open.has(key) || !isServed(listener)) continue
      try {
        await this.#listen(listener)
        if (this.#missing.delete(key)) {
          this.#options.log.info('a port is open after all', { port: listener.port })
        }
      } catch (error) {
        const isHttp = listener.protocol !== 'tcp'
        if (isHttp) failed.push(error)
        // HTTP is served at those of its addresses that could be opened.
        if (!isHttp || this.portOf(key) === undefined) this.#forget(listener, error)
      }
    }
    this.#report()
    await Promise.all(closing)
    if (failed.length > 0) throw failed[0]
  }

  /** The port that a listener is open at; it differs from the table's where that is 0. */
  portOf(key: Key): number | undefined {
    return this.#open.get(key)?.sockets[0]?.port
  }

  /** A port that could not be opened. */
  #forget({ key, port, protocol }: Listener, error: unknown): void {
    for (const socket of this.#open.get(key)?.sockets ?? []) socket.destroy()
    this.#open.delete(key)
    if (this.#missing.has(key)) return
    this.#missing.set(key, errorText(error))
    // Whoever asked for one for HTTP is told, and says it.
    if (protocol !== 'tcp') return
    this.#options.log.error('a port cannot be opened', { port, error: errorText(error) })
  }

  /** Says how many ports are missing, and sees to it that they are tried again. */
  #report(): void {
    const { worker, writer, wheel } = this.#options
    for (const key of this.#missing.keys()) if (!this.#wanted.has(key)) this.#missing.delete(key)
    worker.set(writer, missingCell, this.#missing.size)
    const unopened = [...this.#missing].map(([key, problem]) => ({ key, problem }))
    const text = JSON.stringify(unopened)
    if (text !== this.#told) this.#options.onUnopenedListeners?.(unopened)
    this.#told = text
    if (this.#missing.size > 0 && !this.#closed) wheel.arm(this.#retry, retryMs)
    else wheel.remove(this.#retry)
  }

  onTimer(): void {
    // Failures of HTTP ports were told when the table came.
    this.follow(this.#wanted).catch(() => {})
  }

  /** Closes all of them; nothing that the kernel has accepted is lost. */
  async close(): Promise<void> {
    this.#closed = true
    this.#options.wheel.remove(this.#retry)
    await this.#turn
    const sockets = [...this.#open.values()].flatMap((open) => open.sockets)
    this.#open.clear()
    await Promise.all(sockets.map((socket) => socket.close()))
  }

  async #listen(listener: Listener): Promise<void> {
    const open: Open = { name: this.#nameOf(listener), sockets: [] }
    this.#open.set(listener.key, open)
    for (const address of this.#addressesOf(listener)) {
      const socket = await this.#options.transport.listen({
        address,
        port: listener.port,
        reusePort: true,
        backlog,
        sockets: listener.protocol === 'tcp' ? 1 : httpSockets,
        onConnection: (connection) => {
          this.#acceptedBy.accept(connection, listener.key)
        },
        onAcceptError: (code) => {
          this.#options.log.warn('a connection could not be accepted', {
            code,
            port: listener.port,
          })
        },
      })
      open.sockets.push(socket)
    }
  }

  #addressesOf({ addresses }: Listener): readonly string[] {
    return addresses.length > 0 ? addresses : this.#options.bindAddresses
  }

  #nameOf(listener: Listener): string {
    return JSON.stringify([this.#addressesOf(listener), listener.port, listener.protocol])
  }
}

/** UDP has an issue of its own. */
function isServed({ protocol }: Listener): boolean {
  return protocol !== 'udp'
}
