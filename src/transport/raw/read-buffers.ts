/** Every connection of this thread reads into this, unless it has a bulk buffer. */
export const sharedReadBuffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
const sharedMemory = sharedReadBuffer.buffer

/** Whether the next read of any connection may overwrite these bytes. */
export function isShared(buffer: Buffer): boolean {
  return buffer.buffer === sharedMemory
}

/** Bounds what a stalled reader holds; what is read should also still be in the cache when written. */
export const bulkBufferBytes = 128 * 1024
/** 8 MiB for a thread; further connections go on with the shared buffer. */
const bulkBuffersMax = 64

interface Use {
  readonly buffer: Buffer
  /** Writes under way that read from it. */
  writes: number
  /** A connection reads into it. */
  reading: boolean
}

/**
 * Read buffers for one connection each, so that what it brings can be written elsewhere without a
 * copy. One goes to its next reader only when no write needs it any more: a write may outlive the
 * connection that its bytes came from.
 */
export class BulkBuffers {
  readonly #max: number
  readonly #bytes: number
  readonly #uses = new Map<ArrayBufferLike, Use>()
  readonly #free: Buffer[] = []

  constructor(max = bulkBuffersMax, bytes = bulkBufferBytes) {
    this.#max = max
    this.#bytes = bytes
  }

  /** Buffers that a connection reads into or a write needs. */
  get inUse(): number {
    return this.#uses.size - this.#free.length
  }

  /** A buffer for one connection; undefined: all are in use. */
  take(): Buffer | undefined {
    let buffer = this.#free.pop()
    if (buffer === undefined) {
      if (this.#uses.size >= this.#max) return undefined
      buffer = Buffer.allocUnsafeSlow(this.#bytes)
      this.#uses.set(buffer.buffer, { buffer, writes: 0, reading: true })
      return buffer
    }
    const use = this.#uses.get(buffer.buffer) as Use
    use.reading = true
    return buffer
  }

  /** The connection that took it reads elsewhere now, or is gone. */
  release(buffer: Buffer): void {
    const use = this.#uses.get(buffer.buffer)
    if (use === undefined) return
    use.reading = false
    if (use.writes === 0) this.#free.push(use.buffer)
  }

  /** A write that reads from `buffer` did not end at once. Other memory than ours is ignored. */
  writeBegins(buffer: Buffer): void {
    const use = this.#uses.get(buffer.buffer)
    if (use !== undefined) use.writes++
  }

  /** Called once for each `writeBegins`. */
  writeEnds(buffer: Buffer): void {
    const use = this.#uses.get(buffer.buffer)
    if (use === undefined) return
    use.writes--
    if (use.writes === 0 && !use.reading) this.#free.push(use.buffer)
  }
}

export const bulkBuffers = new BulkBuffers()
