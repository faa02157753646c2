import assert from 'node:assert/strict'
import test from 'node:test'
import { flag } from '#src/http2/protocol.ts'
import { frame, get, headers, literals } from './support/frames.ts'
import { fieldsOf, responseHead } from './support/heads.ts'
import { Linked } from './support/linked.ts'
import { RawClient } from './support/raw-client.ts'

test('a request and its answer', () => {
  const linked = new Linked()
  const response = linked.request({
    method: 'POST',
    target: '/a?b=1',
    body: 'hello',
    fields: ['X-One', '1', 'Accept', '*/*', 'x-one', '2'],
    acceptsTrailers: true,
    expectContinue: true,
  })
  linked.settle()
  const { request } = linked.recorder
  assert.equal(request.method, 'POST')
  assert.equal(request.target, '/a?b=1')
  assert.equal(request.authority, 'a.test')
  assert.equal(request.contentLength, -1)
  assert.equal(request.acceptsTrailers, true)
  assert.equal(request.expectContinue, true)
  assert.deepEqual(request.fields, ['x-one', '1', 'accept', '*/*', 'x-one', '2'])
  assert.equal(request.body, 'hello')
  assert.equal(response.status, 200)
  assert.equal(response.contentLength, 2)
  assert.equal(response.body, 'ok')
  assert.equal(response.ended, true)
  assert.equal(response.trailers, undefined)
})

test('what belongs to one hop is no field on either side', () => {
  const linked = new Linked({ answer: 'hold' })
  const response = linked.request({
    fields: ['Connection', 'x', 'Upgrade', 'h2c', 'Keep-Alive', '5', 'TE', 'gzip'],
  })
  linked.settle()
  assert.deepEqual(linked.recorder.request.fields, [])
  linked.recorder.request.respond(
    200,
    '',
    ['Transfer-Encoding', 'chunked', 'Connection', 'close', 'X', 'y'],
    0,
  )
  linked.settle()
  assert.deepEqual(response.fields, ['x', 'y'])
})

test('the crumbs of Cookie are joined once', () => {
  const client = new RawClient()
  client.send(
    headers(1, [...get, ['cookie', 'a=1'], ['x', 'y'], ['cookie', 'b=2'], ['cookie', 'c=3']]),
  )
  assert.deepEqual(client.recorder.request.fields, ['x', 'y', 'cookie', 'a=1; b=2; c=3'])
})

test('fields that a proxy must not pass on are left out', () => {
  const client = new RawClient()
  client.send(
    headers(1, [
      ...get,
      ['http2-settings', 'AA'],
      ['proxy', 'http://evil'],
      ['proxy-authorization', 'x'],
      ['x_forwarded_for', '1'],
      ['x.forwarded.for', '1'],
      ['plain_name', '1'],
      ['priority', 'u=1, i'],
    ]),
  )
  assert.deepEqual(client.recorder.request.fields, ['priority', 'u=1, i'])
})

const nameRules = [
  [{ ignoreInvalidHeaders: true, underscoresInHeaders: true }, ['a_b', '1']],
  [{ ignoreInvalidHeaders: false }, ['a_b', '1', 'a.b', '1']],
] as const
for (const [limits, want] of nameRules) {
  test(`unusual names with ${JSON.stringify(limits)}`, () => {
    const client = new RawClient({ limits })
    client.send(headers(1, [...get, ['a_b', '1'], ['a.b', '1'], ['x_real_ip', '1']]))
    assert.deepEqual(client.recorder.request.fields, [...want])
  })
}

test('a field "never indexed" marks its message, and stays so on the next hop', () => {
  const client = new RawClient()
  const block = Buffer.concat([literals(get), literals([['x-token', 'secret']], 0x10)])
  client.send(frame(1, flag.endHeaders | flag.endStream, 1, block))
  assert.equal(client.recorder.request.sensitive, true)

  const linked = new Linked()
  for (let i = 0; i < 4; i++) {
    const head = fieldsOf('x-token', 'secret')
    head.sensitive = true
    const request = linked.request({ open: true })
    request.stream.sendEnd(head)
    linked.settle()
  }
  assert.ok(linked.recorder.requests.slice(1).every(({ trailers }) => trailers?.[1] === 'secret'))
})

test('trailers both ways, and misplaced ones are left out', () => {
  const linked = new Linked({ answer: 'hold' })
  const response = linked.request({ method: 'POST', open: true })
  response.stream.sendText('x')
  response.stream.sendEnd(fieldsOf('X-Sum', '1', 'Content-Type', 'a/b', 'X-Forwarded-For', 'evil'))
  response.stream.flush()
  linked.settle()
  const { request } = linked.recorder
  assert.deepEqual(request.trailers, ['x-sum', '1'])
  request.stream.sendHead(responseHead(200, -1, 'content-type', 'application/grpc'), false)
  request.stream.sendText('y')
  request.stream.sendEnd(fieldsOf('grpc-status', '0', 'grpc-message', '', 'x-request-id', '7'))
  request.stream.flush()
  linked.settle()
  assert.equal(response.body, 'y')
  assert.deepEqual(response.trailers, ['grpc-status', '0', 'grpc-message', '', 'x-request-id', '7'])
})

