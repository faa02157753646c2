import assert from 'node:assert/strict'
import test from 'node:test'
import { webSocketAccept } from '#src/http2/messages/web-socket.ts'
import { flag } from '#src/http2/protocol.ts'
import { frame, get, headers } from './support/frames.ts'
import type { FieldPair } from './support/frames.ts'
import { responseHead } from './support/heads.ts'
import { Linked } from './support/linked.ts'
import { RawClient } from './support/raw-client.ts'

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
  response.stream.sendText('ping')
  response.stream.flush()
  request.stream.sendText('pong')
  request.stream.flush()
  linked.settle()
  assert.equal(request.body, 'ping')
  assert.equal(response.body, 'pong')
  // Half-close: one side ends, the other goes on.
  response.stream.sendEnd(undefined)
  response.stream.flush()
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
