import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { processClock } from '#src/shared/clock.ts'
import { EndpointMemory, sumOfSlot } from '#src/shared/endpoint-memory.ts'
import { RuleMemory, clientGone, durationBoundsMs, ruleCells } from '#src/shared/rule-memory.ts'
import { workerFamilies } from '#src/shared/worker-families.ts'
import { WorkerMemory, workerCell, workerCells } from '#src/shared/worker-memory.ts'

test('requests in flight of a dead worker are taken back, its sums stay', () => {
  const memory = EndpointMemory.create(8, 2)
  for (const slot of [1, 5]) {
    memory.inFlight[slot * 2] = 3
    memory.inFlight[slot * 2 + 1] = 4
    memory.requests[slot * 2 + 1] = 100
    memory.latency[slot * 2 + 1] = 12
  }
  memory.clearWriter(1, 6)
  for (const slot of [1, 5]) {
    assert.equal(sumOfSlot(memory, memory.inFlight, slot), 3)
    assert.equal(memory.latency[slot * 2 + 1], 0)
    assert.equal(sumOfSlot(memory, memory.requests, slot), 100)
  }
})

test('a slot that changes hands is zero and leaves its neighbours alone', () => {
  const memory = EndpointMemory.create(4, 2)
  memory.inFlight.fill(1)
  memory.bytesSent.fill(2)
  memory.ejections.fill(3)
  memory.reassignSlot(2)
  assert.deepEqual([...memory.inFlight], [1, 1, 1, 1, 0, 0, 1, 1])
  assert.deepEqual([...memory.bytesSent], [2, 2, 2, 2, 0, 0, 2, 2])
  assert.deepEqual([...memory.ejections], [3, 3, 0, 3])
})

test('a duration falls into the first bucket that reaches it', () => {
  const memory = RuleMemory.create(4, 1)
  const generation = memory.generation[1] as number
  const row = memory.row(1, generation, 0)
  const last = durationBoundsMs.length
  const cases: [number, number][] = [
    [0, 0],
    [5, 0],
    [5.01, 1],
    [10_000, last - 1],
    [10_001, last],
    [Infinity, last],
  ]
  for (const [durationMs, bucket] of cases) {
    const cell = row + ruleCells.duration + bucket
    const before = memory.cells[cell] as number
    memory.recordExchange(row, 2, durationMs)
    assert.equal(memory.cells[cell], before + 1, `${durationMs} ms`)
  }
})

test('rows of workers add up', () => {
  const memory = RuleMemory.create(4, 3)
  for (const writer of [0, 1, 2]) {
    const row = memory.row(2, 0, writer)
    memory.recordExchange(row, 5, 7)
    memory.recordExchange(row, clientGone, 20)
    memory.recordBytes(row, 10, 100)
    memory.recordUpstream(row, 3)
  }
  const sum = memory.emptyRow()
  memory.addInto(sum, 2)
  assert.equal(sum[ruleCells.status + 5], 3)
  assert.equal(sum[ruleCells.status + clientGone], 3)
  assert.equal(sum[ruleCells.durationSum], 81)
  assert.equal(sum[ruleCells.requestBytes], 30)
  assert.equal(sum[ruleCells.responseBytes], 300)
  assert.equal(sum[ruleCells.upstream], 3)
  assert.equal(sum[ruleCells.upstreamSum], 9)
  const other = memory.emptyRow()
  memory.addInto(other, 1)
  assert.ok(other.every((value) => value === 0))
})

test('an exchange that outlives its rule counts in the overflow row', () => {
  const memory = RuleMemory.create(4, 1)
  const generation = memory.generation[3] as number
  memory.recordExchange(memory.row(3, generation, 0), 2, 1)
  memory.reassignSlot(3)
  memory.recordExchange(memory.row(3, generation, 0), 2, 1)
  const sum = memory.emptyRow()
  memory.addInto(sum, 3)
  assert.equal(sum[ruleCells.status + 2], 0)
  memory.addInto(sum, 0)
  assert.equal(sum[ruleCells.status + 2], 1)
})

test('every worker metric is named by Prometheus rules', () => {
  for (const [name, { type, help }] of Object.entries(workerFamilies)) {
    assert.match(name, /^[a-z][a-z0-9_]*$/)
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    assert.ok(help.endsWith('.'))
  }
  assert.equal(
    new Set(workerCells.map(({ family, value }) => `${family}:${value}`)).size,
    workerCells.length,
  )
})

test('gauges of a dead worker are taken back, counters stay', () => {
  const memory = WorkerMemory.create(2)
  const gauge = workerCell('connections:http')
  const counter = workerCell('connections_accepted_total:http')
  for (const writer of [0, 1]) {
    memory.add(writer, gauge, 5)
    memory.add(writer, counter, 9)
  }
  memory.clearGauges(1)
  assert.equal(memory.sum(gauge), 5)
  assert.equal(memory.sum(counter), 18)
})

test('all threads see the same memory and the same clock', async () => {
  const endpoints = EndpointMemory.create(8, 2)
  const rules = RuleMemory.create(8, 2)
  const worker = WorkerMemory.create(2)
  const thread = new Worker(new URL('memory-thread.ts', import.meta.url), {
    workerData: {
      endpoints: endpoints.buffers(),
      rules: rules.buffers(),
      worker: worker.buffers(),
    },
  })
  const ended = new Promise((resolve) => thread.once('exit', resolve))
  const now = processClock()
  const before = now()
  const there = await new Promise<number>((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
  })
  assert.ok(there >= before - 1 && there <= now() + 1, `${before} ${there}`)
  await ended
  assert.equal(sumOfSlot(endpoints, endpoints.inFlight, 3), 1)
  assert.equal(worker.get(1, workerCell('tunnels')), 2)
  assert.equal(worker.beats(1), 1)
  assert.equal(worker.beats(0), 0)
  const sum = rules.emptyRow()
  rules.addInto(sum, 4)
  assert.equal(sum[ruleCells.status + 2], 1)
})
