import type { DetailedPeerCertificate } from 'node:tls'
import type { ClientCertificate, PeerTls } from '#src/exchange/streams.ts'
import { alpnList } from '../alpn.ts'
import { describeClient, verificationError } from '../peer-chain.ts'
import { SecuredPeer } from '../peers.ts'
import type { ConnectHandler, ConnectTarget, ServerTls } from '../transport.ts'
import { upstreamProblem } from '../upstream-tls.ts'
import type { UpstreamContext } from '../upstream-tls.ts'
import { createSocketHandle, endOfStream, wrapTls, writeFailure } from './node-handles.ts'
import type {
  ConnectRequest,
  StreamHandle,
  TcpHandle,
  TlsHandle,
  WriteRequest,
} from './node-handles.ts'
import type { PlainConnection } from './plain-connection.ts'
import { RawStream } from './raw-stream.ts'
import { isShared } from './read-buffers.ts'
import { beginningOf, writeBuffer } from './write-buffers.ts'

/** An owner that writes on and on without regard for `onDrain` is cut off. */
const queueBytesMax = 16 * 1024 * 1024
const nothing = Buffer.alloc(0)

interface ClientSide {
  readonly context: UpstreamContext
  /** Address and port, under which the session is kept. */
  readonly target: string
}

/**
 * TLS on OpenSSL as Node wraps it, without a stream object. The handle takes one write at a time
 * and reports its end a phase of the loop later, even when the kernel took all at once; what is written
 * in between is gathered and leaves in one further write.
 */
export class TlsConnection extends RawStream {
  #tls: TlsHandle | undefined
  #server: ServerTls | undefined
  #client: ClientSide | undefined
  #phase: 'connecting' | 'handshake' | 'announcing' | 'open' = 'connecting'
  /** The last write; it has ended once its `writeStatus` is set. */
  #write: WriteRequest | undefined
  /** What was written while a write was under way. */
  #queue = nothing
  #queued = 0
  #endWanted = false
  /** Client side: arrived before the upstream was verified. */
  #session: Buffer | undefined

  /** Takes an accepted connection over; `unread` is what was read from it already. */
  static serve(
    plain: PlainConnection,
    unread: Buffer,
    options: ServerTls,
    handler: ConnectHandler,
  ): TlsConnection {
    if (plain.waiting) throw new Error('TLS cannot begin while plain bytes wait to be written')
    if (plain.closing) return TlsConnection.#stillborn(handler)
    const { tcp, reading } = plain.handOver()
    const connection = new TlsConnection(tcp, handler, plain.peer)
    connection.#server = options
    connection.#accept(options, unread, reading)
    return connection
  }

