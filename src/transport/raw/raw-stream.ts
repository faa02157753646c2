import { getSystemErrorName } from 'node:util'
import type { Peer } from '#src/exchange/streams.ts'
import { closeReasonOf } from '../close-reason.ts'
import { SocketPeer, plainAddress, unknownAddress } from '../peers.ts'
import type { AddressSource, SocketAddress } from '../peers.ts'
import type { CloseReason, Connection, ConnectionHandler } from '../transport.ts'
import { createShutdownRequest, endOfStream, readResult } from './node-handles.ts'
import type {
  HandleFunction,
  ShutdownRequest,
  SocketName,
  StreamHandle,
  TcpHandle,
} from './node-handles.ts'
import { bulkBuffers, sharedReadBuffer } from './read-buffers.ts'
import { writeAtEndOfTurn } from './turn-writes.ts'
import type { LateWriter } from './turn-writes.ts'

/** More text than this does not wait for the end of the turn. */
const lateBytesMax = 64 * 1024

/** What a handle fills in when it is asked for a name. */
const nameRead: SocketName = { address: '', port: 0, family: '' }

/**
 * The half of a connection that is the same with and without TLS: reading, and how it comes to its
 * end. Handles call one function for all connections, which finds its connection in `owner`.
 */
export abstract class RawStream implements Connection, AddressSource, LateWriter {
  handler: ConnectionHandler
  peer: Peer
  backedUp = false
  problem = ''
  /** The socket. */
  protected readonly tcp: TcpHandle
  /** What bytes are read from and written to: the socket, or TLS over it. */
  protected stream: StreamHandle
  /** False once nothing more can be sent: before it is open, after `end`, a failed write or the close. */
  protected writable = false
  /** The close was begun; only `onClose` follows. */
  protected closed = false
  /** Text for the end of this turn. */
  #late = ''
  /** Our FIN has gone out. */
  #finished = false
  #peerEnded = false
  /** What the owner wants, and what the handle does. */
  #reading = false
  #started = false
  /** There is something to read from. */
  #attached = false
  /** A handshake reads, whatever the owner wants. */
  #readingAnyway = false
  #bulk = false
  /** What `stream` reads into. */
  #buffer = sharedReadBuffer
  /** Bytes that TLS had already decrypted when reading was paused, and the end behind them. */
  #held: Buffer | undefined
  #heldEnd = false
  /** Why a write failed. Reading goes on, for what the peer sent before that. */
  #writeFailure: CloseReason = ''
  #reason: CloseReason = ''

  /** Without `peer`, the socket is asked. */
  constructor(tcp: TcpHandle, handler: ConnectionHandler, peer?: Peer) {
    this.tcp = tcp
    this.stream = tcp
    this.handler = handler
    this.peer = peer ?? new SocketPeer(this)
    tcp.owner = this
  }

  abstract writeText(text: string): boolean
  abstract writeBytes(text: string, buffer: Buffer, start: number, end: number): boolean
  abstract end(): void

