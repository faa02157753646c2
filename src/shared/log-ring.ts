/** Positions in the control words, apart by a cache line: one is written by each side. */
const written = 0
const consumed = 16
const controlWords = 32

/** What `attach` needs; survives postMessage, which shares the memory behind it. */
export interface LogRingBuffers {
  readonly control: Int32Array
  readonly bytes: SharedArrayBuffer
}

/**
 * Lines on their way from one thread to another in shared memory: a queue of bytes with one writer
 * and one reader, neither of which ever waits. What finds no room is dropped and the writer is told.
 *
 * Positions count bytes modulo 2^32; the difference of the two is what waits.
 */
export class LogRing {
  readonly #control: Int32Array
  readonly #bytes: Buffer
  readonly #shared: SharedArrayBuffer
  readonly #mask: number
  /** What `write` last saw of the reader: it can only have gone on since. */
  #consumedSeen: number

  private constructor({ control, bytes }: LogRingBuffers) {
    this.#control = control
    this.#shared = bytes
    this.#bytes = Buffer.from(bytes)
    this.#mask = bytes.byteLength - 1
    this.#consumedSeen = this.#at(consumed)
  }

  /** `capacity` in bytes must be a power of two. */
  static create(capacity: number): LogRing {
    return new LogRing({
      control: new Int32Array(new SharedArrayBuffer(controlWords * Int32Array.BYTES_PER_ELEMENT)),
      bytes: new SharedArrayBuffer(capacity),
    })
  }

  static attach(buffers: LogRingBuffers): LogRing {
    return new LogRing(buffers)
  }

  buffers(): LogRingBuffers {
    return { control: this.#control, bytes: this.#shared }
  }

  /** Bytes that wait for the reader. */
  get waiting(): number {
    return (this.#at(written) - this.#at(consumed)) >>> 0
  }

  get capacity(): number {
    return this.#bytes.length
  }

  /** Appends latin1 text and a line end. False: there was no room and the line is dropped. */
  write(line: string): boolean {
    const start = this.#at(written)
    const size = line.length + 1
    if (!this.#hasRoom(start, size)) return false
    const at = start & this.#mask
    const room = this.#bytes.length - at
    if (size <= room) {
      this.#bytes.latin1Write(line, at, line.length)
      this.#bytes[at + line.length] = 0x0a
    } else {
      const rest = `${line}\n`
      this.#bytes.latin1Write(rest.slice(0, room), at, room)
      this.#bytes.latin1Write(rest.slice(room), 0, size - room)
    }
    Atomics.store(this.#control, written, (start + size) | 0)
    return true
  }

  #hasRoom(start: number, size: number): boolean {
    const { length } = this.#bytes
    if (((start - this.#consumedSeen) >>> 0) + size <= length) return true
    this.#consumedSeen = this.#at(consumed)
    return ((start - this.#consumedSeen) >>> 0) + size <= length
  }

  /** The longest run of waiting bytes that lies together; empty when nothing waits. Not yet consumed. */
  peek(): Buffer {
    const at = this.#at(consumed) & this.#mask
    return this.#bytes.subarray(at, Math.min(at + this.waiting, this.#bytes.length))
  }

  /** Gives the room of the first `size` waiting bytes back to the writer. */
  consume(size: number): void {
    Atomics.store(this.#control, consumed, (this.#at(consumed) + size) | 0)
  }

  #at(word: number): number {
    return Atomics.load(this.#control, word)
  }
}
