import { sharedFloats, sharedInts } from './columns.ts'
import { workerFamilies } from './worker-families.ts'
import type { WorkerFamilies } from './worker-families.ts'

/** Name of a cell: its family, and the value of the family's label where it has one. */
export type WorkerCellName = {
  [Family in keyof WorkerFamilies]: WorkerFamilies[Family] extends {
    readonly values: readonly (infer Value extends string)[]
  }
    ? `${Family & string}:${Value}`
    : Family & string
}[keyof WorkerFamilies]

/** Every cell in order: its family and label value, '' for none. */
export const workerCells: readonly { family: keyof WorkerFamilies; value: string }[] =
  Object.entries(workerFamilies).flatMap(([name, family]) => {
    const values: readonly string[] = 'values' in family ? family.values : ['']
    return values.map((value) => ({ family: name as keyof WorkerFamilies, value }))
  })

const cellNumbers = new Map(
  workerCells.map(({ family, value }, i) => [value === '' ? family : `${family}:${value}`, i]),
)

/** The number of a cell, for the hot path: look it up once, at load. */
export function workerCell(name: WorkerCellName): number {
  return cellNumbers.get(name) as number
}

/** Cells per worker: whole pairs of cache lines, so that two workers never write the same one. */
const rowCells = Math.ceil(workerCells.length / 16) * 16
/** Int32 per worker in the heartbeat column, for the same reason. */
const beatStride = 32

/** What `attach` needs; survives postMessage, which shares the memory behind it. */
export interface WorkerBuffers {
  readonly writers: number
  readonly cells: Float64Array
  readonly beats: Int32Array
}

/**
 * Counters and gauges per worker, in shared memory: one row a worker, written by it alone. Adding a
 * metric is one row in `workerFamilies`.
 */
export class WorkerMemory {
  readonly writers: number
  readonly cells: Float64Array
  readonly #beats: Int32Array

  private constructor({ writers, cells, beats }: WorkerBuffers) {
    this.writers = writers
    this.cells = cells
    this.#beats = beats
  }

  static create(writers: number): WorkerMemory {
    return new WorkerMemory({
      writers,
      cells: sharedFloats(writers * rowCells),
      beats: sharedInts(writers * beatStride),
    })
  }

  /** The same memory in another thread. */
  static attach(buffers: WorkerBuffers): WorkerMemory {
    return new WorkerMemory(buffers)
  }

  /** For postMessage: a plain object, since class instances do not survive it. */
  buffers(): WorkerBuffers {
    return { writers: this.writers, cells: this.cells, beats: this.#beats }
  }

  /** Adds to a cell (see `workerCell`); a gauge falls by a negative amount. */
  add(writer: number, cell: number, amount: number): void {
    const i = writer * rowCells + cell
    this.cells[i] = (this.cells[i] as number) + amount
  }

  set(writer: number, cell: number, value: number): void {
    this.cells[writer * rowCells + cell] = value
  }

  get(writer: number, cell: number): number {
    return this.cells[writer * rowCells + cell] as number
  }

  /** The sum of a cell over all workers. */
  sum(cell: number): number {
    let sum = 0
    for (let writer = 0; writer < this.writers; writer++) sum += this.get(writer, cell)
    return sum
  }

  /** Shows that the worker's event loop turns. */
  beat(writer: number): void {
    Atomics.add(this.#beats, writer * beatStride, 1)
  }

  /** Changes with every beat. */
  beats(writer: number): number {
    return Atomics.load(this.#beats, writer * beatStride)
  }

  /** Takes back the gauges of a dead worker. Its counters stay, as counters must not fall. */
  clearGauges(writer: number): void {
    for (const [cell, { family }] of workerCells.entries()) {
      if (workerFamilies[family].type === 'gauge') this.set(writer, cell, 0)
    }
  }
}
