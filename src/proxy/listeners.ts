import type { Key } from '#src/table/keys.ts'
import type { Listener } from '#src/table/table.ts'
import type { Connection, Listener as Socket } from '#src/transport/transport.ts'
import type { DataPlaneOptions } from '#src/workers/data-plane-options.ts'

/** Who gets what a listener accepts. */
export interface AcceptedBy {
  accept(connection: Connection, key: Key): void
}

/** Connections that the kernel keeps until they are accepted (nginx: 511; net.core.somaxconn caps it). */
const backlog = 4096

interface Open {
  readonly name: string
  readonly sockets: Socket[]
}

/** The listening sockets of one worker: opened and closed as the table says, each on its own. */
export class Listeners {
  readonly #options: DataPlaneOptions
  readonly #acceptedBy: AcceptedBy
  readonly #open = new Map<Key, Open>()

  constructor(options: DataPlaneOptions, acceptedBy: AcceptedBy) {
    this.#options = options
    this.#acceptedBy = acceptedBy
  }

  /**
   * Opens what is new and closes what is gone; what stays is not touched. Rejects when a socket
   * cannot be opened, after everything else has been done.
   */
  async follow(listeners: ReadonlyMap<Key, Listener>): Promise<void> {
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
      } catch (error) {
        failed.push(error)
      }
    }
    await Promise.all(closing)
    if (failed.length > 0) throw failed[0]
  }

  /** The port that a listener is open at; it differs from the table's where that is 0. */
  portOf(key: Key): number | undefined {
    return this.#open.get(key)?.sockets[0]?.port
  }

  /** Closes all of them; nothing that the kernel has accepted is lost. */
  async close(): Promise<void> {
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

/** Passthrough, TCP and UDP have an issue of their own. */
function isServed({ protocol }: Listener): boolean {
  return protocol === 'http' || protocol === 'https'
}
