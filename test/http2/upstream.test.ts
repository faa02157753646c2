import assert from 'node:assert/strict'
import test from 'node:test'
import { flag, frameType } from '#src/http2/protocol.ts'
import {
  data,
  frame,
  headers,
  reset,
  settings,
  settingsAck,
  windowUpdate,
} from './support/frames.ts'
import type { FieldPair } from './support/frames.ts'
import { RecordedResponse, requestHead } from './support/linked.ts'
import { RawServer } from './support/raw-server.ts'

const ok: readonly FieldPair[] = [[':status', '200']]
const both = flag.endHeaders | flag.endStream

function goaway(lastStreamId: number, code = 0): Buffer {
  const payload = Buffer.alloc(8)
  payload.writeUInt32BE(lastStreamId, 0)
  payload.writeUInt32BE(code, 4)
  return frame(frameType.goaway, 0, 0, payload)
}

test('a request as an upstream reads it', () => {
  const server = new RawServer()
  server.request({
    method: 'POST',
    target: '/x',
    open: true,
    contentLength: 5,
    fields: ['X-A', 'b'],
    acceptsTrailers: true,
  })
  assert.deepEqual(server.log.fieldLists()[0], {
    streamId: 1,
    fields: [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':authority', 'a.test'],
      [':path', '/x'],
      ['content-length', '5'],
      ['te', 'trailers'],
      ['x-a', 'b'],
    ],
  })
  assert.deepEqual(
    server.log.frames.slice(0, 3).map((one) => one.type),
    [frameType.settings, frameType.windowUpdate, frameType.settings],
  )
})

test('a POST without a body says so, a GET need not', () => {
  const server = new RawServer()
  server.request({ method: 'POST' })
  server.request({ method: 'GET' })
  const lists = server.log.fieldLists()
  assert.ok(lists[0]?.fields.some(([name, value]) => name === 'content-length' && value === '0'))
  assert.ok(lists[1]?.fields.every(([name]) => name !== 'content-length'))
})

/** What an upstream sends on stream 1, and what becomes of the exchange. */
const malformed: readonly (readonly [why: string, ...Buffer[]])[] = [
  ['no :status', headers(1, [['x', 'y']])],
  [':status twice', headers(1, [...ok, ...ok])],
  [':status behind a field', headers(1, [['x', 'y'], ...ok])],
  [':status of two digits', headers(1, [[':status', '20']])],
  [':status 600', headers(1, [[':status', '600']])],
  [':status 101', headers(1, [[':status', '101']], flag.endHeaders)],
  ['a pseudo-header field of requests', headers(1, [...ok, [':path', '/']])],
  ['connection', headers(1, [...ok, ['connection', 'close']])],
  ['transfer-encoding', headers(1, [...ok, ['transfer-encoding', 'chunked']])],
  ['a name in upper case', headers(1, [...ok, ['X', 'y']])],
  ['a value with LF', headers(1, [...ok, ['x', 'a\nb']])],
  ['two lengths', headers(1, [...ok, ['content-length', '0'], ['content-length', '0']])],
  ['a length that is none', headers(1, [...ok, ['content-length', '-1']])],
  ['a length without a body', headers(1, [...ok, ['content-length', '3']])],
  [
    'a body above its length',
    headers(1, [...ok, ['content-length', '1']], flag.endHeaders),
    data(1, 'xy'),
  ],
  [
    'a body below its length',
    headers(1, [...ok, ['content-length', '3']], flag.endHeaders),
    data(1, 'xy'),
  ],
  ['a body with 304', headers(1, [[':status', '304']], flag.endHeaders), data(1, 'xy')],
  ['an interim response at the end', headers(1, [[':status', '103']])],
  ['DATA before the head', data(1, 'x')],
  ['two final heads', headers(1, ok, flag.endHeaders), headers(1, ok, flag.endHeaders)],
  [
    '65 interim responses',
    ...Array.from({ length: 65 }, () => headers(1, [[':status', '103']], flag.endHeaders)),
  ],
]
for (const [why, ...frames] of malformed) {
  test(`a malformed response is a failure: ${why}`, () => {
    const server = new RawServer()
    const response = server.request()
    server.send(...frames)
    assert.equal(response.failure, 'malformed')
    assert.equal(server.log.codes(1).length, 1)
    // The session lives on.
    const next = server.request()
    server.send(headers(3, ok))
    assert.equal(next.status, 200)
  })
}

const broken: readonly (readonly [why: string, code: number, ...Buffer[]])[] = [
  ['PUSH_PROMISE', 1, frame(frameType.pushPromise, flag.endHeaders, 1, '0000000288')],
  ['ENABLE_PUSH from a server', 1, settings([2, 1])],
  ['a head on an idle stream', 1, headers(5, ok)],
  ['a head on an even stream', 1, headers(2, ok)],
  ['a head behind the end', 5, headers(1, ok), headers(1, ok)],
  ['a block that does not decompress', 9, frame(frameType.headers, both, 1, '40')],
  ['DATA on an idle stream', 1, data(7, 'x')],
]
for (const [why, code, ...frames] of broken) {
  test(`a broken upstream ends the session: ${why}`, () => {
    const server = new RawServer()
    const [first, second] = [server.request(), server.request()]
    server.send(...frames)
    assert.deepEqual(server.log.codes(0), [code])
    assert.equal(second.failure, 'malformed')
    assert.ok(first.ended || first.failure !== '')
    assert.equal(server.session.capacity, 0)
    assert.equal(server.draining, 1)
  })
}

