import { Socket } from 'node:net'
import { TLSSocket, connect } from 'node:tls'
import type { SecureContext } from 'node:tls'
import type { ClientCertificate, PeerTls } from '#src/exchange/streams.ts'
import { describeClient, verificationError } from '../peer-chain.ts'
import { SecuredPeer } from '../peers.ts'
import type { ConnectHandler, ConnectTarget, Connection, ServerTls } from '../transport.ts'
import { upstreamProblem } from '../upstream-tls.ts'
import type { UpstreamContext } from '../upstream-tls.ts'
import { PortableConnection } from './portable-connection.ts'

/** Server side of TLS over an accepted connection. */
export function serveTls(
  plain: PortableConnection,
  unread: Buffer,
  options: ServerTls,
  handler: ConnectHandler,
): Connection {
  if (plain.closed) return goneAlready(plain, handler)
  const tcp = plain.handOver()
  const connection = new PortableConnection(tcp, handler, plain.peer)
  // The TLS socket reads first what the plain one gives back.
  if (unread.length > 0) tcp.unshift(Buffer.from(unread))
  const secured = new TLSSocket(tcp, {
    isServer: true,
    secureContext: options.context as SecureContext,
    requestCert: options.requestCertificate,
    rejectUnauthorized: false,
    ...(options.alpn.length > 0 && { ALPNProtocols: [...options.alpn] }),
  })
  new Handshake(connection, secured).begin('secure', () => {
    const clientCertificate = options.requestCertificate ? certificateOf(secured) : undefined
    return describe(secured, options.serverName, clientCertificate)
  })
  return connection
}

/** Only the end is told of a connection that was closed before TLS could begin. */
function goneAlready(plain: PortableConnection, handler: ConnectHandler): Connection {
  const connection = new PortableConnection(new Socket(), handler, plain.peer)
  connection.close('reset')
  return connection
}

/** Client side of TLS over a connection that was just opened. */
export function connectTls(
  connection: PortableConnection,
  tcp: Socket,
  { context, options, sni, sessions }: UpstreamContext,
  { address, port }: ConnectTarget,
): void {
  const target = `${address} ${port}`
  const session = sessions.get(target)
  const secured = connect({
    socket: tcp,
    secureContext: context,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(sni !== '' && { servername: sni }),
    ...(options.alpn.length > 0 && { ALPNProtocols: [...options.alpn] }),
    ...(session !== undefined && { session }),
  })
  let trusted = false
  let unused: Buffer | undefined
  secured.on('session', (received: Buffer) => {
    if (trusted) sessions.set(target, received)
    else unused = received
  })
  new Handshake(connection, secured).begin('secureConnect', () => {
    const problem = upstreamProblem(options, {
      resumed: secured.isSessionReused(),
      chainError: chainError(secured),
      certificate: secured.getPeerCertificate(true),
    })
    if (problem !== '') {
      sessions.delete(target)
      return problem
    }
    trusted = true
    if (unused !== undefined) sessions.set(target, unused)
    return describe(secured, sni, undefined)
  })
}

/** What both sides do until TLS is there. */
class Handshake {
  readonly #connection: PortableConnection
  readonly #secured: TLSSocket
  #done = false

  constructor(connection: PortableConnection, secured: TLSSocket) {
    this.#connection = connection
    this.#secured = secured
  }

  /** `finish` returns what is to be told of TLS, or why there is none. */
  begin(event: 'secure' | 'secureConnect', finish: () => PeerTls | string): void {
    const connection = this.#connection
    const secured = this.#secured
    const onEnd = (): void => {
      this.#fail('closed during the TLS handshake')
    }
    secured.on('error', (error: NodeJS.ErrnoException & { reason?: string }) => {
      if (this.#done && error.reason === undefined) return
      this.#fail(error.reason ?? error.code ?? error.message)
    })
    // Errors that a TLS socket without a `tls.Server` keeps to itself.
    secured.on('_tlsError', (error: Error & { reason?: string }) => {
      if (this.#done) this.#fail(error.reason ?? error.message)
    })
    secured.prependListener('end', onEnd)
    connection.replaceSocket(secured)
    // Flows, so that an end is noticed; stops as soon as there is something to read.
    secured.resume()
    secured.once(event, () => {
      secured.pause()
      secured.off('end', onEnd)
      this.#done = true
      setImmediate(() => {
        if (!connection.closed) this.#announce(finish())
      })
    })
  }

  #announce(result: PeerTls | string): void {
    const connection = this.#connection
    if (typeof result === 'string') {
      this.#fail(result)
      return
    }
    connection.peer = new SecuredPeer(connection.peer, result)
    connection.open()
    ;(connection.handler as ConnectHandler).onConnected(connection)
    connection.readOnDemand()
  }

  #fail(problem: string): void {
    if (this.#connection.closed) return
    this.#connection.problem = problem
    this.#connection.close(systemReason(problem) ? 'reset' : 'tls')
  }
}

function systemReason(problem: string): boolean {
  return problem === 'ECONNRESET' || problem === 'EPIPE'
}

function describe(
  secured: TLSSocket,
  serverName: string,
  clientCertificate: ClientCertificate | undefined,
): PeerTls {
  return {
    serverName,
    protocol: secured.getProtocol() ?? '',
    cipher: secured.getCipher().name,
    alpn: secured.alpnProtocol || '',
    resumed: secured.isSessionReused(),
    clientCertificate,
  }
}

function certificateOf(secured: TLSSocket): ClientCertificate | undefined {
  const certificate = secured.getPeerCertificate(true)
  if (Object.keys(certificate).length === 0) return undefined
  return describeClient(certificate, chainError(secured))
}

/** The result of checking the peer's chain, which only `tls.Server` offers in a documented way. */
function chainError(secured: TLSSocket): string {
  const { ssl } = secured as unknown as { ssl?: { verifyError?(): Error | null | undefined } }
  if (ssl?.verifyError === undefined) return 'the certificate could not be verified'
  return verificationError(ssl.verifyError())
}
