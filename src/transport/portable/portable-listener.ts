import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { lacksIpv6, listenError } from '../listen-error.ts'
import type { Listener, ListenOptions } from '../transport.ts'
import { unheard } from '../unheard.ts'
import { PortableConnection } from './portable-connection.ts'

const keepAliveMs = 60_000
/** No new connection for this long: the kernel's queue is taken for empty. */
const quietMs = 20
const drainMaxMs = 1000

/** Opens a listening socket. Rejects with an error of one line when the port cannot be had. */
export async function listenPortable(options: ListenOptions): Promise<Listener> {
  const listener = new PortableListener(options)
  try {
    await listener.open()
  } catch (error) {
    const { code = '', errno = 0 } = error as NodeJS.ErrnoException
    if (lacksIpv6(options.address, code)) {
      return listenPortable({ ...options, address: '0.0.0.0' })
    }
    throw listenError(options.address, options.port, errno)
  }
  return listener
}

class PortableListener implements Listener {
  address = ''
  port = 0
  readonly #server: Server
  readonly #options: ListenOptions
  #accepted = 0
  #closed: Promise<void> | undefined

  constructor(options: ListenOptions) {
    this.#options = options
    this.#server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    })
  }

  async open(): Promise<void> {
    const { address, port, reusePort, backlog, onConnection, onAcceptError } = this.#options
    const server = this.#server
    server.on('connection', (socket) => {
      this.#accepted++
      const connection = new PortableConnection(socket, unheard)
      connection.open()
      onConnection(connection)
    })
    server.listen({ host: address, port, reusePort, backlog, ipv6Only: false, exclusive: true })
    await once(server, 'listening')
    server.on('error', (error: NodeJS.ErrnoException) => onAcceptError?.(error.code ?? ''))
    const name = server.address() as AddressInfo
    this.address = name.address
    this.port = name.port
  }

  close(): Promise<void> {
    this.#closed ??= this.#drain()
    return this.#closed
  }

  destroy(): void {
    this.#server.close()
    this.#closed ??= Promise.resolve()
  }

  async #drain(): Promise<void> {
    const deadline = performance.now() + drainMaxMs
    let seen = -1
    while (seen !== this.#accepted && performance.now() < deadline) {
      seen = this.#accepted
      await sleep(quietMs)
      await turn()
    }
    this.#server.close()
    await turn()
  }
}
