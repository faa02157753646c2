import type { Peer, PeerTls } from '#src/exchange/streams.ts'

/** An address and port, however they are found. */
export interface SocketAddress {
  readonly address: string
  readonly port: number
}

/** Where a connection's addresses come from. Called once each, while it is open or afterwards. */
export interface AddressSource {
  remoteAddress(): SocketAddress
  localAddress(): SocketAddress
}

export const unknownAddress: SocketAddress = { address: '', port: 0 }

/** The plain end of a socket. Asks for each address once, and only when somebody wants it. */
export class SocketPeer implements Peer {
  readonly scheme = 'http'
  readonly tls = undefined
  context: unknown
  readonly #source: AddressSource
  #remote: SocketAddress | undefined
  #local: SocketAddress | undefined

  constructor(source: AddressSource, remote?: SocketAddress) {
    this.#source = source
    this.#remote = remote
  }

  get address(): string {
    return (this.#remote ??= this.#source.remoteAddress()).address
  }

  get port(): number {
    return (this.#remote ??= this.#source.remoteAddress()).port
  }

  get socketAddress(): string {
    return this.address
  }

  get localAddress(): string {
    return (this.#local ??= this.#source.localAddress()).address
  }

  get localPort(): number {
    return (this.#local ??= this.#source.localAddress()).port
  }
}

/** The same peer, after TLS. Its addresses are still asked for only when somebody wants them. */
export class SecuredPeer implements Peer {
  readonly scheme = 'https'
  readonly tls: PeerTls
  context: unknown
  readonly #plain: Peer

  constructor(plain: Peer, tls: PeerTls) {
    this.#plain = plain
    this.tls = tls
    this.context = plain.context
  }

  get address(): string {
    return this.#plain.address
  }

  get port(): number {
    return this.#plain.port
  }

  get localAddress(): string {
    return this.#plain.localAddress
  }

  get localPort(): number {
    return this.#plain.localPort
  }

  get socketAddress(): string {
    return this.#plain.socketAddress
  }
}

/** The same peer, with the addresses that a trusted PROXY header gives. */
export function peerBehindProxy(
  peer: Peer,
  source: SocketAddress,
  destination: SocketAddress,
): Peer {
  return {
    address: source.address,
    port: source.port,
    localAddress: destination.address,
    localPort: destination.port,
    socketAddress: peer.address,
    scheme: peer.scheme,
    tls: peer.tls,
    context: peer.context,
  }
}

/** IPv4 clients of a dual-stack socket show as `::ffff:192.0.2.1`; everybody else means `192.0.2.1`. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
