import assert from 'node:assert/strict'
import test from 'node:test'
import { Linked } from './support/linked.ts'

test('what was sent before the connection is there goes out when it is', () => {
  const linked = new Linked({ connected: false })
  const first = linked.request({ method: 'POST', body: 'x'.repeat(100) })
  const second = linked.request({ open: true, upgrade: 'websocket', contentLength: 0 })
  assert.equal(first.stream.sent, false)
  assert.equal(first.stream.connected, false)
  assert.equal(linked.clientEnd.writes, 0)
  assert.equal(first.stream.backedUp, true)
  linked.client.onConnected(linked.clientEnd)
  linked.settle()
  assert.equal(first.connected, 1)
  assert.equal(second.connected, 1)
  assert.equal(first.body, 'ok')
  assert.equal(linked.recorder.requests[0]?.body.length, 100)
  assert.equal(linked.recorder.requests[1]?.upgrade, 'websocket')
  assert.equal(second.stream.sent, true)
})

const failures = [
  ['refused', 'connect-refused'],
  ['unreachable', 'connect-refused'],
  ['timeout', 'connect-timeout'],
  ['tls', 'tls-failed'],
  ['', 'closed'],
] as const
for (const [reason, failure] of failures) {
  test(`a connection that fails with '${reason}' fails its streams with ${failure}`, () => {
    const linked = new Linked({ connected: false })
    const sent = linked.request()
    const held = linked.request({ upgrade: 'websocket' })
    linked.client.onClose(reason)
    assert.equal(sent.failure, failure)
    assert.equal(held.failure, failure)
    assert.deepEqual(linked.closed, ['client'])
    assert.equal(linked.draining, 1)
    assert.equal(linked.client.capacity, 0)
  })
}

test('capacity follows what the upstream allows and what is open', () => {
  const linked = new Linked({ answer: 'hold', server: { concurrentStreams: 3 } })
  assert.equal(linked.client.capacity, 3)
  const first = linked.request()
  assert.equal(first.stream.reused, false)
  const second = linked.request()
  assert.equal(second.stream.reused, true)
  assert.equal(linked.client.capacity, 1)
  linked.settle()
  const told = linked.capacityTold
  linked.recorder.requests[0]?.respond(200, 'ok')
  linked.settle()
  assert.equal(linked.client.capacity, 2)
  assert.ok(linked.capacityTold > told)
})

test('a drained server finishes what it has and loses nothing in flight', () => {
  const linked = new Linked({ answer: 'hold' })
  const before = linked.request()
  linked.settle()
  linked.server.drain()
  // In flight while the GOAWAY is under way.
  const inFlight = linked.request()
  linked.settle()
  assert.equal(linked.draining, 1)
  assert.equal(linked.client.capacity, 0)
  assert.equal(linked.recorder.requests.length, 2)
  assert.equal(linked.closed.length, 0)
  for (const request of linked.recorder.requests) request.respond(200, 'ok')
  linked.settle()
  assert.equal(before.body + inFlight.body, 'okok')
  linked.pass(1000)
  assert.deepEqual(
    linked.closed.toSorted((a, b) => a.localeCompare(b)),
    ['client', 'server'],
  )
})

test('a drained client ends when its last stream has', () => {
  const linked = new Linked({ answer: 'hold' })
  const response = linked.request()
  linked.settle()
  linked.client.drain()
  assert.equal(linked.client.capacity, 0)
  linked.settle()
  assert.equal(linked.closed.length, 0)
  linked.recorder.request.respond(200, 'ok')
  linked.settle()
  assert.equal(response.body, 'ok')
  linked.pass(1000)
  assert.deepEqual(
    linked.closed.toSorted((a, b) => a.localeCompare(b)),
    ['client', 'server'],
  )
})

test('a closed connection fails what is open, and only that', () => {
  const linked = new Linked({ answer: 'hold' })
  const done = linked.request()
  const open = linked.request({ method: 'POST', open: true })
  linked.settle()
  linked.recorder.requests[0]?.respond(200, 'ok')
  linked.settle()
  linked.serverEnd.destroy()
  linked.settle()
  assert.equal(done.failure, '')
  assert.equal(done.ended, true)
  assert.equal(open.failure, 'closed')
  assert.equal(linked.recorder.requests[1]?.resetReason, 'cancel')
})
