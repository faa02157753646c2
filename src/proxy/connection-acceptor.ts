import { Roster } from '#src/exchange/roster.ts'
import type { Listed } from '#src/exchange/roster.ts'
import type { Peer, RequestAcceptor } from '#src/exchange/streams.ts'
import { Http1ServerContext } from '#src/http1/server-context.ts'
import { Http1ServerSession } from '#src/http1/server-session.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { Http2Environment } from '#src/http2/environment.ts'
import type { Key } from '#src/table/keys.ts'
import type { Authorities, Certificate, GlobalOptions, Host, Listener } from '#src/table/table.ts'
import { filterConnection } from '#src/transport/listener-filter.ts'
import type { FilteredConnection } from '#src/transport/listener-filter.ts'
import { TlsContexts } from '#src/transport/tls-contexts.ts'
import type { TlsTerms } from '#src/transport/tls-contexts.ts'
import type { Connection, ConnectionHandler } from '#src/transport/transport.ts'
import type { DataPlaneOptions } from '#src/workers/data-plane-options.ts'
import { ConnectionContext, contextOf } from './connection-context.ts'
import { Http2Sessions } from './http2-sessions.ts'
import type { AcceptedBy } from './listeners.ts'
import type { LiveTable } from './live-table.ts'
import { ProtocolSniffer } from './protocol-sniffer.ts'
import type { SniffedProtocols } from './protocol-sniffer.ts'
import { TlsHandshake } from './tls-handshake.ts'
import { HandshakeTermsCache } from './tls-terms.ts'
import type { Tunnels } from './tunnels.ts'
import { TrustedPeers } from './trusted-peers.ts'

const acceptedCells = {
  http: workerCell('connections_accepted_total:http'),
  https: workerCell('connections_accepted_total:https'),
  tcp: workerCell('connections_accepted_total:tcp'),
} as const

const nothing = Buffer.alloc(0)
const handshakeFailed = workerCell('tls_handshakes_total:failed')
const fullCell = workerCell('tls_handshakes_total:full')
const resumedCell = workerCell('tls_handshakes_total:resumed')
const handshakeTimeout = workerCell('timeouts_total:tls-handshake')

/** What nginx answers to plain HTTP on a TLS port. */
const plainHttpAnswer =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 45\r\nConnection: close\r\n\r\n' +
  'Plain HTTP was sent to a port that wants TLS\n'

/** The alert that refuses a name (RFC 6066 3), as a record of its own. */
const unrecognizedName = '\x15\x03\x03\0\x02\x02\x70'

/** How long a refused client may take to read why. */
const refusedLingerMs = 500

const alpnOffered = ['h2', 'http/1.1'] as const
const alpnHttp1 = ['http/1.1'] as const

/** A connection whose protocol is not chosen yet. */
interface Pending extends Listed {
  readonly connection: Connection
}

/** Who takes what becomes of a connection. */
export interface AcceptorParts {
  readonly requests: RequestAcceptor
  readonly environment: Http2Environment
  readonly tunnels: Tunnels
}

/**
 * Takes accepted connections through PROXY header, ClientHello and TLS to the codec that fits, and
 * knows all that are open.
 */
export class ConnectionAcceptor implements AcceptedBy, SniffedProtocols {
  readonly #options: DataPlaneOptions
  readonly #table: LiveTable
  readonly #plain: Http1ServerContext
  readonly #secure: Http1ServerContext
  readonly #http2: Http2Sessions
  readonly #contexts: TlsContexts
  readonly #tunnels: Tunnels
  readonly #pending = new Roster<Pending>()
  #trustedPeers: TrustedPeers
  #terms: HandshakeTermsCache
  #draining = false

