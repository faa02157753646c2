import type { LogRing } from '#src/shared/log-ring.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { WorkerMemory } from '#src/shared/worker-memory.ts'
import type { LineSink } from './data-plane-options.ts'

const writtenLines = workerCell('access_log_lines_total:written')
const droppedLines = workerCell('access_log_lines_total:dropped')

/** Lines that go into the ring together: beyond these there is little left to save. */
const linesAtOnce = 16
const bytesAtOnce = 16 * 1024

/**
 * A worker's end of the access log. Lines go into its ring, some at once as each write costs a call
 * out of JavaScript, and none later than at the next tick; the writer of the stream hears of them once
 * a tick, or earlier when the ring is half full.
 */
export class AccessLogSink implements LineSink {
  readonly #ring: LogRing
  readonly #memory: WorkerMemory
  readonly #writer: number
  readonly #announce: () => void
  /** Lines that are not in the ring yet, with line ends between them. */
  #text = ''
  #lines = 0
  #unannounced = 0

  constructor(ring: LogRing, memory: WorkerMemory, writer: number, announce: () => void) {
    this.#ring = ring
    this.#memory = memory
    this.#writer = writer
    this.#announce = announce
  }

  write(line: string): void {
    this.#text = this.#lines++ === 0 ? line : this.#text + '\n' + line
    if (this.#lines >= linesAtOnce || this.#text.length >= bytesAtOnce) this.#put()
  }

  #put(): void {
    const text = this.#text
    const lines = this.#lines
    this.#text = ''
    this.#lines = 0
    if (this.#ring.write(text)) this.#count(text.length, lines, 0)
    else for (const line of text.split('\n')) this.#putAlone(line)
    if (this.#unannounced > this.#ring.capacity / 2) this.#tell()
  }

  /** There is no room for all: for some there may be. */
  #putAlone(line: string): void {
    if (this.#ring.write(line)) this.#count(line.length, 1, 0)
    else this.#count(0, 0, 1)
  }

  // oxlint-disable-next-line max-params -- counts
  #count(bytes: number, written: number, dropped: number): void {
    this.#unannounced += bytes
    this.#memory.add(this.#writer, writtenLines, written)
    this.#memory.add(this.#writer, droppedLines, dropped)
  }

  /** Once a tick. */
  flush(): void {
    if (this.#lines > 0) this.#put()
    if (this.#unannounced > 0) this.#tell()
  }

  #tell(): void {
    this.#unannounced = 0
    this.#announce()
  }
}
