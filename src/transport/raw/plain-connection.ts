import type { ConnectHandler, ConnectionHandler } from '../transport.ts'
import { writeFailure } from './node-handles.ts'
import type { ConnectRequest, StreamHandle, TcpHandle, WriteRequest } from './node-handles.ts'
import { RawStream } from './raw-stream.ts'
import { bulkBuffers, isShared } from './read-buffers.ts'
import { lendWriteBuffer, takeBackWriteBuffer, writeBuffer } from './write-buffers.ts'

/** Up to this size a message is copied together; above it a list of parts goes to the kernel. */
const joinBytesMax = 16 * 1024
/** An owner that writes on and on without regard for `onDrain` is cut off. */
const queueBytesMax = 16 * 1024 * 1024

/** A TCP connection on its libuv handle. */
export class PlainConnection extends RawStream {
  /** Writes that the kernel has not taken whole. */
  #waiting = 0
  #endWanted = false

  /** An accepted connection, open from the start. */
  static accepted(tcp: TcpHandle, handler: ConnectionHandler): PlainConnection {
    const connection = new PlainConnection(tcp, handler)
    connection.#open()
    return connection
  }

  writeText(text: string): boolean {
    const all = this.behindLate(text)
    if (!this.writable || all === '') return !this.backedUp
    const result = this.tcp.writeLatin1String(null, all)
    return result === 0 || this.#afterWrite(result, undefined)
  }

  writeBytes(before: string, buffer: Buffer, start: number, end: number): boolean {
    const text = this.behindLate(before)
    const bytes = text.length + end - start
    if (!this.writable || bytes === 0) return !this.backedUp
    const shared = isShared(buffer)
    if (shared || (text !== '' && bytes <= joinBytesMax)) {
      const joined = writeBuffer(bytes)
      const at = text === '' ? 0 : joined.latin1Write(text, 0)
      buffer.copy(joined, at, start, end)
      const result = this.tcp.writeBuffer(null, joined.subarray(0, bytes))
      return result === 0 || this.#afterWrite(result, joined)
    }
    const part = buffer.subarray(start, end)
    const result =
      text === ''
        ? this.tcp.writeBuffer(null, part)
        : this.tcp.writev(null, [text, 'latin1', part, 'buffer'], false)
    return result === 0 || this.#afterWrite(result, buffer)
  }

  /** Nothing of this object is needed for what the system still does, so its end is told at once. */
  override destroy(): void {
    if (this.closed) return
    this.beginClose('')
    this.tcp.close()
    this.afterClose()
  }

  end(): void {
    if (!this.writable) return
    this.writeText('')
    this.writable = false
    if (this.#waiting > 0) this.#endWanted = true
    else this.shutDown()
  }

  /** A write is over; called by the handle. */
  afterWrite(request: WriteRequest, status: number): void {
    this.#waiting--
    const { buffer } = request
    if (buffer !== null) {
      bulkBuffers.writeEnds(buffer)
      takeBackWriteBuffer(buffer)
    }
    if (this.closed) return
    if (status < 0) {
      this.failWrite(status)
      return
    }
    if (this.#waiting > 0) return
    this.backedUp = false
    this.handler.onDrain()
    if (this.#endWanted && !this.closing) this.shutDown()
  }

  /** A connection that was opened is there, or failed; called by the handle. */
  afterConnect(status: number): void {
    if (this.closed) return
    if (status < 0) {
      this.fail(status)
      return
    }
    this.#open()
    ;(this.handler as ConnectHandler).onConnected(this)
  }

  /** Gives the socket to another connection, which reads on if this one did. This object is dead. */
  handOver(): { readonly tcp: TcpHandle; readonly reading: boolean } {
    return { tcp: this.tcp, reading: this.leave() }
  }

  get waiting(): boolean {
    return this.#waiting > 0
  }

  #open(): void {
    this.writable = true
    this.attach(this.tcp)
  }

  #afterWrite(result: number | WriteRequest, memory: Buffer | undefined): boolean {
    const failure = typeof result === 'number' ? result : writeFailure()
    if (typeof result === 'number' || failure !== 0) {
      if (failure !== 0) this.failWrite(failure)
      return !this.backedUp
    }
    result.oncomplete = onWritten
    if (memory !== undefined) {
      result.buffer = memory
      bulkBuffers.writeBegins(memory)
      lendWriteBuffer(memory)
    }
    this.#waiting++
    this.backedUp = true
    if (this.tcp.writeQueueSize > queueBytesMax && this.#waiting > 1) {
      this.problem = `more than ${queueBytesMax} bytes wait to be written`
      this.close('error')
    }
    return false
  }
}

export function onConnected(this: ConnectRequest, status: number, tcp: TcpHandle): void {
  ;(tcp.owner as PlainConnection).afterConnect(status)
}

function onWritten(this: WriteRequest, status: number, stream: StreamHandle): void {
  ;(stream.owner as PlainConnection).afterWrite(this, status)
}
