import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import type { HealthCheck } from '#src/table/table.ts'
import { recordSuccess } from '#src/upstream/ejection.ts'
import { healthRequest } from '#src/upstream/health-request.ts'
import { claimCheck, forgetChecks, noteCheck } from '#src/upstream/health-state.ts'
import { LiveEndpoint } from '#src/upstream/live-endpoint.ts'

const check: HealthCheck = {
  kind: 'http',
  path: '/up?full',
  service: '',
  intervalMs: 1000,
  timeoutMs: 500,
  failures: 3,
  successes: 2,
}

test('one of all workers takes a check, once an interval', () => {
  const memory = EndpointMemory.create(4, 2)
  const other = EndpointMemory.attach(memory.buffers())
  assert.equal(claimCheck(memory, 1, 5000, 1000), true)
  assert.equal(claimCheck(other, 1, 5001, 1000), false)
  assert.equal(claimCheck(other, 1, 5999, 1000), false)
  assert.equal(claimCheck(other, 1, 6000, 1000), true)
  assert.equal(claimCheck(memory, 1, 6000, 1000), false)
  assert.equal(claimCheck(memory, 2, 6000, 1000), true)
})

test('the clock of checks may wrap', () => {
  const memory = EndpointMemory.create(4, 1)
  for (const start of [2 ** 31 - 400, 2 ** 32 - 400, 2 ** 32 + 5]) {
    memory.checkedAt[1] = 0
    assert.equal(claimCheck(memory, 1, start, 1000), true)
    assert.equal(claimCheck(memory, 1, start + 900, 1000), false)
    assert.equal(claimCheck(memory, 1, start + 1000, 1000), true)
  }
})

test('failures in a row put an endpoint out of use, successes in a row bring it back', () => {
  const memory = EndpointMemory.create(4, 1)
  const play = (results: string): string[] =>
    Array.from(results, (result) => noteCheck(memory, 1, result === '+', check))
  assert.deepEqual(
    play('--+--').filter((change) => change !== 'none'),
    [],
  )
  assert.deepEqual(play('-'), ['unhealthy'])
  assert.equal(memory.ejectedUntil[1], Infinity)
  assert.deepEqual(play('--+-'), ['none', 'none', 'none', 'none'])
  assert.deepEqual(play('++'), ['none', 'healthy'])
  assert.equal(memory.ejectedUntil[1], 0)
  assert.deepEqual(play('--'), ['none', 'none'])
})

test('an answer to a request does not bring back what the checks have put out of use', () => {
  const memory = EndpointMemory.create(4, 1)
  const endpoint = new LiveEndpoint(
    { address: '10.0.0.1', port: 80, uid: '', state: 'ready', weight: 1, zone: '', node: '' },
    1,
    1,
  )
  memory.consecutiveFailures[1] = 1
  for (let turn = 0; turn < 3; turn++) noteCheck(memory, 1, false, check)
  recordSuccess(memory, endpoint)
  assert.equal(memory.ejectedUntil[1], Infinity)
  forgetChecks(memory, 1)
  assert.equal(memory.ejectedUntil[1], 0)
  // Passive ejection is not undone by the end of checks that were good.
  memory.ejectedUntil[1] = 9000
  forgetChecks(memory, 1)
  assert.equal(memory.ejectedUntil[1], 9000)
})

test('requests', () => {
  const http = healthRequest(check)
  assert.deepEqual([http.method, http.target, http.body.length], ['GET', '/up?full', 0])
  const grpc = healthRequest({ ...check, kind: 'grpc', service: 'shop.v1.Cart' })
  assert.deepEqual([grpc.method, grpc.target], ['POST', '/grpc.health.v1.Health/Check'])
  assert.deepEqual(
    grpc.body,
    Buffer.concat([Buffer.from([0, 0, 0, 0, 14, 0x0a, 12]), Buffer.from('shop.v1.Cart')]),
  )
  assert.deepEqual(healthRequest({ ...check, kind: 'grpc' }).body, Buffer.from([0, 0, 0, 0, 0]))
  const long = healthRequest({ ...check, kind: 'grpc', service: 'a'.repeat(200) }).body
  assert.deepEqual(long.subarray(0, 8), Buffer.from([0, 0, 0, 0, 203, 0x0a, 0xc8, 1]))
})
