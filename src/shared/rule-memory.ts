import { overflowSlot, sharedFloats, sharedInts } from './columns.ts'

/** Upper bounds of the latency histograms in milliseconds; one more bucket takes the rest. */
export const durationBoundsMs = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const

const buckets = durationBoundsMs.length + 1

/**
 * Where the sums of one rule lie in its row.
 *
 * `status`: six cells, answers by class of status; class 0 counts clients that left before one.
 * `duration`, `upstream`: histogram buckets, not cumulative; their sums are in milliseconds.
 */
export const ruleCells = {
  status: 0,
  duration: 6,
  durationSum: 6 + buckets,
  upstream: 7 + buckets,
  upstreamSum: 7 + 2 * buckets,
  requestBytes: 8 + 2 * buckets,
  responseBytes: 9 + 2 * buckets,
} as const

/** Cells per row: whole cache lines, so that two workers never write the same one. */
const rowCells = Math.ceil((10 + 2 * buckets) / 16) * 16

/** Status class of an exchange whose client left before it had an answer (nginx: 499). */
export const clientGone = 0

/** What `attach` needs; survives postMessage, which shares the memory behind it. */
export interface RuleBuffers {
  readonly capacity: number
  readonly writers: number
  readonly cells: Float64Array
  readonly generation: Int32Array
}

/**
 * Counts per rule, in shared memory. Every rule has a row per worker, which only that worker writes;
 * a reader adds the rows. Rows of one worker lie together. Slot 0 is shared by the rules for which
 * the memory was full.
 */
export class RuleMemory {
  readonly capacity: number
  readonly writers: number
  /** All rows; see `ruleCells`. */
  readonly cells: Float64Array
  /** Per slot: rises whenever the slot goes to another rule. */
  readonly generation: Int32Array
  readonly #buffers: RuleBuffers

  private constructor(buffers: RuleBuffers) {
    this.#buffers = buffers
    this.capacity = buffers.capacity
    this.writers = buffers.writers
    this.cells = buffers.cells
    this.generation = buffers.generation
  }

  /** Reserves memory for `capacity` slots, the overflow slot included, and `writers` workers. */
  static create(capacity: number, writers: number): RuleMemory {
    return new RuleMemory({
      capacity,
      writers,
      cells: sharedFloats(capacity * writers * rowCells),
      generation: sharedInts(capacity),
    })
  }

  /** The same memory in another thread. */
  static attach(buffers: RuleBuffers): RuleMemory {
    return new RuleMemory(buffers)
  }

  /** For postMessage: a plain object, since class instances do not survive it. */
  buffers(): RuleBuffers {
    return this.#buffers
  }

  /**
   * First cell of a rule's row. `generation` is what the slot had when the rule was put in force: an
   * exchange that outlives its rule by so much that the slot went to another is counted in slot 0.
   */
  row(slot: number, generation: number, writer: number): number {
    const owned = this.generation[slot] === generation ? slot : overflowSlot
    return (writer * this.capacity + owned) * rowCells
  }

  /** Counts one finished exchange. `statusClass`: 1 to 5, or `clientGone`. */
  recordExchange(row: number, statusClass: number, durationMs: number): void {
    const { cells } = this
    const status = row + ruleCells.status + statusClass
    cells[status] = (cells[status] as number) + 1
    const bucket = row + ruleCells.duration + bucketOf(durationMs)
    cells[bucket] = (cells[bucket] as number) + 1
    const sum = row + ruleCells.durationSum
    cells[sum] = (cells[sum] as number) + durationMs
  }

  /** Adds body bytes received from and sent to the client. */
  recordBytes(row: number, requestBytes: number, responseBytes: number): void {
    const { cells } = this
    const request = row + ruleCells.requestBytes
    cells[request] = (cells[request] as number) + requestBytes
    const response = row + ruleCells.responseBytes
    cells[response] = (cells[response] as number) + responseBytes
  }

  /** Counts one upstream answer: from the start of the try to the response head. */
  recordUpstream(row: number, latencyMs: number): void {
    const { cells } = this
    const bucket = row + ruleCells.upstream + bucketOf(latencyMs)
    cells[bucket] = (cells[bucket] as number) + 1
    const sum = row + ruleCells.upstreamSum
    cells[sum] = (cells[sum] as number) + latencyMs
  }

  /** Adds a slot's rows of all workers to a row from `emptyRow`. */
  addInto(into: Float64Array, slot: number): void {
    for (let writer = 0; writer < this.writers; writer++) {
      const row = (writer * this.capacity + slot) * rowCells
      for (let i = 0; i < rowCells; i++) {
        into[i] = (into[i] as number) + (this.cells[row + i] as number)
      }
    }
  }

  /** A row to sum into. */
  emptyRow(): Float64Array {
    return new Float64Array(rowCells)
  }

  /** Zeroes one slot for its next rule, which the rise of its generation announces. */
  reassignSlot(slot: number): void {
    Atomics.add(this.generation, slot, 1)
    for (let writer = 0; writer < this.writers; writer++) {
      const row = (writer * this.capacity + slot) * rowCells
      this.cells.fill(0, row, row + rowCells)
    }
  }
}

/** The bucket of a duration: the first whose bound is not below it. */
function bucketOf(durationMs: number): number {
  let bucket = 0
  while (bucket < durationBoundsMs.length && durationMs > (durationBoundsMs[bucket] as number)) {
    bucket++
  }
  return bucket
}
