/**
 * The inside of Node that the raw transport stands on, and the only file that names it: libuv
 * handles as `process.binding` gives them, as of Node 26.10. Whoever imports this must have checked
 * the version first, because misuse ends the process; see `select.ts`.
 *
 * What differs from the documented streams:
 * - `useUserBuffer(buffer)` makes reads fill that memory; `onread` then finds the number of bytes, or
 *   a negative error, in `readResult()`, and may return another buffer for the next read.
 * - A write returns a number (0 or a negative error) when it is over, and a `WriteRequest` when some of
 *   it waits; then `oncomplete` is called, or `writeStatus` is set if there is none.
 * - A TLS handle has one write under way at most, whose memory it has copied when the call returns.
 *   A second one would end the process.
 */

/** `this` of the functions that a handle calls is the handle. */
export type HandleFunction<Handle, Result = void> = (this: Handle) => Result

export interface StreamHandle {
  /** Ours: the connection that the handle belongs to. */
  owner: unknown
  onread: HandleFunction<StreamHandle, Buffer | undefined>
  useUserBuffer(buffer: Buffer): void
  readStart(): number
  readStop(): number
  writeLatin1String(request: null, text: string): number | WriteRequest
  writeBuffer(request: null, bytes: Uint8Array): number | WriteRequest
  /** `chunks`: chunk, encoding, chunk, encoding, …; for bytes the encoding is 'buffer'. */
  writev(request: null, chunks: readonly unknown[], allBuffers: boolean): number | WriteRequest
  shutdown(request: ShutdownRequest): number
  /** Bytes that the kernel has not taken. */
  readonly writeQueueSize: number
}

export interface TcpHandle extends StreamHandle {
  onconnection: (this: TcpHandle, status: number, client: TcpHandle) => void
  bind(address: string, port: number, flags: number): number
  bind6(address: string, port: number, flags: number): number
  listen(backlog: number): number
  connect(request: ConnectRequest, address: string, port: number): number
  connect6(request: ConnectRequest, address: string, port: number): number
  getsockname(out: SocketName): number
  getpeername(out: SocketName): number
  setNoDelay(on: boolean): number
  setKeepAlive(on: boolean, initialDelaySeconds: number): number
  /** The callback is called in a later turn; to have none is cheaper. */
  close(callback?: HandleFunction<TcpHandle>): void
  /** As `close`, with a RST; refused (negative) while a FIN is under way. */
  reset(callback: HandleFunction<TcpHandle>): number
  /** The file descriptor, -1 once closed. */
  readonly fd: number
}

export interface TlsHandle extends StreamHandle {
  onhandshakedone: HandleFunction<TlsHandle>
  onerror: (this: TlsHandle, error: Error) => void
  /** Client side: a session that can be resumed. */
  onnewsession: (this: TlsHandle, id: Buffer, session: Buffer) => void
  enableSessionCallbacks(): void
  setSession(session: Buffer): void
  setServername(name: string): void
  setALPNProtocols(list: Buffer): void
  setVerifyMode(request: boolean, reject: boolean): void
  /** Client side: sends the ClientHello. */
  start(): void
  /** Feeds bytes as if they had been read. */
  receive(bytes: Buffer): void
  getALPNNegotiatedProtocol(): string | false
  getProtocol(): string
  getCipher(): { readonly name: string }
  isSessionReused(): boolean
  /** In the form of `tls.TLSSocket.getPeerCertificate`. */
  getPeerCertificate(detailed: boolean): unknown
  hasPeerCertificate(): boolean
  verifyError(): (Error & { readonly code: string }) | null | undefined
  /** Frees OpenSSL's part. Not while OpenSSL is calling us. */
  destroySSL(): void
}

export interface SocketName {
  address: string
  port: number
  family: string
}

export interface WriteRequest {
  oncomplete: ((this: WriteRequest, status: number, handle: StreamHandle) => void) | null
  /** Status of a write that ended while `oncomplete` was null; null before. */
  readonly writeStatus: number | null
  /** Free for us: keeps the memory of the write alive. */
  buffer: Buffer | null
}

export interface ShutdownRequest {
  oncomplete: (this: ShutdownRequest, status: number) => void
  handle: StreamHandle
}

export interface ConnectRequest {
  oncomplete: (this: ConnectRequest, status: number, handle: TcpHandle) => void
}

interface StreamBinding {
  readonly streamBaseState: Int32Array
  readonly kReadBytesOrError: number
  readonly kLastWriteErr: number
  readonly ShutdownWrap: new () => ShutdownRequest
}

interface TcpBinding {
  readonly TCP: new (type: number) => TcpHandle
  readonly TCPConnectWrap: new () => ConnectRequest
  readonly constants: {
    readonly SOCKET: number
    readonly SERVER: number
    readonly UV_TCP_REUSEPORT: number
  }
}

interface TlsBinding {
  wrap(stream: TcpHandle, context: unknown, server: boolean, writing: boolean): TlsHandle
}

const node = process as unknown as { binding(name: string): unknown }
const streams = node.binding('stream_wrap') as StreamBinding
const tcp = node.binding('tcp_wrap') as TcpBinding
const tls = node.binding('tls_wrap') as TlsBinding
const { streamBaseState, kReadBytesOrError, kLastWriteErr } = streams

/** Status of the end of a stream. */
export const endOfStream = -4095
/** Status of everything that was under way when its handle was closed. */
export const canceled = -125
export const reusePortFlag = tcp.constants.UV_TCP_REUSEPORT

/** In `onread`: bytes read, or a negative error. */
export function readResult(): number {
  return streamBaseState[kReadBytesOrError] as number
}

/** After a write that returned a request: 0, or the error with which it failed at once. */
export function writeFailure(): number {
  return streamBaseState[kLastWriteErr] as number
}

export function createSocketHandle(): TcpHandle {
  return new tcp.TCP(tcp.constants.SOCKET)
}

export function createServerHandle(): TcpHandle {
  return new tcp.TCP(tcp.constants.SERVER)
}

export function createConnectRequest(): ConnectRequest {
  return new tcp.TCPConnectWrap()
}

export function createShutdownRequest(): ShutdownRequest {
  return new streams.ShutdownWrap()
}

/** `context` is what `tls.createSecureContext` returns. Nothing may wait on `stream`. */
export function wrapTls(stream: TcpHandle, context: unknown, server: boolean): TlsHandle {
  const { context: native } = context as { readonly context: unknown }
  return tls.wrap(stream, native, server, false)
}
