import type { Writable } from 'node:stream'
import type { LogRing } from '#src/shared/log-ring.ts'

/** Bytes of one write at most, so that lines of all sources take turns. */
const chunkBytes = 256 * 1024

/**
 * The only writer of an output stream. Lines come from rings of other threads and from a queue of
 * this one; those of different sources never interleave. One write is under way at a time; while the
 * reader stalls, what the rings and the queue have no room for is dropped, and nobody waits.
 */
export class LineWriter {
  /** Queued lines that found no room. */
  dropped = 0
  readonly #stream: Writable
  readonly #queueBytesMax: number
  readonly #rings: LogRing[] = []
  #queue: string[] = []
  #queueBytes = 0
  #writing = false
  #broken = false
  /** The ring whose lines are being written, and how many bytes are left up to a line end. */
  #ring: LogRing | undefined
  #rest = 0
  #nextRing = 0
  #onIdle: (() => void)[] = []

  constructor(stream: Writable, queueBytesMax = 1 << 20) {
    this.#stream = stream
    this.#queueBytesMax = queueBytesMax
    // A reader that went away (EPIPE) takes the log with it, not the process.
    stream.on('error', () => {
      this.#broken = true
      this.#wakeIdle()
    })
  }

  addRing(ring: LogRing): void {
    this.#rings.push(ring)
  }

  /** Appends a line to the queue; a line end is added. */
  readonly write = (line: string): void => {
    const size = Buffer.byteLength(line) + 1
    if (this.#broken || this.#queueBytes + size > this.#queueBytesMax) {
      this.dropped++
      return
    }
    this.#queue.push(`${line}\n`)
    this.#queueBytes += size
    this.pump()
  }

  /** Looks for lines in the rings. */
  pump(): void {
    if (this.#writing || this.#broken) return
    if (this.#ring === undefined && this.#writeQueue()) return
    if (this.#writeRing()) return
    this.#wakeIdle()
  }

  /** Resolves when everything is written, or cannot be, or `timeoutMs` is over. */
  async flush(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#onIdle.push(() => {
        clearTimeout(timer)
        resolve()
      })
      if (this.#broken) this.#wakeIdle()
      else this.pump()
    })
  }

  #writeQueue(): boolean {
    if (this.#queue.length === 0) return false
    const text = this.#queue.join('')
    const size = this.#queueBytes
    this.#queue = []
    this.#start(text, () => {
      this.#queueBytes -= size
    })
    return true
  }

  #writeRing(): boolean {
    if (this.#ring === undefined && !this.#chooseRing()) return false
    const ring = this.#ring as LogRing
    const run = ring.peek()
    const size = Math.min(run.length, this.#rest, chunkBytes)
    this.#start(run.subarray(0, size), () => {
      ring.consume(size)
      this.#rest -= size
      if (this.#rest === 0) this.#ring = undefined
    })
    return true
  }

  #chooseRing(): boolean {
    for (let turn = 0; turn < this.#rings.length; turn++) {
      const ring = this.#rings[this.#nextRing++ % this.#rings.length] as LogRing
      this.#rest = ring.waiting
      if (this.#rest === 0) continue
      this.#ring = ring
      return true
    }
    return false
  }

  #start(chunk: string | Buffer, done: () => void): void {
    this.#writing = true
    this.#stream.write(chunk, (error) => {
      this.#writing = false
      if (error !== null && error !== undefined) return
      done()
      this.pump()
    })
  }

  #wakeIdle(): void {
    const waiting = this.#onIdle
    this.#onIdle = []
    for (const wake of waiting) wake()
  }
}
