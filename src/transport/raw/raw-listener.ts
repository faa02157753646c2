import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { getSystemErrorName } from 'node:util'
import { lacksIpv6, listenError } from '../listen-error.ts'
import type { Listener, ListenOptions } from '../transport.ts'
import { unheard } from '../unheard.ts'
import { clientDescriptorsMax } from './descriptor-limit.ts'
import { createServerHandle, reusePortFlag } from './node-handles.ts'
import type { SocketName, TcpHandle } from './node-handles.ts'
import { PlainConnection } from './plain-connection.ts'
import { refuseHandshakes } from './refuse-handshakes.ts'

/** Seconds until the kernel probes a silent connection. Accepted sockets inherit it. */
const keepAliveSeconds = 60
/** No new connection for this long: none is left in the kernel's queue, nor on its way there. */
const quietMs = 250
/** Nothing new comes in meanwhile; this is for a queue that a busy loop empties slowly. */
const drainMaxMs = 5000
const descriptorsMax = clientDescriptorsMax()

/** Listening sockets of one port. Their options are those of the sockets they accept, at no further system call. */
export class RawListener implements Listener {
  readonly address: string
  readonly port: number
  readonly #sockets: TcpHandle[] = []
  readonly #options: ListenOptions
  #accepted = 0
  #closed: Promise<void> | undefined
  readonly #stopped = Promise.withResolvers<void>()

  /** Throws an error of one line when the port cannot be had. */
  constructor(options: ListenOptions) {
    this.#options = options
    const first = this.#open(options)
    const name: SocketName = { address: '', port: 0, family: '' }
    first.getsockname(name)
    const { address, port } = name
    this.address = address
    this.port = port
    const wanted = options.reusePort ? (options.sockets ?? 1) : 1
    try {
      while (this.#sockets.length < wanted) this.#open({ ...options, address, port })
    } catch (error) {
      this.destroy()
      throw error
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#drain()
    return this.#closed
  }

  destroy(): void {
    let left = this.#sockets.length
    for (const socket of this.#sockets) {
      socket.close(() => {
        if (--left === 0) this.#stopped.resolve()
      })
    }
    this.#closed = this.#stopped.promise
  }

  #open(options: ListenOptions): TcpHandle {
    const socket = open(options)
    socket.owner = this
    this.#sockets.push(socket)
    return socket
  }

  /** Called by the handle. */
  accept(status: number, client: TcpHandle): void {
    if (status < 0) {
      this.#options.onAcceptError?.(getSystemErrorName(status))
      return
    }
    this.#accepted++
    if (client.fd >= descriptorsMax) {
      client.close(() => undefined)
      this.#options.onAcceptError?.('EMFILE')
      return
    }
    this.#options.onConnection(PlainConnection.accepted(client, unheard))
  }

  async #drain(): Promise<void> {
    const refusals = this.#sockets.map(({ fd }) => refuseHandshakes(fd))
    const guarded = refusals.every(Boolean)
    const deadline = performance.now() + drainMaxMs
    let seen = guarded ? -1 : this.#accepted
    while (seen !== this.#accepted && performance.now() < deadline) {
      seen = this.#accepted
      await sleep(quietMs)
    }
    // At the end in any case: a turn of the loop in which the queue was empty, and the close right behind it.
    do {
      seen = this.#accepted
      await turn()
    } while (seen !== this.#accepted && performance.now() < deadline)
    this.destroy()
    await this.#stopped.promise
  }
}

function open(options: ListenOptions): TcpHandle {
  const { address, port, reusePort, backlog } = options
  const tcp = createServerHandle()
  tcp.onconnection = onConnection
  const flags = reusePort ? reusePortFlag : 0
  let status = address.includes(':')
    ? tcp.bind6(address, port, flags)
    : tcp.bind(address, port, flags)
  if (status === 0) {
    tcp.setNoDelay(true)
    tcp.setKeepAlive(true, keepAliveSeconds)
    status = tcp.listen(backlog)
  }
  if (status === 0) return tcp
  tcp.close(() => undefined)
  if (lacksIpv6(address, getSystemErrorName(status)))
    return open({ ...options, address: '0.0.0.0' })
  throw listenError(address, port, status)
}

function onConnection(this: TcpHandle, status: number, client: TcpHandle): void {
  ;(this.owner as RawListener).accept(status, client)
}
