import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { RouteSettings } from '#src/table/table.ts'
import { ProxyHarness, sendBody, settings } from '#test/support/proxy-harness.ts'

// A body of some size comes whole, then the endpoint resets the connection: is it sent again?

interface Case {
  readonly name: string
  readonly method: string
  readonly bytes: number
  readonly settings?: Partial<RouteSettings>
  readonly repeated: boolean
}

const { retry } = settings
const kib = 1024

const cases: readonly Case[] = [
  { name: 'a long body that may be repeated', method: 'PUT', bytes: 200 * kib, repeated: true },
  { name: 'the longest', method: 'PUT', bytes: kib * kib, repeated: true },
  {
    name: 'one that is too long',
    method: 'PUT',
    bytes: kib * kib + 1,
    settings: { bodyBytesMax: 0 },
    repeated: false,
  },
  { name: 'a body that may not be repeated', method: 'POST', bytes: 200, repeated: false },
  {
    name: 'a long one that the user vouches for',
    method: 'POST',
    bytes: 200 * kib,
    settings: { retry: { ...retry, nonIdempotent: true } },
    repeated: true,
  },
  {
    name: 'a long one of a route without request buffering',
    method: 'PUT',
    bytes: 200 * kib,
    settings: { requestBuffering: false },
    repeated: false,
  },
  {
    name: 'a short one of a route without request buffering',
    method: 'PUT',
    bytes: 64 * kib,
    settings: { requestBuffering: false },
    repeated: true,
  },
  {
    name: 'a long one of a route that makes one try',
    method: 'PUT',
    bytes: 200 * kib,
    settings: { retry: { ...retry, triesMax: 1 } },
    repeated: false,
  },
]

for (const { name, method, bytes, settings: changed, repeated } of cases) {
  test(`${name}: ${repeated ? 'sent again' : '502'}`, () => {
    const harness = new ProxyHarness()
    harness.services.replayBytesMax = 4 * kib * kib
    const request = { method, contentLength: bytes }
    const { exchange, client } = harness.start(harness.rule([], changed), request)
    const chunk = 'x'.repeat(32 * kib)
    for (let left = bytes; left > 0; left -= chunk.length) {
      exchange.onRequestBody(Buffer.from(chunk), 0, Math.min(left, chunk.length))
    }
    exchange.onRequestEnd(undefined)
    harness.upstream.sent = true
    harness.upstream.handler.onUpstreamFailure('reset')
    assert.equal(harness.upstreams.length, repeated ? 2 : 1)
    assert.equal(harness.upstream.body.length, bytes)
    if (repeated) harness.upstream.answer(200)
    assert.equal(client.status, repeated ? 200 : 502)
    assert.equal(harness.services.replayBytes, 0)
  })
}

test('where the worker keeps too much already, a body is passed on without a copy, and counted', () => {
  const harness = new ProxyHarness()
  harness.services.replayBytesMax = 100 * kib
  const live = harness.rule([])
  const { exchange, client } = harness.start(live, { method: 'PUT', contentLength: 128 * kib })
  sendBody(exchange, 'x'.repeat(96 * kib), 'x'.repeat(32 * kib))
  assert.equal(harness.services.worker.sum(workerCell('replay_bodies_dropped_total')), 1)
  assert.equal(harness.services.replayBytes, 0)
  harness.upstream.answer(200)
  assert.equal(client.status, 200)
})
