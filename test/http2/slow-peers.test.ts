import assert from 'node:assert/strict'
import test from 'node:test'
import type { Http2Counter } from '#src/http2/counters.ts'
import { flag, frameType } from '#src/http2/protocol.ts'
import {
  data,
  frame,
  get,
  headers,
  post,
  settings,
  stream,
  times,
  windowUpdate,
} from './support/frames.ts'
import { responseHead } from './support/heads.ts'
import { Linked } from './support/linked.ts'
import { RawClient } from './support/raw-client.ts'

const { endHeaders, endStream } = flag
const openPost = (id: number): Buffer => headers(id, post, endHeaders)
const ping = frame(frameType.ping, 0, 0, '0000000000000000')

test('a window that opens by one byte at a time is an attack (CVE-2019-9511)', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(settings([4, 0]), headers(1, get))
  client.recorder.request.respond(200, 'x'.repeat(20_000))
  client.settle()
  client.send(times(10_000, () => windowUpdate(1, 1)))
  assert.ok(client.ended)
  assert.equal(client.environment.count('http2_window_flood'), 1)
  assert.ok(client.log.body(1).length < 1500)
})

test('a reader with a closed window is cut off, and its handler told', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(settings([4, 5]), headers(1, get))
  client.recorder.request.respond(200, 'x'.repeat(100))
  client.settle()
  // A byte now and then is not progress.
  for (let i = 0; i < 7; i++) client.pass(9_000).send(windowUpdate(1, 1))
  assert.equal(client.recorder.request.resetReason, 'timeout')
  assert.equal(client.environment.count('http2_slow_reader'), 1)
  assert.deepEqual(client.log.codes(1), [8])
})

test('a reader that takes its time but gets on is served', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(settings([4, 0]), headers(1, get))
  client.recorder.request.respond(200, 'x'.repeat(20_000))
  for (let i = 0; i < 10; i++) client.pass(50_000).send(windowUpdate(1, 2000))
  client.settle()
  assert.equal(client.log.body(1).length, 20_000)
  assert.ok(client.log.ended(1))
})

test('a client that reads nothing from its connection is cut off', () => {
  const client = new RawClient({ answer: 'hold' })
  client.serverEnd.capacity = 1000
  client.send(windowUpdate(0, 1 << 20), settings([4, 1 << 20]), headers(1, get))
  client.end.pause()
  client.recorder.request.respond(200, 'x'.repeat(300_000))
  client.settle()
  client.pass(70_000)
  assert.ok(client.environment.count('http2_slow_reader') >= 1)
  assert.equal(client.recorder.request.resetReason, 'timeout')
  assert.equal(client.sessionClosed, '')
})

test('questions whose answers nobody reads are not taken any more', () => {
  const client = new RawClient({ limits: { controlBurst: 1e9 } })
  client.serverEnd.capacity = 1000
  client.end.pause()
  client.send(times(100_000, () => ping))
  assert.equal(client.environment.count('http2_unread_answers'), 1)
  assert.ok(client.serverEnd.paused, 'reading has stopped')
  assert.ok(client.end.waitingMax < 200_000)
  // Read after all, everything is answered.
  client.end.resume()
  client.settle()
  assert.equal(client.log.of(frameType.ping).length, 100_000)
})

const slow: readonly (readonly [name: string, counter: Http2Counter, bytes: readonly Buffer[]])[] =
  [
    ['a field block that is not finished', 'http2_slow_headers', [headers(1, get, endStream)]],
    ['a frame that is not finished', 'http2_slow_headers', [headers(1, get).subarray(0, 20)]],
    ['a frame header that is not finished', 'http2_slow_headers', [ping.subarray(0, 5)]],
  ]
for (const [name, counter, bytes] of slow) {
  test(`too slow: ${name}`, () => {
    const client = new RawClient()
    client.send(...bytes).pass(62_000)
    assert.equal(client.environment.count(counter), 1)
    assert.ok(client.ended)
  })
}