  /** For a connection that is gone already: only its end is told. */
  static #stillborn(handler: ConnectHandler): TlsConnection {
    const connection = new TlsConnection(createSocketHandle(), handler)
    connection.close('reset')
    return connection
  }

  /** A connection whose socket is being connected; see `afterConnect`. */
  static connecting(
    tcp: TcpHandle,
    context: UpstreamContext,
    { address, port }: ConnectTarget,
    handler: ConnectHandler,
  ): TlsConnection {
    const connection = new TlsConnection(tcp, handler)
    connection.#client = { context, target: `${address} ${port}` }
    return connection
  }

  writeText(text: string): boolean {
    const all = this.behindLate(text)
    if (!this.writable || all === '') return !this.backedUp
    if (this.#busy()) return this.#enqueue(all, nothing, 0, 0)
    const bytes = writeBuffer(all.length)
    bytes.latin1Write(all, 0)
    return this.#send(beginningOf(bytes, all.length))
  }

  writeBytes(before: string, buffer: Buffer, start: number, end: number): boolean {
    const text = this.behindLate(before)
    const size = text.length + end - start
    if (!this.writable || size === 0) return !this.backedUp
    if (this.#busy()) return this.#enqueue(text, buffer, start, end)
    if (text === '') {
      return this.#send(start === 0 ? beginningOf(buffer, end) : buffer.subarray(start, end))
    }
    const joined = writeBuffer(size)
    buffer.copy(joined, joined.latin1Write(text, 0), start, end)
    return this.#send(beginningOf(joined, size))
  }

  /**
   * Not here: TLS goes on delivering what it has decrypted after `pause`, over memory that a write
   * of the last chunk may still need. A record is 16 KiB at most, and copied where it must be.
   */
  override setBulk(): void {
    // The shared buffer stays.
  }

  end(): void {
    if (!this.writable) return
    this.writeText('')
    this.writable = false
    if (this.#busy()) this.#endWanted = true
    else this.shutDown()
  }

  override read(result: number): Buffer | undefined {
    if (this.#phase === 'announcing') this.announce()
    if (result === endOfStream && this.#phase === 'handshake') {
      this.problem = 'closed during the TLS handshake'
      this.close('tls')
    }
    return super.read(result)
  }

  override afterClose(): void {
    this.#tls?.destroySSL()
    this.#queue = nothing
    super.afterClose()
  }

  /** The socket is connected, or is not going to be; called by the handle. */
  afterConnect(status: number): void {
    if (this.closed) return
    if (status < 0) this.fail(status)
    else this.#startClient(this.#client as ClientSide)
  }

  /** The handshake is done; called by the handle, from within OpenSSL, so that nothing may be done yet. */
  afterHandshake(): void {
    if (this.#phase !== 'handshake') return
    this.#phase = 'announcing'
    setImmediate(announce, this)
  }

  /** Tells the owner, with the first bytes or a phase of the loop after the handshake. */
  announce(): void {
    if (this.closed || this.#phase !== 'announcing') return
    const tls = this.#tls as TlsHandle
    if (this.#client !== undefined && !this.#verifyUpstream(tls, this.#client)) return
    this.#phase = 'open'
    this.writable = true
    this.peer = new SecuredPeer(this.peer, this.#describe(tls))
    ;(this.handler as ConnectHandler).onConnected(this)
    this.readOnDemand()
  }

  /** TLS failed, in the handshake or later; called by the handle. */
  afterError(error: Error & { readonly reason?: string }): void {
    if (this.closed) return
    this.problem = error.reason ?? error.message
    this.close('tls')
  }

  /** Client side: the upstream gave a session to resume; called from within OpenSSL. */
  afterSession(session: Buffer): void {
    if (this.#phase === 'open') this.#keepSession(session)
    else this.#session = session
  }

  /** A write is over whose end was waited for; called by the handle. */
  afterWrite(status: number): void {
    this.#write = undefined
    if (this.closed) return
    if (status < 0) {
      this.failWrite(status)
      return
    }
    if (this.#queued > 0) {
      const bytes = this.#queue.subarray(0, this.#queued)
      this.#queue = nothing
      this.#queued = 0
      if (!this.#send(bytes) || this.closing) return
    }
    const waited = this.backedUp
    this.backedUp = false
    if (waited) this.handler.onDrain()
    if (this.#endWanted && !this.closing && !this.#busy()) this.shutDown()
  }

  #accept(options: ServerTls, unread: Buffer, reading: boolean): void {
    const tls = this.#wrap(options.context, true, options.alpn)
    if (options.requestCertificate) tls.setVerifyMode(true, false)
    // What is decrypted may go to the shared buffer while the rest of it is still being fed.
    if (unread.length > 0) tls.receive(isShared(unread) ? Buffer.from(unread) : unread)
    if (!this.closed) this.readAnyway(reading)
  }

  #startClient({ context, target }: ClientSide): void {
    const tls = this.#wrap(context.context, false, context.options.alpn)
    tls.onnewsession = onNewSession
    tls.enableSessionCallbacks()
    if (context.sni !== '') tls.setServername(context.sni)
    const session = context.sessions.get(target)
    if (session !== undefined) tls.setSession(session)
    tls.start()
    if (!this.closed) this.readAnyway(false)
  }

  #wrap(context: unknown, server: boolean, alpn: readonly string[]): TlsHandle {
    const tls = wrapTls(this.tcp, context, server)
    this.#tls = tls
    this.#phase = 'handshake'
    this.attach(tls)
    tls.onhandshakedone = onHandshakeDone
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a handle has no other way
    tls.onerror = onTlsError
    if (alpn.length > 0) tls.setALPNProtocols(alpnList(alpn))
    return tls
  }

  #verifyUpstream(tls: TlsHandle, { context, target }: ClientSide): boolean {
    const { options, sessions } = context
    this.problem = upstreamProblem(options, {
      resumed: tls.isSessionReused(),
      chainError: verificationError(tls.verifyError()),
      certificate: tls.getPeerCertificate(true) as DetailedPeerCertificate,
    })
    if (this.problem !== '') {
      sessions.delete(target)
      this.close('tls')
      return false
    }
    if (this.#session !== undefined) this.#keepSession(this.#session)
    this.#session = undefined
    return true
  }

  #keepSession(session: Buffer): void {
    this.#client?.context.sessions.set(this.#client.target, session)
  }

  #describe(tls: TlsHandle): PeerTls {
    const server = this.#server
    return {
      serverName: server?.serverName ?? (this.#client as ClientSide).context.sni,
      protocol: tls.getProtocol(),
      cipher: tls.getCipher().name,
      alpn: tls.getALPNNegotiatedProtocol() || '',
      resumed: tls.isSessionReused(),
      clientCertificate: server?.requestCertificate === true ? clientCertificate(tls) : undefined,
    }
  }

  /** Whether a write is under way; its end is then waited for. */
  #busy(): boolean {
    const write = this.#write
    if (write === undefined) return false
    if (write.writeStatus === null) {
      write.oncomplete = onWritten
      return true
    }
    this.#write = undefined
    if (write.writeStatus < 0) this.failWrite(write.writeStatus)
    return false
  }

  #send(bytes: Buffer): boolean {
    const result = (this.#tls as TlsHandle).writeBuffer(null, bytes)
    const failure = typeof result === 'number' ? result : writeFailure()
    if (typeof result === 'number' || failure !== 0) {
      if (failure !== 0) this.failWrite(failure)
      return true
    }
    this.#write = result
    if (this.tcp.writeQueueSize === 0 && !this.#endWanted) return true
    this.backedUp = true
    result.oncomplete = onWritten
    return false
  }

  #enqueue(text: string, buffer: Buffer, start: number, end: number): boolean {
    if (!this.writable) return true
    const size = this.#queued + text.length + end - start
    if (size > queueBytesMax) {
      this.problem = `more than ${queueBytesMax} bytes wait to be written`
      this.close('error')
      return true
    }
    if (size > this.#queue.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#queue.length))
      this.#queue.copy(larger, 0, 0, this.#queued)
      this.#queue = larger
    }
    if (text !== '') this.#queue.latin1Write(text, this.#queued)
    buffer.copy(this.#queue, this.#queued + text.length, start, end)
    this.#queued = size
    this.backedUp = true
    return false
  }
}

function clientCertificate(tls: TlsHandle): ClientCertificate | undefined {
  if (!tls.hasPeerCertificate()) return undefined
  const certificate = tls.getPeerCertificate(true) as DetailedPeerCertificate
  return describeClient(certificate, verificationError(tls.verifyError()))
}

export function onTlsConnected(this: ConnectRequest, status: number, tcp: TcpHandle): void {
  ;(tcp.owner as TlsConnection).afterConnect(status)
}

function announce(connection: TlsConnection): void {
  connection.announce()
}

function onHandshakeDone(this: TlsHandle): void {
  ;(this.owner as TlsConnection).afterHandshake()
}

function onTlsError(this: TlsHandle, error: Error): void {
  ;(this.owner as TlsConnection).afterError(error)
}

function onNewSession(this: TlsHandle, _id: Buffer, session: Buffer): void {
  ;(this.owner as TlsConnection).afterSession(session)
}

function onWritten(this: WriteRequest, status: number, stream: StreamHandle): void {
  ;(stream.owner as TlsConnection).afterWrite(status)
}