test('GOAWAY: what was not processed fails so that it can go elsewhere, the rest ends well', () => {
  const server = new RawServer()
  const responses = [server.request(), server.request(), server.request()]
  server.send(goaway(3))
  assert.deepEqual(
    responses.map((response) => response.failure),
    ['', '', 'refused-stream'],
  )
  assert.equal(server.draining, 1)
  assert.equal(server.session.capacity, 0)
  server.send(headers(1, ok), headers(3, ok))
  assert.ok(responses.slice(0, 2).every((response) => response.ended))
  assert.ok(server.ended)
})

test('REFUSED_STREAM is told apart from other resets', () => {
  const server = new RawServer()
  const responses = [server.request(), server.request()]
  server.send(reset(1, 7), reset(3, 2))
  assert.deepEqual(
    responses.map((response) => response.failure),
    ['refused-stream', 'reset'],
  )
})

test('RST_STREAM(NO_ERROR) behind a whole answer is no failure', () => {
  const server = new RawServer()
  const response = server.request({ method: 'POST', open: true })
  response.stream.pauseBody()
  server.send(headers(1, ok, flag.endHeaders), data(1, 'all'), reset(1, 0))
  assert.equal(response.failure, '')
  assert.equal(response.body, '')
  response.stream.resumeBody()
  server.settle()
  assert.equal(response.body, 'all')
  assert.equal(response.ended, true)
})

test('an answer received whole survives the end of the connection', () => {
  const server = new RawServer()
  const response = server.request()
  response.stream.pauseBody()
  server.send(headers(1, ok, flag.endHeaders), data(1, 'all'))
  server.end.destroy()
  server.settle()
  response.stream.resumeBody()
  server.settle()
  assert.deepEqual([response.body, response.ended, response.failure], ['all', true, ''])
})

test('an Upgrade waits for SETTINGS, and goes without where CONNECT is not extended', () => {
  for (const extended of [0, 1]) {
    const server = new RawServer({}, [])
    const response = server.request({ open: true, upgrade: 'websocket', contentLength: 0 })
    assert.equal(server.log.of(frameType.headers).length, 0)
    server.send(settings([8, extended]), settingsAck)
    const fields = server.log.fieldLists()[0]?.fields ?? []
    assert.equal(fields[0]?.[1], extended === 1 ? 'CONNECT' : 'GET')
    assert.equal(
      fields.some(([name]) => name === ':protocol'),
      extended === 1,
    )
    assert.equal(server.log.ended(1), extended === 0)
    assert.equal(response.failure, '')
  }
})

test('a stream given up before its head was sent costs nothing', () => {
  const server = new RawServer({}, [])
  const response = server.request({ open: true, upgrade: 'websocket', contentLength: 0 })
  response.stream.reset('cancel')
  server.send(settings([8, 1]), settingsAck)
  assert.equal(server.log.of(frameType.headers).length, 0)
  assert.equal(server.session.streamCount, 0)
})

test('the upstream says how many streams it takes, none at all included', () => {
  const server = new RawServer({}, [settings([3, 0]), settingsAck])
  assert.equal(server.session.capacity, 0)
  server.send(settings([3, 7]))
  assert.equal(server.session.capacity, 7)
})

test('without a limit announced ours holds; before SETTINGS it is 100', () => {
  const silent = new RawServer({}, [])
  assert.equal(silent.session.capacity, 100)
  silent.send(settings(), settingsAck)
  assert.equal(silent.session.capacity, 1000)
})

test('a head beyond the limits fails as too large', () => {
  const server = new RawServer({ headerListBytes: 200 })
  const response = server.request()
  server.send(headers(1, [...ok, ['x', 'v'.repeat(300)]]))
  assert.equal(response.failure, 'head-too-large')
  assert.deepEqual(server.log.codes(1), [8])
})

test('a request body waits for the windows of the upstream', () => {
  const server = new RawServer({}, [settings([4, 10]), settingsAck])
  const response = server.request({ method: 'POST', open: true })
  assert.equal(response.stream.sendText('x'.repeat(25)), false)
  response.stream.sendEnd(undefined)
  response.stream.flush()
  server.settle()
  assert.equal(server.log.body(1).length, 10)
  server.send(windowUpdate(1, 10))
  assert.equal(server.log.body(1).length, 20)
  assert.equal(server.log.ended(1), false)
  server.send(settings([4, 15]))
  assert.equal(server.log.body(1).length, 25)
  assert.equal(server.log.ended(1), true)
})

test('a request without a host has no :authority', () => {
  const server = new RawServer()
  const head = requestHead({})
  head.authority = ''
  server.session.open(new RecordedResponse()).sendHead(head, true)
  server.session.open(new RecordedResponse()).flush()
  server.settle()
  const names = server.log.fieldLists()[0]?.fields.map(([name]) => name)
  assert.deepEqual(names, [':method', ':scheme', ':path'])
})

test('a whole answer that waits for its reader is not lost to what its sender does wrong behind it', () => {
  const server = new RawServer()
  const response = server.request({ open: true })
  response.stream.pauseBody()
  server.send(headers(1, [[':status', '200']], flag.endHeaders), data(1, 'whole'))
  server.send(headers(1, [[':status', '500']], flag.endHeaders))
  response.stream.resumeBody()
  server.settle()
  assert.deepEqual(
    [response.status, response.body, response.ended, response.failure],
    [200, 'whole', true, ''],
  )
})
