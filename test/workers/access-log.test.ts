import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogRing } from '#src/shared/log-ring.ts'
import { workerCell, WorkerMemory } from '#src/shared/worker-memory.ts'
import { AccessLogSink } from '#src/workers/access-log.ts'

const written = workerCell('access_log_lines_total:written')
const dropped = workerCell('access_log_lines_total:dropped')

function sinkOf(capacity: number) {
  const ring = LogRing.create(capacity)
  const memory = WorkerMemory.create(1)
  let told = 0
  const sink = new AccessLogSink(ring, memory, 0, () => told++)
  const counts = () => [memory.get(0, written), memory.get(0, dropped)]
  return { ring, sink, counts, told: () => told }
}

/** Takes all that waits. */
function read(ring: LogRing): string {
  let text = ''
  while (ring.waiting > 0) {
    const run = ring.peek()
    text += run.latin1Slice()
    ring.consume(run.length)
  }
  return text
}

test('lines are in the ring at the next tick, whole and in order', () => {
  const { ring, sink, counts, told } = sinkOf(4096)
  const lines = Array.from({ length: 50 }, (_, i) => `line ${i}`)
  for (const line of lines) sink.write(line)
  assert.equal(told(), 0)
  sink.flush()
  assert.equal(read(ring), lines.map((line) => `${line}\n`).join(''))
  assert.deepEqual(counts(), [50, 0])
  assert.equal(told(), 1)
  sink.flush()
  assert.equal(told(), 1)
})

test('what waits for the ring is bounded, and the reader hears of a full one before the tick', () => {
  const { ring, sink, told } = sinkOf(64 * 1024)
  for (let i = 0; i < 48; i++) sink.write('x'.repeat(1023))
  assert.equal(ring.waiting, 48 * 1024)
  assert.equal(told(), 1)
})

test('where not all have room, those that have are written and the others are counted', () => {
  const { ring, sink, counts } = sinkOf(64)
  for (const line of ['a'.repeat(30), 'b'.repeat(60), 'c'.repeat(30), '', 'd']) sink.write(line)
  sink.flush()
  assert.equal(read(ring), `${'a'.repeat(30)}\n${'c'.repeat(30)}\n\n`)
  assert.deepEqual(counts(), [3, 2])
})
