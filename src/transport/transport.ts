import type { Peer } from '#src/exchange/streams.ts'

/** Why a connection is gone; '' after an orderly end of both directions or our own `destroy`. */
export type CloseReason = '' | 'reset' | 'refused' | 'timeout' | 'unreachable' | 'tls' | 'error'

/**
 * One byte stream, plain or TLS, accepted or opened. Two implementations pass one test suite: raw
 * libuv handles on the pinned Node, and `node:net` / `node:tls` everywhere else.
 */
export interface Connection {
  /** Who hears the events; a codec may hand the connection on by replacing it. */
  handler: ConnectionHandler
  /** A listener filter replaces it by what a PROXY header says. */
  peer: Peer
  /** True while written bytes wait in this process. */
  readonly backedUp: boolean
  /** With `onClose`: what the system or TLS said, e.g. `ECONNRESET`, `certificate has expired`. For logs. */
  readonly problem?: string
  /**
   * Sends latin1 text. False: some of it waits; `onDrain` follows when all has gone to the kernel.
   */
  writeText(text: string): boolean
  /**
   * Sends latin1 text at the end of this turn of the event loop, or before it with what is sent next: the writes of
   * many connections then follow each other. `destroy` drops it; where it has to wait, `onBackedUp` and `onDrain` follow.
   */
  writeLater(text: string): void
  /**
   * Sends bytes, behind `text` when it is not ''. One system call for both where the kernel takes them.
   * After false the memory must stay untouched until `onDrain`: the caller pauses what fills it. Memory
   * of the shared read buffer is copied here first, so what `onData` brings may always be passed on.
   */
  writeBytes(text: string, buffer: Buffer, start: number, end: number): boolean
  /** Stops and restarts reading. Starts out paused; `resume` begins. */
  pause(): void
  resume(): void
  /**
   * True: reads fill a buffer of this connection's own (for bodies longer than one read: what is passed
   * on needs no copy). False: reads fill the shared buffer again. A hint; ignored past a budget.
   */
  setBulk(on: boolean): void
  /** Ends our direction (FIN, or close_notify and FIN) after what waits. The other stays open. */
  end(): void
  /** Closes both directions at once and drops what waits. `onClose` follows in this or a later turn. */
  destroy(): void
  /** As `destroy`, with a TCP RST, so that a peer cannot take a cut message for a whole one. */
  reset(): void
}

/** What a connection tells its owner. Never called from within the owner's own calls, `destroy` apart. */
export interface ConnectionHandler {
  /** Bytes arrived. Valid during the call; see `writeBytes` for passing them on. */
  onData(buffer: Buffer, start: number, end: number): void
  /** The peer ended its direction. */
  onEnd(): void
  /** What was given to `writeLater` must wait for the peer. */
  onBackedUp?(): void
  /** All that waited has gone to the kernel. */
  onDrain(): void
  /** The last event, exactly once. */
  onClose(reason: CloseReason): void
}

/** Where to connect. Addresses only: workers never resolve names. */
export interface ConnectTarget {
  readonly address: string
  readonly port: number
  readonly tls: UpstreamTls | undefined
}

/** TLS towards an upstream. Plain data; one object a backend, so that contexts can be kept by identity. */
export interface UpstreamTls {
  /** The name to verify, '' for any, and to send as SNI. */
  readonly serverName: string
  /** Whether the name is sent as SNI. */
  readonly sendServerName: boolean
  readonly verify: boolean
  /** Chain length allowed below a trusted root; 0: no limit of ours. */
  readonly verifyDepth: number
  /** PEM; '' uses the system's roots. */
  readonly ca: string
  readonly certificate: string
  readonly key: string
  readonly ciphers: string
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly alpn: readonly string[]
}

/** Connects; `onConnected` or `handler.onClose` follows, never in the same turn. */
export interface ConnectHandler extends ConnectionHandler {
  onConnected(connection: Connection): void
}

export interface Listener {
  readonly address: string
  readonly port: number
  /** Stops accepting. Connections that the kernel has queued are accepted first, none is lost. */
  close(): Promise<void>
  /** Stops accepting at once; connections that the kernel has queued are refused. */
  destroy(): void
}

/** What `listen` needs to know. `onConnection` gets a plain connection, paused, before any byte is read. */
export interface ListenOptions {
  readonly address: string
  readonly port: number
  readonly reusePort: boolean
  readonly backlog: number
  /**
   * Sockets that share the port, where `reusePort` allows it: each gives up to one connection in a turn of the
   * event loop. A hint; default: 1.
   */
  readonly sockets?: number
  readonly onConnection: (connection: Connection) => void
  /** A connection could not be accepted (EMFILE, ENFILE, ENOMEM, …); for a metric and the log. */
  readonly onAcceptError?: (code: string) => void
}

/** One worker's way to the network. */
export interface Transport {
  readonly name: 'raw' | 'portable'
  /** Why the raw transport is not used, '' where it is. For the log. */
  readonly fallbackReason: string
  listen(options: ListenOptions): Promise<Listener>
  /** Opens a connection; the result can be destroyed while it is still connecting. */
  connect(target: ConnectTarget, handler: ConnectHandler): Connection
  /**
   * Turns an accepted plain connection into TLS, server side. `unread`: bytes already read from it.
   * The new connection reports through `handler`; the old object is dead.
   */
  startTls(
    connection: Connection,
    unread: Buffer,
    options: ServerTls,
    handler: ConnectHandler,
  ): Connection
}

/** One TLS handshake on the server side. The context was chosen from the ClientHello by the caller. */
export interface ServerTls {
  /** A `tls.SecureContext`; opaque here. */
  readonly context: unknown
  readonly serverName: string
  readonly alpn: readonly string[]
  /** Ask for a client certificate; whether it is good is read from the connection afterwards. */
  readonly requestCertificate: boolean
}
