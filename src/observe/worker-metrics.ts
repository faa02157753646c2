import { workerFamilies } from '#src/shared/worker-families.ts'
import type { WorkerFamilies } from '#src/shared/worker-families.ts'
import { workerCells } from '#src/shared/worker-memory.ts'
import type { WorkerMemory } from '#src/shared/worker-memory.ts'
import { familyHead, labelText, sample } from './exposition.ts'

/** The version is each worker's own; the rest adds up, so that its labels do not grow with the cores. */
const shownPerWorker: ReadonlySet<keyof WorkerFamilies> = new Set(['worker_table_version'])

/** Every family of `workerFamilies`, one piece a family. */
export function* workerMetrics(memory: WorkerMemory): Generator<string, void> {
  let current: string | undefined
  let text = ''
  for (const [cell, { family, value }] of workerCells.entries()) {
    const { type, help } = workerFamilies[family]
    if (family !== current) {
      if (text !== '') yield text
      text = familyHead(family, type, help)
      current = family
    }
    text += shownPerWorker.has(family)
      ? perWorker(memory, family, cell)
      : sample(family, labelsOf(family, value), memory.sum(cell))
  }
  yield text
}

function labelsOf(family: keyof WorkerFamilies, value: string): string {
  const shape = workerFamilies[family]
  return 'label' in shape ? labelText({ [shape.label]: value }) : ''
}

function perWorker(memory: WorkerMemory, family: string, cell: number): string {
  let text = ''
  for (let writer = 0; writer < memory.writers; writer++) {
    text += sample(family, labelText({ worker: String(writer) }), memory.get(writer, cell))
  }
  return text
}
