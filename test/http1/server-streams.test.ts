import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ScriptedServer, responseHead } from './scripted.ts'

const date = 'Date: Fri, 06 Nov 2026 08:50:00 GMT\r\n'
const get = 'GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n'
const post = 'POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n'
const chunkedPost = 'POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n'
const ok = `HTTP/1.1 200 OK\r\n${date}Content-Length: 2\r\n\r\nok`
const lastOk = `HTTP/1.1 200 OK\r\n${date}Content-Length: 2\r\nConnection: close\r\n\r\nok`

function switchProtocols(server: ScriptedServer): void {
  const head = responseHead(101, ['Sec-WebSocket-Accept', 'x'])
  head.upgrade = 'websocket'
  server.last.stream.sendHead(head, false)
  server.last.stream.flush()
}

describe('an answer before the request is whole', () => {
  test('closes, after what the client still sends was thrown away', () => {
    const server = new ScriptedServer()
    const [client, accepted] = server.connect()
    server.send(client, `${post}he`)
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, lastOk)
    assert.equal(client.ended, true)
    server.send(client, `llo${get}`)
    server.pass(4000)
    assert.equal(accepted.unread, 0)
    assert.equal(accepted.told, false)
    assert.equal(server.requests.length, 1)
    assert.equal(server.last.body, 'he')
    server.pass(2000)
    assert.equal(accepted.told, true)
  })

  test('throws away so much and no more', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, `${post.replace('5', '999999999')}he`)
    server.last.answer('ok')
    for (let i = 0; i < 18; i++) server.send(client, 'x'.repeat(1024 * 1024))
    assert.equal(client.received, lastOk)
    assert.equal(server.context.sessions.size, 0)
    assert.equal(client.closeReason, 'reset')
  })

  test('keeps the connection where the rest is in hand', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.onHeard = (request) => request.answer('ok')
    server.send(client, `${post}hello${get}${post}`)
    assert.equal(client.received, ok + ok + lastOk)
    assert.equal(server.requests[0]?.body, '')
    assert.equal(client.ended, true)
  })

  test('and a response that goes on while the request does', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, `${chunkedPost}2\r\nhe\r\n`)
    server.last.answer(undefined)
    server.last.stream.sendText('HE')
    server.last.stream.flush()
    server.send(client, '3\r\nllo\r\n0\r\n\r\n')
    assert.equal(server.last.body, 'hello')
    assert.equal(server.last.end, 'ended')
    server.last.stream.sendText('LLO')
    server.last.stream.sendEnd(undefined)
    server.last.stream.flush()
    server.network.run()
    assert.equal(
      client.received,
      `HTTP/1.1 200 OK\r\n${date}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
        '2\r\nHE\r\n3\r\nLLO\r\n0\r\n\r\n',
    )
    assert.equal(client.ended, true)
  })
})

describe('interim responses', () => {
  test('100 when the proxy says so', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, post.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'))
    assert.equal(server.last.expectContinue, true)
    assert.equal(client.received, '')
    server.last.stream.sendInterim(responseHead(100))
    server.last.stream.flush()
    server.network.run()
    assert.equal(client.received, 'HTTP/1.1 100 Continue\r\n\r\n')
    server.send(client, 'hello')
    server.last.stream.sendInterim(responseHead(103, ['Link', 'x']))
    server.last.answer('ok')
    server.network.run()
    assert.equal(
      client.received,
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${ok}`,
    )
  })

  test('a final answer instead of 100 closes', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, post.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'))
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, lastOk)
  })

  test('not for HTTP/1.0, and not behind the final head', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, 'GET / HTTP/1.0\r\n\r\n')
    server.last.stream.sendInterim(responseHead(103))
    server.last.answer(undefined)
    server.last.stream.sendInterim(responseHead(103))
    server.last.stream.sendEnd(undefined)
    server.last.stream.flush()
    server.network.run()
    assert.equal(client.received, `HTTP/1.1 200 OK\r\n${date}Connection: close\r\n\r\n`)
  })
})

