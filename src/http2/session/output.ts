import type { Connection } from '#src/transport/transport.ts'
import { frameHeaderBytes } from '../protocol.ts'

/** More than this is written at once, before the turn ends. */
const writeBytes = 64 * 1024
/**
 * Buffers between two uses, shared by all sessions of the thread: an idle connection holds none. The
 * small ones are for most turns; a large one has room for one more frame of full size when nearly
 * `writeBytes` are there.
 */
const pools = [
  { bytes: 8 * 1024, spareMax: 256, spare: [] as Buffer[] },
  { bytes: writeBytes + 20 * 1024, spareMax: 32, spare: [] as Buffer[] },
] as const
const noBuffer = Buffer.alloc(0)

function takeBuffer(bytes: number): Buffer {
  const pool = bytes <= pools[0].bytes ? pools[0] : pools[1]
  if (bytes > pool.bytes) return Buffer.allocUnsafeSlow(bytes * 2)
  return pool.spare.pop() ?? Buffer.allocUnsafeSlow(pool.bytes)
}

function releaseBuffer(buffer: Buffer): void {
  for (const { bytes, spare, spareMax } of pools) {
    if (buffer.length === bytes && spare.length < spareMax) spare.push(buffer)
  }
}

/**
 * What a session has to send: frames are laid into one buffer and leave in one write. While the
 * connection has not taken the last write, DATA waits in its streams and only small frames add up
 * here; `pending` is what to hold against a limit.
 */
export class Output {
  buffer: Buffer = noBuffer
  /** Bytes of frames in `buffer`. */
  length = 0
  /** Number of writes so far: a frame may be changed as long as this has not moved. */
  writes = 0
  readonly #connection: Connection
  /** Written and not yet taken by the kernel; must stay as it is. */
  #inFlight: Buffer | undefined
  /** The connection is there and takes bytes. */
  #open = false

  /** Nothing is written before `opened`. */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Whether a write may go out now. */
  get ready(): boolean {
    return this.#open && this.#inFlight === undefined
  }

  /** Bytes that wait for the connection. */
  get pending(): number {
    return this.ready ? 0 : this.length
  }

  opened(): void {
    this.#open = true
  }

  /** Makes room for `bytes` more and returns the buffer. */
  reserve(bytes: number): Buffer {
    const need = this.length + bytes
    if (need <= this.buffer.length) return this.buffer
    const larger = takeBuffer(need)
    this.buffer.copy(larger, 0, 0, this.length)
    releaseBuffer(this.buffer)
    this.buffer = larger
    return larger
  }

  /** Writes a frame header; the caller adds `length` bytes of payload. */
  frame(type: number, flags: number, streamId: number, length: number): Buffer {
    const buffer = this.reserve(frameHeaderBytes + length)
    writeFrameHeader(buffer, this.length, (type << 8) | flags, length)
    writeUint32(buffer, this.length + 5, streamId)
    this.length += frameHeaderBytes
    return buffer
  }

  uint32(value: number): void {
    writeUint32(this.buffer, this.length, value)
    this.length += 4
  }

  bytes(source: Buffer, start: number, end: number): void {
    source.copy(this.buffer, this.length, start, end)
    this.length += end - start
  }

  /** Latin1. The caller has reserved the room. */
  text(text: string): void {
    this.length += this.buffer.latin1Write(text, this.length)
  }

  /** Writes now if there is enough for one write of its own. */
  flushIfLarge(): void {
    if (this.length >= writeBytes) this.flush()
  }

  /** Hands everything to the connection if it takes bytes. */
  flush(): void {
    if (this.length === 0 || !this.ready) return
    const { buffer } = this
    const taken = this.#connection.writeBytes('', buffer, 0, this.length)
    this.length = 0
    this.writes++
    this.buffer = noBuffer
    if (taken) releaseBuffer(buffer)
    else this.#inFlight = buffer
  }

  /** The connection has taken everything. */
  drained(): void {
    if (this.#inFlight !== undefined) releaseBuffer(this.#inFlight)
    this.#inFlight = undefined
  }

  /** The connection is gone: nothing will be written any more. */
  close(): void {
    this.#open = false
    this.#inFlight = undefined
    this.discard()
  }

  discard(): void {
    if (this.length > 0) releaseBuffer(this.buffer)
    this.buffer = noBuffer
    this.length = 0
  }
}

/** Length, and type and flags in one number, of a frame header at `at`. */
export function writeFrameHeader(
  buffer: Buffer,
  at: number,
  typeAndFlags: number,
  length: number,
): void {
  buffer[at] = length >>> 16
  buffer[at + 1] = length >>> 8
  buffer[at + 2] = length
  buffer[at + 3] = typeAndFlags >>> 8
  buffer[at + 4] = typeAndFlags
}

export function writeUint32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24
  buffer[at + 1] = value >>> 16
  buffer[at + 2] = value >>> 8
  buffer[at + 3] = value
}

export function readUint32(buffer: Buffer, at: number): number {
  return (
    (((buffer[at] as number) << 24) |
      ((buffer[at + 1] as number) << 16) |
      ((buffer[at + 2] as number) << 8) |
      (buffer[at + 3] as number)) >>>
    0
  )
}