  writeLater(text: string): void {
    if (!this.writable || text === '') return
    if (this.backedUp) {
      this.writeText(text)
      return
    }
    if (this.#late === '') writeAtEndOfTurn(this)
    this.#late += text
    if (this.#late.length > lateBytesMax) this.writeNow()
  }

  writeNow(): void {
    if (this.#late === '') return
    this.writeText('')
    if (this.backedUp) this.handler.onBackedUp?.()
  }

  /** Text that is written now, behind what waited for the end of the turn. */
  protected behindLate(text: string): string {
    if (this.#late === '') return text
    const all = this.#late + text
    this.#late = ''
    return all
  }

  pause(): void {
    if (!this.#reading) return
    this.#reading = false
    if (!this.#readingAnyway) this.#stopReading()
  }

  resume(): void {
    if (this.#reading || this.closed) return
    this.#reading = true
    if (this.#held !== undefined || this.#heldEnd) setImmediate(deliverHeld, this)
    else this.#startReading()
  }

  setBulk(on: boolean): void {
    this.#bulk = on
  }

  destroy(): void {
    this.close('')
  }

  reset(): void {
    this.writeNow()
    if (this.closed) return
    this.beginClose('')
    if (this.tcp.reset(onHandleClosed) < 0) this.tcp.close(onHandleClosed)
  }

  /** The close was begun. */
  get closing(): boolean {
    return this.closed
  }

  /** Closes because of bad TLS options. */
  refuse(problem: string): void {
    this.problem = problem
    this.close('tls')
  }

  remoteAddress(): SocketAddress {
    return this.tcp.getpeername(nameRead) === 0 ? addressOf(nameRead) : unknownAddress
  }

  localAddress(): SocketAddress {
    return this.tcp.getsockname(nameRead) === 0 ? addressOf(nameRead) : unknownAddress
  }

  /** Hands over what was held back while reading was paused. */
  deliverHeld(): void {
    if (!this.#wantsMore()) return
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) this.handler.onData(held, 0, held.length)
    // The handler may have paused or closed; then the rest waits for the next `resume`.
    if (!this.#wantsMore()) return
    if (!this.#heldEnd) this.#startReading()
    else this.#end()
  }

  /** Makes a handle report what it reads to this connection. */
  protected attach(stream: StreamHandle): void {
    this.stream = stream
    stream.owner = this
    stream.onread = onRead
    stream.useUserBuffer(this.#buffer)
    this.#attached = true
    if (this.#reading) this.#startReading()
  }

  /** Reads whether or not the owner wants to, for a handshake. `started`: the handle does already. */
  protected readAnyway(started: boolean): void {
    this.#readingAnyway = true
    if (started) this.#started = true
    this.#startReading()
  }

  /** Ends `readAnyway`: from here on the owner's wish counts. */
  protected readOnDemand(): void {
    this.#readingAnyway = false
    if (!this.#reading) this.#stopReading()
  }

  #startReading(): void {
    if (this.#started || !this.#attached || this.#peerEnded) return
    this.#started = true
    const status = this.stream.readStart()
    if (status < 0) this.fail(status)
  }

  #stopReading(): void {
    if (!this.#started || this.closed) return
    this.#started = false
    this.stream.readStop()
  }

  /** The handle goes on reading for another connection, if it was: the answer tells. */
  protected leave(): boolean {
    this.closed = true
    this.writable = false
    const started = this.#started
    this.#started = false
    if (this.#buffer !== sharedReadBuffer) bulkBuffers.release(this.#buffer)
    return started
  }

  /** Called by the handle. Returns the buffer for the next read, undefined to keep the present one. */
  read(result: number): Buffer | undefined {
    if (this.closed) return undefined
    if (result > 0) {
      if (!this.#reading) {
        this.#hold(result)
        return undefined
      }
      this.handler.onData(this.#buffer, 0, result)
      return this.#bulk === (this.#buffer !== sharedReadBuffer) ? undefined : this.#changeBuffer()
    }
    if (result === endOfStream) {
      if (this.#reading && this.#held === undefined) this.#end()
      else this.#heldEnd = true
    } else if (result < 0) {
      this.fail(result)
    }
    return undefined
  }

  /** Called by the handle, once. */
  afterClose(): void {
    if (this.#buffer !== sharedReadBuffer) bulkBuffers.release(this.#buffer)
    this.#buffer = sharedReadBuffer
    this.#held = undefined
    this.handler.onClose(this.#reason)
  }

  protected close(reason: CloseReason): void {
    if (this.closed) return
    this.beginClose(reason)
    this.tcp.close(onHandleClosed)
  }

  protected beginClose(reason: CloseReason): void {
    this.closed = true
    this.writable = false
    this.backedUp = false
    this.#late = ''
    this.#reason = reason
  }

  /** Closes for a negative status of the system. */
  protected fail(status: number): void {
    if (this.closed) return
    const name = getSystemErrorName(status)
    if (this.problem === '') this.problem = name
    this.close(this.#writeFailure === '' ? closeReasonOf(name) : this.#writeFailure)
  }

  /**
   * A write failed. What the peer sent before it went away may still be read, a response among
   * it, so the end comes from reading where that goes on.
   */
  protected failWrite(status: number): void {
    if (this.closed || this.#writeFailure !== '') return
    this.problem = getSystemErrorName(status)
    this.#writeFailure = closeReasonOf(this.problem)
    this.writable = false
    this.backedUp = false
    if (!this.#reading || this.#peerEnded) this.close(this.#writeFailure)
  }

  /**
   * Sends FIN, behind close_notify over TLS. Only when nothing waits: TLS would lose it, and libuv resets no
   * socket that is being shut down.
   */
  protected shutDown(): void {
    const request = createShutdownRequest()
    request.handle = this.stream
    request.oncomplete = onShutdown
    const status = this.stream.shutdown(request)
    if (status < 0) this.fail(status)
  }

  /** Our direction has ended; called by the handle. */
  afterShutdown(status: number): void {
    if (this.closed) return
    this.#finished = true
    if (status < 0) this.fail(status)
    else if (this.#peerEnded) this.close('')
  }

  #end(): void {
    // After a failed write the kernel reports the error once only; what follows looks like an orderly end.
    if (this.#writeFailure !== '') {
      this.close(this.#writeFailure)
      return
    }
    this.#peerEnded = true
    this.#started = false
    this.#heldEnd = false
    this.handler.onEnd()
    if (this.#finished) this.close('')
  }

  #hold(bytes: number): void {
    const arrived = this.#buffer.subarray(0, bytes)
    this.#held =
      this.#held === undefined ? Buffer.from(arrived) : Buffer.concat([this.#held, arrived])
  }

  #wantsMore(): boolean {
    return this.#reading && !this.closed
  }

  #changeBuffer(): Buffer | undefined {
    if (this.closed) return undefined
    const old = this.#buffer
    if (!this.#bulk) {
      this.#buffer = sharedReadBuffer
      bulkBuffers.release(old)
      return sharedReadBuffer
    }
    const own = bulkBuffers.take()
    if (own === undefined) return undefined
    this.#buffer = own
    return own
  }
}

const onRead: HandleFunction<StreamHandle, Buffer | undefined> = function onRead() {
  return (this.owner as RawStream).read(readResult())
}

function onShutdown(this: ShutdownRequest, status: number): void {
  ;(this.handle.owner as RawStream).afterShutdown(status)
}

const onHandleClosed: HandleFunction<TcpHandle> = function onHandleClosed() {
  ;(this.owner as RawStream).afterClose()
}

function addressOf({ address, port }: SocketName): SocketAddress {
  return { address: plainAddress(address), port }
}

function deliverHeld(stream: RawStream): void {
  stream.deliverHeld()
}