test('too slow: a request body', () => {
  const client = new RawClient({ answer: 'hold' })
  client
    .send(openPost(1), data(1, 'x', 0))
    .pass(50_000)
    .send(data(1, 'y', 0))
    .pass(50_000)
  assert.equal(client.recorder.request.resetReason, '')
  client.pass(12_000)
  assert.equal(client.recorder.request.resetReason, 'timeout')
  assert.equal(client.environment.count('http2_slow_body'), 1)
})

test('not too slow: a body that the proxy itself has paused, or whose answer has begun', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(openPost(1), openPost(3))
  client.recorder.requests[0]?.stream.pauseBody()
  client.recorder.requests[1]?.stream.sendHead(responseHead(200), false)
  client.pass(70_000)
  assert.deepEqual(
    client.recorder.requests.map((one) => one.resetReason),
    ['', ''],
  )
})

test('too slow: the acknowledgement of SETTINGS', () => {
  const client = new RawClient({ greet: false })
  client.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings()).pass(12_000)
  assert.deepEqual(client.log.codes(0), [4])
  assert.equal(client.environment.count('http2_settings_timeout'), 1)
})

test('an idle connection is closed with GOAWAY, one with a stream is not', () => {
  const idle = new RawClient()
  idle.send(headers(1, get)).pass(70_000)
  assert.equal(idle.ended, false)
  idle.pass(10_000)
  assert.deepEqual(idle.log.codes(0), [0])
  assert.ok(idle.ended)
  const busy = new RawClient({ answer: 'hold' })
  busy.send(headers(1, get)).pass(200_000)
  assert.equal(busy.ended, false)
})

test('a client that does not even send its preface is closed', () => {
  const client = new RawClient({ greet: false })
  client.settle()
  client.pass(12_000)
  assert.ok(client.ended)
})

test('PING finds a dead connection, and a live one answers', () => {
  const limits = { pingIntervalMs: 5000, pingTimeoutMs: 3000 }
  const live = new Linked({ answer: 'hold', client: limits })
  const waiting = live.request()
  live.settle()
  for (let i = 0; i < 30; i++) live.pass(1000)
  assert.equal(waiting.failure, '')
  const dead = new Linked({ answer: 'hold', client: limits })
  const lost = dead.request()
  dead.settle()
  dead.serverEnd.pause()
  for (let i = 0; i < 15; i++) dead.pass(1000)
  assert.equal(lost.failure, 'closed')
  assert.equal(dead.environment.count('http2_ping_timeout'), 1)
})

test('one turn takes on so much and no more, and other connections get their turn between', () => {
  const client = new RawClient({ limits: { turnWork: 64 } })
  const order: string[] = []
  const all = times(40, (i) => headers(stream(i), get))
  client.end.writeBytes('', all, 0, all.length)
  client.serverEnd.deliver(Infinity)
  while (client.recorder.requests.length < 40) {
    order.push(String(client.recorder.requests.length))
    client.environment.turns.run()
    client.serverEnd.deliver(Infinity)
    assert.ok(order.length < 20)
  }
  assert.deepEqual(order, ['8', '16', '24', '32'])
  assert.ok(client.environment.count('http2_turn_limit') >= 4)
  client.settle()
  assert.equal(client.log.of(frameType.headers).length, 40)
})

test('requests on one connection may be limited; the session is then drained', () => {
  const client = new RawClient({ limits: { requests: 3 } })
  client.send(times(3, (i) => headers(stream(i), get)))
  const [last] = client.log.of(frameType.goaway)
  assert.equal(last?.payload.readUInt32BE(0), 0x7fff_ffff)
  client.send(frame(frameType.ping, flag.ack, 0, '0000000000000001'))
  assert.equal(client.log.of(frameType.goaway)[1]?.payload.readUInt32BE(0), 5)
  assert.ok(client.ended)
})
