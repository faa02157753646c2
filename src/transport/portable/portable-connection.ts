import type { Socket } from 'node:net'
import type { Peer } from '#src/exchange/streams.ts'
import { closeReasonOf } from '../close-reason.ts'
import { SocketPeer, plainAddress } from '../peers.ts'
import type { AddressSource, SocketAddress } from '../peers.ts'
import type { CloseReason, Connection, ConnectionHandler } from '../transport.ts'

/**
 * A connection on a documented stream. Every chunk has memory of its own here, so nothing is ever
 * overwritten, and a buffer for bulk has no use.
 */
export class PortableConnection implements Connection, AddressSource {
  handler: ConnectionHandler
  peer: Peer
  backedUp = false
  problem = ''
  #socket: Socket
  /** The TCP socket: `#socket`, or what is below its TLS. */
  readonly #tcp: Socket
  #writable = false
  #reading = false
  /** A handshake reads, whatever the owner wants. */
  #readingAnyway = false
  #closed = false
  #reason: CloseReason = ''

  readonly #onWritten = (): void => {
    if (this.#closed || !this.backedUp || this.#socket.writableLength > 0) return
    this.backedUp = false
    this.handler.onDrain()
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.#closed) this.handler.onData(chunk, 0, chunk.length)
  }

  readonly #onEnd = (): void => {
    if (!this.#closed) this.handler.onEnd()
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (this.#closed) return
    this.problem = error.code ?? error.message
    this.#reason = closeReasonOf(this.problem)
  }

  readonly #onClose = (): void => {
    this.#closed = true
    this.backedUp = false
    this.handler.onClose(this.#reason)
  }

  /** Without `peer`, the socket is asked. */
  constructor(tcp: Socket, handler: ConnectionHandler, peer?: Peer) {
    this.handler = handler
    this.peer = peer ?? new SocketPeer(this)
    this.#tcp = tcp
    this.#socket = tcp
    tcp.pause()
    this.#listen(tcp)
  }

  writeText(text: string): boolean {
    if (!this.#writable || text === '') return !this.backedUp
    this.#socket.write(text, 'latin1', this.#onWritten)
    return this.#afterWrite()
  }

  writeLater(text: string): void {
    this.writeText(text)
  }

  writeBytes(text: string, buffer: Buffer, start: number, end: number): boolean {
    if (!this.#writable || text.length + end - start === 0) return !this.backedUp
    const socket = this.#socket
    if (text !== '') {
      socket.cork()
      socket.write(text, 'latin1')
    }
    socket.write(buffer.subarray(start, end), this.#onWritten)
    if (text !== '') socket.uncork()
    return this.#afterWrite()
  }

  pause(): void {
    if (!this.#reading) return
    this.#reading = false
    if (!this.#readingAnyway) this.#socket.pause()
  }

  resume(): void {
    if (this.#reading || this.#closed) return
    this.#reading = true
    if (!this.#readingAnyway) this.#socket.resume()
  }

  setBulk(): void {
    // Chunks are never overwritten.
  }

  end(): void {
    if (!this.#writable) return
    this.#writable = false
    this.#socket.end()
  }

  destroy(): void {
    this.close('')
  }

  reset(): void {
    if (this.#closed) return
    this.#beginClose('')
    this.#tcp.resetAndDestroy()
    this.#socket.destroy()
  }

  remoteAddress(): SocketAddress {
    return {
      address: plainAddress(this.#tcp.remoteAddress ?? ''),
      port: this.#tcp.remotePort ?? 0,
    }
  }

  localAddress(): SocketAddress {
    return { address: plainAddress(this.#tcp.localAddress ?? ''), port: this.#tcp.localPort ?? 0 }
  }

  get closed(): boolean {
    return this.#closed
  }

  /** The connection is there; from now on it can be written to. */
  open(): void {
    this.#writable = true
  }

  close(reason: CloseReason): void {
    if (this.#closed) return
    this.#beginClose(reason)
    this.#socket.destroy()
    if (this.#tcp !== this.#socket) this.#tcp.destroy()
  }

  /** Gives the socket to another connection. This object is dead. */
  handOver(): Socket {
    this.#ignore(this.#tcp)
    this.#tcp.pause()
    this.#closed = true
    return this.#tcp
  }

  /** From here on bytes go through TLS over the same socket. */
  replaceSocket(secured: Socket): void {
    this.#ignore(this.#tcp)
    this.#socket = secured
    this.#readingAnyway = true
    this.#listen(secured)
  }

  /** The handshake is over: from here on the owner's wish counts. */
  readOnDemand(): void {
    this.#readingAnyway = false
    if (this.#reading && !this.#closed) this.#socket.resume()
  }

  #beginClose(reason: CloseReason): void {
    this.#closed = true
    this.#writable = false
    this.backedUp = false
    this.#reason = reason
  }

  #listen(socket: Socket): void {
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  #ignore(socket: Socket): void {
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.off('close', this.#onClose)
  }

  #afterWrite(): boolean {
    if (this.#socket.writableLength === 0) return true
    this.backedUp = true
    return false
  }
}
