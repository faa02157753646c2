import type { LogRing } from '#src/shared/log-ring.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { WorkerMemory } from '#src/shared/worker-memory.ts'
import type { LineSink } from './data-plane-options.ts'

const writtenLines = workerCell('access_log_lines_total:written')
const droppedLines = workerCell('access_log_lines_total:dropped')

/**
 * A worker's end of the access log. Lines go into its ring; the writer of the stream hears of them
 * once a tick, or earlier when the ring is half full.
 */
export class AccessLogSink implements LineSink {
  readonly #ring: LogRing
  readonly #memory: WorkerMemory
  readonly #writer: number
  readonly #announce: () => void
  #unannounced = 0

  constructor(ring: LogRing, memory: WorkerMemory, writer: number, announce: () => void) {
    this.#ring = ring
    this.#memory = memory
    this.#writer = writer
    this.#announce = announce
  }

  write(line: string): void {
    if (!this.#ring.write(line)) {
      this.#memory.add(this.#writer, droppedLines, 1)
      return
    }
    this.#memory.add(this.#writer, writtenLines, 1)
    this.#unannounced += line.length
    if (this.#unannounced > this.#ring.capacity / 2) this.flush()
  }

  /** Once a tick. */
  flush(): void {
    if (this.#unannounced === 0) return
    this.#unannounced = 0
    this.#announce()
  }
}
