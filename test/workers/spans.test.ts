import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workerCell, WorkerMemory } from '#src/shared/worker-memory.ts'
import type { Span } from '#src/exchange/span.ts'
import { bufferedSpansMax, SpanBuffer } from '#src/workers/span-buffer.ts'
import { relayedSpansMax, SpanRelay } from '#src/workers/span-relay.ts'

const span = {} as Span
const spans = (count: number): Span[] => Array.from({ length: count }, () => span)

test("a worker's spans leave together; too many are dropped and counted", () => {
  const memory = WorkerMemory.create(1)
  const sent: number[] = []
  const buffer = new SpanBuffer(memory, 0, (batch) => sent.push(batch.length))
  buffer.flush()
  for (let i = 0; i < bufferedSpansMax + 5; i++) buffer.record(span)
  buffer.flush()
  buffer.record(span)
  buffer.flush()
  assert.deepEqual(sent, [bufferedSpansMax, 1])
  assert.equal(memory.sum(workerCell('trace_spans_total:recorded')), bufferedSpansMax + 1)
  assert.equal(memory.sum(workerCell('trace_spans_total:dropped')), 5)
})

test('the control plane gets one batch at a time; what it cannot take is dropped and told', () => {
  const sent: (readonly [number, number])[] = []
  const relay = new SpanRelay((batch, dropped) => sent.push([batch.length, dropped]))
  assert.equal(relay.used, false)
  relay.add(spans(2))
  relay.add(spans(3))
  relay.add(spans(relayedSpansMax))
  assert.deepEqual(sent, [[2, 0]])
  relay.taken()
  assert.deepEqual(sent, [
    [2, 0],
    [relayedSpansMax, 3],
  ])
  relay.taken()
  assert.equal(sent.length, 2)
  relay.add(spans(1))
  // The control plane ends with that one, and another takes its place.
  relay.reset()
  relay.add(spans(1))
  assert.deepEqual(sent.slice(2), [
    [1, 0],
    [1, 0],
  ])
  assert.equal(relay.used, true)
})