test('a head alone with END_STREAM (trailers-only of gRPC)', () => {
  const linked = new Linked({ answer: 'hold' })
  const response = linked.request()
  linked.settle()
  linked.recorder.request.stream.sendHead(responseHead(200, -1, 'grpc-status', '12'), true)
  linked.recorder.request.stream.flush()
  linked.settle()
  assert.equal(response.ended, true)
  assert.deepEqual(response.fields, ['grpc-status', '12'])
})

test('interim responses arrive before the final one', () => {
  const linked = new Linked({ answer: 'hold' })
  const response = linked.request()
  linked.settle()
  const { request } = linked.recorder
  request.stream.sendInterim(responseHead(100))
  request.stream.sendInterim(responseHead(103, -1, 'link', '</a.css>; rel=preload'))
  request.stream.flush()
  linked.settle()
  assert.deepEqual(response.interims, [100, 103])
  request.respond(204)
  linked.settle()
  assert.equal(response.status, 204)
  assert.equal(response.ended, true)
})

test('HEAD, 204 and 304 have no body whatever their length says', () => {
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 304],
  ] as const) {
    const linked = new Linked({ answer: 'hold' })
    const response = linked.request({ method })
    linked.settle()
    linked.recorder.request.stream.sendHead(responseHead(status, 1234), true)
    linked.recorder.request.stream.flush()
    linked.settle()
    assert.equal(response.contentLength, 1234)
    assert.equal(response.ended, true)
    assert.equal(response.failure, '')
  }
})

test('resets travel both ways', () => {
  const linked = new Linked({ answer: 'hold' })
  const first = linked.request()
  const second = linked.request()
  const third = linked.request()
  linked.settle()
  first.stream.reset('cancel')
  linked.recorder.requests[1]?.stream.reset('refused')
  linked.recorder.requests[2]?.stream.reset('upstream-failed')
  linked.settle()
  assert.equal(linked.recorder.requests[0]?.resetReason, 'cancel')
  assert.equal(first.failure, '')
  assert.equal(second.failure, 'refused-stream')
  assert.equal(third.failure, 'reset')
  assert.equal(linked.server.streamCount + linked.client.streamCount, 0)
})

test('an early answer stops the request body without an error', () => {
  const linked = new Linked({ answer: 'hold' })
  const response = linked.request({ method: 'POST', open: true })
  response.stream.sendText('part')
  response.stream.flush()
  linked.settle()
  linked.recorder.request.respond(413, 'too large')
  linked.settle()
  assert.equal(response.status, 413)
  assert.equal(response.body, 'too large')
  assert.equal(response.ended, true)
  assert.equal(response.failure, '')
  assert.equal(linked.recorder.request.resetReason, '')
  assert.equal(linked.server.streamCount + linked.client.streamCount, 0)
  // Late bytes are dropped on both sides, and the session goes on.
  response.stream.sendText('more')
  response.stream.sendEnd(undefined)
  response.stream.flush()
  const next = linked.request()
  linked.settle()
  linked.recorder.requests[1]?.respond(200, 'ok')
  linked.settle()
  assert.equal(next.body, 'ok')
})

test('many answers of one turn leave in one write', () => {
  const linked = new Linked({ answer: 'hold' })
  const responses = Array.from({ length: 50 }, () => linked.request({ fields: ['x-a', 'b'] }))
  assert.equal(linked.clientEnd.writes, 1 + 1)
  linked.settle()
  const before = linked.serverEnd.writes
  for (const request of linked.recorder.requests) request.respond(200, 'x'.repeat(100))
  linked.settle()
  assert.equal(linked.serverEnd.writes, before + 1)
  assert.ok(responses.every((response) => response.body.length === 100))
})

test('field blocks larger than a frame are cut up and put together', () => {
  const linked = new Linked({ server: { headerListBytes: 100_000 } })
  const value = 'v'.repeat(50_000)
  const response = linked.request({ fields: ['x-large', value] })
  linked.settle()
  assert.equal(response.body, 'ok')
  assert.equal(linked.recorder.request.fields[1], value)
})

test('interim responses to a client that does not read are left out, the answer is not', () => {
  const client = new RawClient({ answer: 'hold' })
  client.serverEnd.capacity = 1000
  client.end.pause()
  client.send(headers(1, get))
  const { request } = client.recorder
  for (let i = 0; i < 200; i++) {
    request.stream.sendInterim(responseHead(103, -1, 'link', 'x'.repeat(1000)))
    request.stream.flush()
    client.settle()
  }
  request.respond(200, 'ok')
  client.end.resume()
  client.settle()
  const statuses = client.log.fieldLists().map(({ fields }) => fields[0]?.[1])
  assert.equal(statuses.at(-1), '200')
  assert.ok(statuses.length < 100)
})

test('sent tells whether anything of a request may have left, later frames or not', () => {
  const linked = new Linked({ answer: 'hold' })
  const { stream } = linked.request({ method: 'POST', open: true })
  assert.equal(stream.sent, false)
  linked.settle()
  assert.equal(stream.sent, true)
  stream.sendText('more')
  assert.equal(stream.sent, true)
})

test('a 204 carries no length (RFC 9110 8.6)', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(headers(1, get))
  client.recorder.request.respond(204, '', [], 0)
  client.settle()
  assert.deepEqual(client.log.fieldLists()[0]?.fields, [[':status', '204']])
  assert.ok(client.log.ended(1))
})