  constructor(
    options: DataPlaneOptions,
    table: LiveTable,
    { requests, environment, tunnels }: AcceptorParts,
  ) {
    this.#options = options
    this.#tunnels = tunnels
    this.#table = table
    const { wheel, wallClock, ticketKeys } = options
    this.#plain = new Http1ServerContext(requests, table.options, wheel, wallClock)
    this.#plain.onPreface = (connection, buffer, start, end) => {
      const sniffer = new ProtocolSniffer(connection, wheel, this)
      sniffer.start()
      sniffer.onData(buffer, start, end)
    }
    this.#secure = new Http1ServerContext(requests, table.options, wheel, wallClock)
    this.#http2 = new Http2Sessions(environment, requests, table.options)
    this.#contexts = new TlsContexts({ ticketKeys })
    this.#trustedPeers = new TrustedPeers(table.options.trustedPeers)
    this.#terms = new HandshakeTermsCache(table.options)
  }

  get plainCount(): number {
    return this.#plain.sessions.size + this.#http2.plainCount
  }

  get tlsCount(): number {
    return this.#secure.sessions.size + this.#http2.tlsCount
  }

  get streamCount(): number {
    return this.#tunnels.size
  }

  get connectionCount(): number {
    return this.plainCount + this.tlsCount + this.streamCount + this.#pending.size
  }

  /** New options count for the next request of each connection. */
  setOptions(options: GlobalOptions): void {
    this.#plain.options = options
    this.#secure.options = options
    this.#http2.setOptions(options)
    this.#trustedPeers = new TrustedPeers(options.trustedPeers)
    this.#terms = new HandshakeTermsCache(options)
  }

  /**
   * What clients are asked for has changed. A connection that was opened before lets one more request
   * through, or those that it has, and ends behind them: the next one is asked anew.
   */
  endStale(): void {
    const isStale = (peer: Peer): boolean => this.#isStale(peer)
    for (const session of this.#secure.sessions.all()) {
      if (isStale(session.connection.peer)) session.shutdown(true)
    }
    this.#http2.drainStale(isStale)
  }

  setTicketKeys(keys: Buffer): void {
    this.#contexts.setTicketKeys(keys)
  }

  accept(connection: Connection, key: Key): void {
    const listener = this.#table.listeners.get(key)
    if (listener === undefined) {
      connection.destroy()
      return
    }
    const { worker, writer } = this.#options
    if (listener.protocol === 'tcp') {
      worker.add(writer, acceptedCells.tcp, 1)
      this.#acceptStream(connection, listener)
      return
    }
    const tls = listener.protocol === 'https'
    worker.add(writer, tls ? acceptedCells.https : acceptedCells.http, 1)
    if (!tls && !listener.proxyProtocol) {
      this.#startPlain(connection, listener, undefined)
      return
    }
    const pending = this.#await(connection)
    filterConnection(connection, {
      proxyProtocol: listener.proxyProtocol,
      proxyTimeoutMs: this.#table.options.proxyHeaderTimeoutMs,
      clientHello: tls,
      wheel: this.#options.wheel,
      trustsProxy: (address) => this.#trustedPeers.has(address),
      onReady: (filtered) => {
        this.#pending.delete(pending)
        if (tls) this.#startTls(filtered, listener)
        else this.#startPlain(connection, listener, filtered.unread)
      },
      onDropped: (_dropped, problem) => {
        this.#pending.delete(pending)
        if (tls && problem !== '') worker.add(writer, handshakeFailed, 1)
      },
    })
  }

  #acceptStream(connection: Connection, listener: Listener): void {
    const start = (unread: Buffer): void => {
      const stream = this.#table.streams.get(listener.key)
      if (stream === undefined) connection.destroy()
      else this.#tunnels.start(connection, unread, stream, { port: listener.port, serverName: '' })
    }
    if (!listener.proxyProtocol) {
      start(nothing)
      return
    }
    const pending = this.#await(connection)
    filterConnection(connection, {
      proxyProtocol: true,
      proxyTimeoutMs: this.#table.options.proxyHeaderTimeoutMs,
      clientHello: false,
      wheel: this.#options.wheel,
      trustsProxy: (address) => this.#trustedPeers.has(address),
      onReady: ({ unread }) => {
        this.#pending.delete(pending)
        start(unread)
      },
      onDropped: () => {
        this.#pending.delete(pending)
      },
    })
  }

  /** Lets every connection finish what it has, and closes the others. May be called again. */
  shutdown(): void {
    this.#draining = true
    for (const { connection } of this.#pending.all()) connection.destroy()
    this.#plain.shutdown()
    this.#secure.shutdown()
    this.#http2.shutdown()
  }

  /** Cuts whatever is left. */
  destroy(): void {
    for (const session of [...this.#plain.sessions.all(), ...this.#secure.sessions.all()]) {
      session.abort()
    }
    for (const { connection } of this.#pending.all()) connection.destroy()
    this.#http2.destroy()
    this.#tunnels.destroy()
  }

  #startPlain(connection: Connection, listener: Listener, unread: Buffer | undefined): void {
    connection.peer.context = new ConnectionContext(listener, undefined)
    const session = this.#http1(connection, this.#plain, true)
    if (unread !== undefined && unread.length > 0) session.onData(unread, 0, unread.length)
  }

  /** See `SniffedProtocols`. */
  get timeoutMs(): number {
    return this.#plain.options.requestHeadTimeoutMs
  }

  http1(connection: Connection): ConnectionHandler {
    return this.#http1(connection, this.#plain)
  }

  http2(connection: Connection): ConnectionHandler {
    return this.#http2.start(connection)
  }

  #http1(connection: Connection, context: Http1ServerContext, sniffs = false): Http1ServerSession {
    const session = new Http1ServerSession(connection, context)
    session.start(sniffs)
    if (this.#draining) session.shutdown()
    return session
  }

  /** The name in the ClientHello decides whose TLS it is. */
  #startTls(filtered: FilteredConnection, listener: Listener): void {
    const { connection, unread, hello, plainHttp } = filtered
    if (plainHttp || hello === undefined) {
      this.#refuse(connection, plainHttpAnswer)
      return
    }
    const live = this.#table.hostAt(listener, hello.serverName)
    if (live?.passthrough !== undefined) {
      const entry = { port: listener.port, serverName: hello.serverName }
      this.#tunnels.start(connection, unread, live.passthrough, entry)
      return
    }
    const named = live !== undefined && live.host.pattern !== ''
    if (!named && this.#table.options.tlsRejectUnknown) {
      this.#countFailedHandshake()
      this.#refuse(connection, unrecognizedName)
      return
    }
    this.#handshake(filtered, hello.serverName, { listener, host: live?.host })
  }

  #countFailedHandshake(): void {
    this.#options.worker.add(this.#options.writer, handshakeFailed, 1)
  }

  #handshake(
    { connection, unread }: FilteredConnection,
    serverName: string,
    { listener, host }: { readonly listener: Listener; readonly host: Host | undefined },
  ): void {
    const { worker, writer, transport, wheel } = this.#options
    const certificate = this.#table.certificateFor(listener, serverName)
    const asked = this.#authoritiesOf(host)
    const context =
      certificate === undefined || asked === 'missing'
        ? undefined
        : this.#contextOf(certificate, asked, this.#terms.of(host?.handshake))
    if (context === undefined || asked === 'missing') {
      this.#countFailedHandshake()
      connection.destroy()
      return
    }
    connection.peer.context = new ConnectionContext(listener, certificate, asked)
    const handshake = new TlsHandshake(wheel, {
      onDone: (secured) => {
        this.#pending.delete(pending)
        this.#startSecured(secured)
      },
      onFailed: (_failed, timedOut) => {
        this.#pending.delete(pending)
        this.#countFailedHandshake()
        if (timedOut) worker.add(writer, handshakeTimeout, 1)
      },
    })
    const secured = transport.startTls(
      connection,
      unread,
      {
        context,
        serverName,
        alpn: this.#table.options.http2 ? alpnOffered : alpnHttp1,
        requestCertificate: asked !== undefined,
      },
      handshake,
    )
    const pending = this.#await(secured)
    handshake.start(secured)
  }

  #await(connection: Connection): Pending {
    const pending = { connection, place: -1 }
    this.#pending.add(pending)
    return pending
  }

  #isStale(peer: Peer): boolean {
    const { listener, asked } = contextOf(peer)
    const live = this.#table.hostAt(listener, peer.tls?.serverName ?? '')
    const now = this.#authoritiesOf(live?.host)
    if (now === 'missing') return true
    return asked?.key !== now?.key || asked?.fingerprint !== now?.fingerprint
  }

  /** What clients of the host are asked for; `missing`: the table lacks it, so that nobody may come in. */
  #authoritiesOf(host: Host | undefined): Authorities | 'missing' | undefined {
    const clients = host?.clientCertificates
    if (clients === undefined) return undefined
    return this.#table.authorities.get(clients.authorities) ?? 'missing'
  }

  /** Undefined: OpenSSL refuses what the control plane found good; the log says which. */
  #contextOf(
    certificate: Certificate,
    asked: Authorities | undefined,
    terms: TlsTerms | undefined,
  ): unknown {
    try {
      return this.#contexts.get(certificate, asked, terms)
    } catch {
      const secrets = [certificate, asked].flatMap((part) => part?.origin ?? [])
      const secret = secrets.map(({ namespace, name }) => `${namespace}/${name}`).join(' ')
      this.#options.log.error('a certificate cannot be used', { secret })
      return undefined
    }
  }

  #startSecured(connection: Connection): void {
    const { worker, writer } = this.#options
    const { tls } = connection.peer
    worker.add(writer, tls?.resumed === true ? resumedCell : fullCell, 1)
    if (tls?.alpn === 'h2') this.#http2.start(connection)
    else this.#http1(connection, this.#secure)
  }

  #refuse(connection: Connection, text: string): void {
    connection.writeText(text)
    connection.end()
    connection.pause()
    this.#closeLater(connection)
  }

  /** A client that was refused has a moment to read why. */
  #closeLater(connection: Connection): void {
    const handshake = new TlsHandshake(this.#options.wheel, {
      onDone: () => {},
      onFailed: () => {
        this.#pending.delete(pending)
      },
    })
    const pending = this.#await(connection)
    connection.handler = handshake
    handshake.start(connection, refusedLingerMs)
  }
}
