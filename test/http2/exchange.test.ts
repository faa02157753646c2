import assert from 'node:assert/strict'
import test from 'node:test'
import { Fields } from '#src/exchange/fields.ts'
import { ResponseHead } from '#src/exchange/heads.ts'
import { flag } from '#src/http2/protocol.ts'
import { webSocketAccept } from '#src/http2/messages/web-socket.ts'
import { frame, get, headers, literals } from './support/frames.ts'
import type { FieldPair } from './support/frames.ts'
import { Linked } from './support/linked.ts'
import { RawClient } from './support/raw-client.ts'

function fieldsOf(...pairs: readonly string[]): Fields {
  const fields = new Fields()
  for (let i = 0; i < pairs.length; i += 2)
    fields.append(pairs[i] as string, pairs[i + 1] as string)
  return fields
}

function responseHead(
  status: number,
  contentLength = -1,
  ...pairs: readonly string[]
): ResponseHead {
  const head = new ResponseHead()
  head.status = status
  head.contentLength = contentLength
  for (let i = 0; i < pairs.length; i += 2) {
    head.fields.append(pairs[i] as string, pairs[i + 1] as string)
  }
  return head
}

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
    request.stream?.sendEnd(head)
    linked.settle()
  }
  assert.ok(linked.recorder.requests.slice(1).every(({ trailers }) => trailers?.[1] === 'secret'))
})

test('trailers both ways, and misplaced ones are left out', () => {
  const linked = new Linked({ answer: 'hold' })
  const response = linked.request({ method: 'POST', open: true })
  response.stream?.sendText('x')
  response.stream?.sendEnd(fieldsOf('X-Sum', '1', 'Content-Type', 'a/b', 'X-Forwarded-For', 'evil'))
  response.stream?.flush()
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
  first.stream?.reset('cancel')
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
  response.stream?.sendText('part')
  response.stream?.flush()
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
  response.stream?.sendText('more')
  response.stream?.sendEnd(undefined)
  response.stream?.flush()
  const next = linked.request()
  linked.settle()
  linked.recorder.requests[1]?.respond(200, 'ok')
  linked.settle()
  assert.equal(next.body, 'ok')
})

test('a WebSocket crosses two sessions as the handshake of HTTP/1.1 on both sides', () => {
  const linked = new Linked({ answer: 'hold' })
  const key = 'dGhlIHNhbXBsZSBub25jZQ=='
  const response = linked.request({
    open: true,
    contentLength: 0,
    upgrade: 'websocket',
    fields: ['Sec-WebSocket-Key', key, 'Sec-WebSocket-Version', '13'],
  })
  linked.settle()
  const { request } = linked.recorder
  assert.equal(request.method, 'GET')
  assert.equal(request.upgrade, 'websocket')
  assert.equal(request.contentLength, 0)
  assert.equal(request.ended, false)
  const at = request.fields.indexOf('sec-websocket-key')
  const fresh = request.fields[at + 1] as string
  assert.notEqual(fresh, key)
  request.stream.sendHead(
    responseHead(
      101,
      -1,
      'Sec-WebSocket-Accept',
      webSocketAccept(fresh),
      'Sec-WebSocket-Protocol',
      'chat',
    ),
    false,
  )
  request.stream.flush()
  linked.settle()
  assert.equal(response.status, 101)
  assert.equal(response.upgrade, 'websocket')
  assert.deepEqual(response.fields, [
    'sec-websocket-protocol',
    'chat',
    'sec-websocket-accept',
    's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  ])
  response.stream?.sendText('ping')
  response.stream?.flush()
  request.stream.sendText('pong')
  request.stream.flush()
  linked.settle()
  assert.equal(request.body, 'ping')
  assert.equal(response.body, 'pong')
  // Half-close: one side ends, the other goes on.
  response.stream?.sendEnd(undefined)
  response.stream?.flush()
  linked.settle()
  assert.equal(request.ended, true)
  request.stream.sendText('late')
  request.stream.sendEnd(undefined)
  request.stream.flush()
  linked.settle()
  assert.equal(response.body, 'ponglate')
  assert.equal(response.ended, true)
  assert.equal(linked.server.streamCount + linked.client.streamCount, 0)
})

const webSocketFields: readonly FieldPair[] = [
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  ...get.slice(1),
]

test('bytes of a WebSocket client wait until the upstream has agreed', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(headers(1, webSocketFields, flag.endHeaders), frame(0, 0, 1, Buffer.from('early')))
  const { request } = client.recorder
  request.stream.resumeBody()
  client.settle()
  assert.equal(request.body, '')
  const accept = webSocketAccept(
    request.fields[request.fields.indexOf('sec-websocket-key') + 1] as string,
  )
  request.stream.sendHead(responseHead(101, -1, 'sec-websocket-accept', accept), false)
  request.stream.resumeBody()
  client.settle()
  assert.equal(request.body, 'early')
  assert.deepEqual(client.log.fieldLists()[0]?.fields, [[':status', '200']])
})

test('an upstream that does not answer the key is no WebSocket server', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(headers(1, webSocketFields, flag.endHeaders))
  const { request } = client.recorder
  request.stream.sendHead(responseHead(101, -1, 'sec-websocket-accept', 'wrong'), false)
  client.settle()
  assert.equal(request.resetReason, 'upstream-failed')
  assert.deepEqual(client.log.codes(1), [2])
})

test('a WebSocket that the upstream declines is an ordinary answer', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(headers(1, webSocketFields, flag.endHeaders), frame(0, 0, 1, Buffer.from('early')))
  client.recorder.request.respond(403, 'no')
  client.settle()
  assert.equal(client.log.body(1).toString(), 'no')
  assert.ok(client.log.ended(1))
  assert.equal(client.session.streamCount, 0)
})

test('what was sent before the connection is there goes out when it is', () => {
  const linked = new Linked({ connected: false })
  const first = linked.request({ method: 'POST', body: 'x'.repeat(100) })
  const second = linked.request({ open: true, upgrade: 'websocket', contentLength: 0 })
  assert.equal(first.stream?.sent, false)
  assert.equal(first.stream?.connected, false)
  assert.equal(linked.clientEnd.writes, 0)
  assert.equal(first.stream?.backedUp, true)
  linked.client.onConnected(linked.clientEnd)
  linked.settle()
  assert.equal(first.connected, 1)
  assert.equal(second.connected, 1)
  assert.equal(first.body, 'ok')
  assert.equal(linked.recorder.requests[0]?.body.length, 100)
  assert.equal(linked.recorder.requests[1]?.upgrade, 'websocket')
  assert.equal(second.stream?.sent, true)
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
  assert.equal(first.stream?.reused, false)
  const second = linked.request()
  assert.equal(second.stream?.reused, true)
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
  assert.deepEqual(linked.closed, [])
  for (const request of linked.recorder.requests) request.respond(200, 'ok')
  linked.settle()
  assert.equal(before.body + inFlight.body, 'okok')
  linked.pass(1000)
  assert.deepEqual(linked.closed.toSorted(), ['client', 'server'])
})

test('a drained client ends when its last stream has', () => {
  const linked = new Linked({ answer: 'hold' })
  const response = linked.request()
  linked.settle()
  linked.client.drain()
  assert.equal(linked.client.capacity, 0)
  linked.settle()
  assert.deepEqual(linked.closed, [])
  linked.recorder.request.respond(200, 'ok')
  linked.settle()
  assert.equal(response.body, 'ok')
  linked.pass(1000)
  assert.deepEqual(linked.closed.toSorted(), ['client', 'server'])
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
