import type { Connection } from '#src/transport/transport.ts'
import { frameHeaderBytes } from '../protocol.ts'

/**
 * So much is written at once, before the turn ends: a read of an upstream whose body is long
 * (`bulkBufferBytes`), in frames.
 */
const earlyBytes = 128 * 1024
/**
 * More than this is not gathered. A second early write in the same turn would find TLS busy with the
 * first: it takes one write at a time, and would have to copy what comes meanwhile.
 */
const gatheredBytesMax = earlyBytes + 64 * 1024
/** Room for one more frame of full size. */
const oneMore = 20 * 1024
/** For nearly all writes of small answers. */
const smallPool = { bytes: 8 * 1024, spareMax: 256, spare: [] as Buffer[] }
/** Buffers between two uses, shared by all sessions of the thread: an idle connection holds none. */
const pools = [
  smallPool,
  { bytes: earlyBytes / 2 + oneMore, spareMax: 16, spare: [] as Buffer[] },
  { bytes: earlyBytes + oneMore, spareMax: 8, spare: [] as Buffer[] },
  { bytes: gatheredBytesMax + oneMore, spareMax: 4, spare: [] as Buffer[] },
] as const
const noBuffer = Buffer.alloc(0)

function takeBuffer(bytes: number): Buffer {
  if (bytes <= smallPool.bytes) {
    return smallPool.spare.pop() ?? Buffer.allocUnsafeSlow(smallPool.bytes)
  }
  for (const pool of pools) {
    if (bytes <= pool.bytes) return pool.spare.pop() ?? Buffer.allocUnsafeSlow(pool.bytes)
  }
  return Buffer.allocUnsafeSlow(bytes * 2)
}

function releaseBuffer(buffer: Buffer): void {
  if (buffer === noBuffer) return
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
  /** An early write went out in this turn. */
  #early = false

  /** Nothing is written before `opened`. */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Whether a write may go out now. */
  get ready(): boolean {
    return this.#open && this.#inFlight === undefined
  }

  /** Whether DATA may be added now. */
  get takesData(): boolean {
    return this.ready && this.length < gatheredBytesMax
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

  /** Makes room for a body of this size, as far as one write goes: to grow with each frame is to copy. */
  expectBody(bytes: number): void {
    // A frame header is less than a thousandth of a full frame.
    if (bytes > 0) this.reserve(Math.min(bytes + (bytes >>> 10), gatheredBytesMax - this.length))
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

  /** Writes now if there is enough for one write of its own, once a turn. */
  flushIfLarge(): void {
    if (this.length < earlyBytes || this.#early) return
    this.#early = true
    this.flush()
  }

  /** Hands everything to the connection at the end of a turn. */
  endTurn(): void {
    this.#early = false
    this.flush()
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
