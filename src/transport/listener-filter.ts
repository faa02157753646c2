import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerOwner, TimerWheel } from '#src/exchange/timer-wheel.ts'
import { ClientHelloReader } from './client-hello.ts'
import type { ClientHello } from './client-hello.ts'
import { peerBehindProxy } from './peers.ts'
import { readProxyHeader } from './proxy-protocol.ts'
import type { ProxyAddresses } from './proxy-protocol.ts'
import type { Connection, ConnectionHandler } from './transport.ts'
import { unheard } from './unheard.ts'

/** What is read from a connection before its protocol is chosen. */
export interface FilterSettings {
  /** A PROXY header must come first. */
  readonly proxyProtocol: boolean
  /** A ClientHello must come (next). */
  readonly clientHello: boolean
  readonly wheel: TimerWheel
  /** Default: 5 s. */
  readonly proxyTimeoutMs?: number
  /** Default: 60 s, ingress-nginx's `client-header-timeout`, which is what nginx holds handshakes to. */
  readonly helloTimeoutMs?: number
  /** Whether this peer may say who the client is; else its header is read and not believed. */
  readonly trustsProxy: (address: string) => boolean
  readonly onReady: (filtered: FilteredConnection) => void
  /** The connection is closed. `problem`: why, '' when the peer just went away. */
  readonly onDropped?: (connection: Connection, problem: string) => void
}

/** A connection whose first bytes are known. The receiver sets its handler in the same call. */
export interface FilteredConnection {
  /** Its `peer` is the client that the PROXY header names. It is reading. */
  readonly connection: Connection
  /** Bytes read and not consumed, the ClientHello among them. Valid during the call. */
  readonly unread: Buffer
  readonly hello: ClientHello | undefined
  /** Instead of a ClientHello came what begins a request in plain HTTP. */
  readonly plainHttp: boolean
}

const proxyTimeoutMsDefault = 5000
const helloTimeoutMsDefault = 60_000
const nothing = Buffer.alloc(0)

/** Runs the filters on an accepted connection, then hands it on. Without filters that is at once. */
export function filterConnection(connection: Connection, settings: FilterSettings): void {
  if (settings.proxyProtocol || settings.clientHello) {
    new ListenerFilter(connection, settings).start()
    return
  }
  settings.onReady({ connection, unread: nothing, hello: undefined, plainHttp: false })
}

/** Gives a filtered connection to a protocol that needs no TLS: it hears what was read first. */
export function handOn(
  { connection, unread }: FilteredConnection,
  handler: ConnectionHandler,
): void {
  connection.handler = handler
  if (unread.length > 0) handler.onData(unread, 0, unread.length)
}

class ListenerFilter implements ConnectionHandler, TimerOwner {
  readonly #connection: Connection
  readonly #settings: FilterSettings
  readonly #timer = new Timer(this)
  readonly #hello: ClientHelloReader | undefined
  #awaitsProxy: boolean
  /** What came in earlier reads, from the first byte that is still needed. */
  #held: Buffer | undefined
  #problem = ''

  constructor(connection: Connection, settings: FilterSettings) {
    this.#connection = connection
    this.#settings = settings
    this.#awaitsProxy = settings.proxyProtocol
    this.#hello = settings.clientHello ? new ClientHelloReader() : undefined
  }

  start(): void {
    this.#connection.handler = this
    this.#armTimer()
    this.#connection.resume()
  }

  onData(buffer: Buffer, start: number, end: number): void {
    if (this.#held === undefined) {
      this.#advance(buffer, start, start, end)
      return
    }
    const known = this.#held.length
    const all = Buffer.concat([this.#held, buffer.subarray(start, end)])
    this.#held = undefined
    this.#advance(all, 0, known, all.length)
  }

  onEnd(): void {
    this.#drop('')
  }

  onDrain(): void {
    // Filters write nothing.
  }

  onClose(): void {
    this.#settings.wheel.remove(this.#timer)
    this.#settings.onDropped?.(this.#connection, this.#problem)
  }

  onTimer(): void {
    this.#drop(this.#awaitsProxy ? 'no PROXY header in time' : 'no ClientHello in time')
  }

  /** Bytes from `start` are needed, those from `known` are new. */
  #advance(buffer: Buffer, start: number, known: number, end: number): void {
    let from = start
    let fresh = known
    if (this.#awaitsProxy) {
      const header = readProxyHeader(buffer, start, end)
      if (header === 'incomplete') {
        this.#hold(buffer, start, end)
        return
      }
      if ('problem' in header) {
        this.#drop(header.problem)
        return
      }
      this.#awaitsProxy = false
      this.#believe(header.addresses)
      from += header.length
      fresh = from
      if (this.#hello !== undefined) this.#armTimer()
    }
    if (this.#hello === undefined) this.#finish(buffer, from, end, false)
    else this.#readHello(this.#hello, buffer, [from, fresh, end])
  }

  #readHello(
    reader: ClientHelloReader,
    buffer: Buffer,
    [start, fresh, end]: readonly [number, number, number],
  ): void {
    switch (reader.push(buffer, fresh, end)) {
      case 'incomplete':
        this.#hold(buffer, start, end)
        break
      case 'malformed':
        this.#drop(`malformed ClientHello: ${reader.problem}`)
        break
      case 'plain-http':
        this.#finish(buffer, start, end, true)
        break
      case 'complete':
        this.#finish(buffer, start, end, false)
        break
    }
  }

  #believe(addresses: ProxyAddresses | undefined): void {
    const { peer } = this.#connection
    if (addresses === undefined || !this.#settings.trustsProxy(peer.address)) return
    this.#connection.peer = peerBehindProxy(peer, addresses.source, addresses.destination)
  }

  #finish(buffer: Buffer, start: number, end: number, plainHttp: boolean): void {
    const connection = this.#connection
    this.#settings.wheel.remove(this.#timer)
    connection.handler = unheard
    const unread = buffer.subarray(start, end)
    this.#settings.onReady({ connection, unread, hello: this.#hello?.hello, plainHttp })
  }

  #hold(buffer: Buffer, start: number, end: number): void {
    if (end > start) this.#held = Buffer.from(buffer.subarray(start, end))
  }

  #drop(problem: string): void {
    this.#problem = problem
    this.#connection.destroy()
  }

  #armTimer(): void {
    const { wheel, proxyTimeoutMs, helloTimeoutMs } = this.#settings
    const timeoutMs = this.#awaitsProxy
      ? (proxyTimeoutMs ?? proxyTimeoutMsDefault)
      : (helloTimeoutMs ?? helloTimeoutMsDefault)
    wheel.arm(this.#timer, timeoutMs)
  }
}
