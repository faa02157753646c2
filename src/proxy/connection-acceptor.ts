import type { RequestAcceptor } from '#src/exchange/streams.ts'
import { Http1ServerContext } from '#src/http1/server-context.ts'
import type { Key } from '#src/table/keys.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import type { Connection } from '#src/transport/transport.ts'
import type { DataPlaneOptions } from '#src/workers/data-plane-options.ts'
import { Http1ServerSession } from '#src/http1/server-session.ts'
import { ConnectionContext } from './connection-context.ts'
import type { AcceptedBy } from './listeners.ts'
import type { LiveTable } from './live-table.ts'

/** Takes accepted connections through PROXY header and TLS to the codec that fits. */
export class ConnectionAcceptor implements AcceptedBy {
  readonly #options: DataPlaneOptions
  readonly #table: LiveTable
  readonly #plain: Http1ServerContext
  readonly #secure: Http1ServerContext

  constructor(options: DataPlaneOptions, table: LiveTable, requests: RequestAcceptor) {
    this.#options = options
    this.#table = table
    const { wheel, wallClock } = options
    this.#plain = new Http1ServerContext(requests, table.options, wheel, wallClock)
    this.#secure = new Http1ServerContext(requests, table.options, wheel, wallClock)
  }

  get plainCount(): number {
    return this.#plain.sessions.size
  }

  get tlsCount(): number {
    return this.#secure.sessions.size
  }

  get connectionCount(): number {
    return this.plainCount + this.tlsCount
  }

  setOptions(options: GlobalOptions): void {
    this.#plain.options = options
    this.#secure.options = options
  }

  setTicketKeys(_keys: Buffer): void {}

  accept(connection: Connection, key: Key): void {
    const listener = this.#table.listeners.get(key)
    if (listener === undefined) {
      connection.destroy()
      return
    }
    connection.peer.context = new ConnectionContext(listener)
    new Http1ServerSession(connection, this.#plain).start()
  }

  shutdown(): void {
    this.#plain.shutdown()
    this.#secure.shutdown()
  }

  destroy(): void {}
}
