const smallBytes = 16 * 1024
/** A whole read of the shared buffer with a head before it. */
const largeBytes = 80 * 1024
const sparesMax = 16

/**
 * Memory in which a message is put together, so that it leaves in one system call and no
 * read can overwrite it while it waits. The current buffer serves write after write; only a write that does
 * not end at once takes it away until it has ended.
 */
class WriteBuffers {
  readonly #bytes: number
  readonly #spares: Buffer[] = []
  readonly #lent = new Set<Buffer>()
  #current: Buffer

  constructor(bytes: number) {
    this.#bytes = bytes
    this.#current = Buffer.allocUnsafeSlow(bytes)
  }

  get current(): Buffer {
    return this.#current
  }

  /** `current` stays with a write; the next one gets another. */
  lend(): void {
    this.#lent.add(this.#current)
    this.#current = this.#spares.pop() ?? Buffer.allocUnsafeSlow(this.#bytes)
  }

  takeBack(buffer: Buffer): void {
    if (this.#lent.delete(buffer) && this.#spares.length < sparesMax) this.#spares.push(buffer)
  }
}

/** Longer beginnings are made anew each time. */
const keptBytesMax = 512
/** Beginnings of buffers made last, by their length, and whose they are. */
const beginnings: (Buffer | undefined)[] = Array.from({ length: keptBytesMax + 1 }, () => undefined)
const beginningsOf: (Buffer | undefined)[] = Array.from(
  { length: keptBytesMax + 1 },
  () => undefined,
)

/**
 * The first bytes of a buffer, as an object that a handle can write. Short messages mostly come from one buffer and
 * have few lengths, so that the object is there from the last time.
 */
export function beginningOf(buffer: Buffer, bytes: number): Buffer {
  if (bytes > keptBytesMax || buffer.length > smallBytes) return buffer.subarray(0, bytes)
  const known = beginnings[bytes]
  if (known !== undefined && beginningsOf[bytes] === buffer) return known
  const made = buffer.subarray(0, bytes)
  beginnings[bytes] = made
  beginningsOf[bytes] = buffer
  return made
}

const small = new WriteBuffers(smallBytes)
const large = new WriteBuffers(largeBytes)

/** Memory for a message of this size. Valid until the next call, unless it is lent. */
export function writeBuffer(bytes: number): Buffer {
  if (bytes <= smallBytes) return small.current
  if (bytes <= largeBytes) return large.current
  return Buffer.allocUnsafeSlow(bytes)
}

/** A write from this buffer goes on: it is not handed out until it is taken back. */
export function lendWriteBuffer(buffer: Buffer): void {
  if (buffer === small.current) small.lend()
  else if (buffer === large.current) large.lend()
}

/** The write from this buffer is over. Memory of other origin is ignored. */
export function takeBackWriteBuffer(buffer: Buffer): void {
  small.takeBack(buffer)
  large.takeBack(buffer)
}
