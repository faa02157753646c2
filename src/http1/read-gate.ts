import type { Connection } from '#src/transport/transport.ts'

/** Starts and stops reading from a connection, and tells it only what changes. */
export class ReadGate {
  readonly #connection: Connection
  #open = false
  #bulk = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  set(open: boolean): void {
    if (open === this.#open) return
    this.#open = open
    if (open) this.#connection.resume()
    else this.#connection.pause()
  }

  /** Whether reads fill a buffer of the connection's own. */
  setBulk(on: boolean): void {
    if (on === this.#bulk) return
    this.#bulk = on
    this.#connection.setBulk(on)
  }
}