describe('upgrade', () => {
  const upgrade =
    'GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

  const switched =
    'HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n' +
    'Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n'

  test('bytes wait for 101, then pass both ways; each direction ends by itself', () => {
    const server = new ScriptedServer()
    const [client, accepted] = server.connect()
    server.send(client, `${upgrade}early`)
    assert.equal(server.last.upgrade, 'websocket')
    assert.equal(server.last.end, '')
    assert.equal(server.last.body, '')
    switchProtocols(server)
    server.network.run()
    assert.equal(client.received, switched)
    assert.equal(server.last.body, 'early')
    server.send(client, ' late')
    assert.equal(server.last.body, 'early late')
    server.last.stream.pauseBody()
    server.send(client, '!')
    assert.equal(server.last.body, 'early late')
    server.last.stream.resumeBody()
    server.network.run()
    assert.equal(server.last.body, 'early late!')
    client.connection.end()
    server.network.run()
    assert.equal(server.last.end, 'ended')
    server.last.stream.sendText('bye')
    server.last.stream.flush()
    server.last.stream.sendEnd(undefined)
    server.network.run()
    assert.equal(client.received, `${switched}bye`)
    assert.equal(client.ended, true)
    assert.equal(accepted.told, true)
    assert.equal(server.context.sessions.size, 0)
  })

  test('the server side may end first', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, upgrade)
    switchProtocols(server)
    server.last.stream.sendEnd(undefined)
    server.network.run()
    assert.equal(client.ended, true)
    server.send(client, 'still here')
    assert.equal(server.last.body, 'still here')
    client.connection.end()
    server.network.run()
    assert.equal(server.last.end, 'ended')
    assert.equal(server.context.sessions.size, 0)
  })

  test('a reset ends it at once', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, upgrade)
    switchProtocols(server)
    client.connection.reset()
    server.network.run()
    assert.equal(server.last.end, 'reset cancel')
    const other = server.client()
    server.send(other, upgrade)
    switchProtocols(server)
    server.last.stream.reset('upstream-failed')
    server.network.run()
    assert.equal(other.closeReason, 'reset')
  })

  test('without 101 the bytes behind are the next request', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, upgrade + get)
    server.last.answer('ok')
    server.network.run()
    assert.equal(server.last.line, 'GET a.test/x 11')
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, ok + ok)
  })

  test('426 says what it takes', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, get)
    const head = responseHead(426)
    head.upgrade = 'x'
    server.last.stream.sendHead(head, true)
    server.last.stream.flush()
    server.network.run()
    assert.match(client.received, /\r\nUpgrade: x\r\nConnection: Upgrade\r\n/)
  })
})

describe('draining', () => {
  test('idle connections close, busy ones finish, new ones have a moment', () => {
    const server = new ScriptedServer()
    const idle = server.client()
    const busy = server.client()
    const fresh = server.client()
    const late = server.client()
    server.send(idle, get)
    server.last.answer('ok')
    server.send(busy, get)
    server.context.shutdown()
    server.network.run()
    assert.equal(idle.ended, true)
    assert.equal(busy.ended, false)
    server.last.answer('ok')
    server.network.run()
    assert.equal(busy.received, lastOk)
    assert.equal(busy.ended, true)
    server.send(fresh, get)
    server.last.answer('ok')
    server.network.run()
    assert.equal(fresh.received, lastOk)
    assert.equal(late.ended, false)
    server.pass(2500)
    assert.equal(late.ended, true)
    assert.equal(server.context.sessions.size, 0)
  })
})

describe('options', () => {
  test('new ones count from the next request on', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, 'GET / HTTP/1.1\r\nHost: a.test\r\n')
    server.context.options = { ...server.context.options, requestFieldsMax: 2 }
    server.send(client, 'X: 1\r\nX: 2\r\nX: 3\r\n\r\n')
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, ok)
    server.send(client, 'GET / HTTP/1.1\r\nHost: a.test\r\nX: 1\r\nX: 2\r\n\r\n')
    assert.match(client.received.slice(ok.length), /^HTTP\/1\.1 431 /)
  })
})

test('a long body is read into a buffer of its own, while it lasts', () => {
  const server = new ScriptedServer()
  const [client, accepted] = server.connect()
  server.send(client, post.replace('5', '100000'))
  assert.equal(accepted.bulk, true)
  server.send(client, 'x'.repeat(100_000))
  assert.equal(accepted.bulk, false)
  assert.equal(server.last.body.length, 100_000)
  server.last.answer('ok')
  server.send(client, `${post}hel`)
  assert.equal(accepted.bulk, false)
})
