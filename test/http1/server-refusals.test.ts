import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ScriptedServer } from './scripted.ts'

const date = 'Date: Fri, 06 Nov 2026 08:50:00 GMT\r\n'
const get = 'GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n'
const post = 'POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n'
const chunkedPost = 'POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n'
const ok = `HTTP/1.1 200 OK\r\n${date}Content-Length: 2\r\n\r\nok`

/** The whole answer to a request that was refused. */
function refusal(status: string, code: string, lines = ''): string {
  return (
    `HTTP/1.1 ${status}\r\n${date}${lines}Content-Type: text/plain\r\n` +
    `Content-Length: ${code.length + 1}\r\nConnection: close\r\n\r\n${code}\n`
  )
}

describe('refusals', () => {
  test('one whole answer, then the end, and nothing reaches the proxy', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, 'GET / HTTP/1.1\r\nHost: a.test\r\nX : 1\r\n\r\nGET / HTTP/1.1\r\n')
    assert.equal(client.received, refusal('400 Bad Request', 'malformed-field'))
    assert.deepEqual(server.rejected, ['400 malformed-field'])
    assert.equal(client.ended, true)
    server.pass(800)
    assert.equal(server.requests.length, 0)
    assert.equal(server.context.sessions.size, 0)
  })

  test('a method that is not served', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, get.replace('GET', 'TRACE'))
    const allow = 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n'
    assert.equal(client.received, refusal('405 Method Not Allowed', 'method-not-allowed', allow))
  })

  test('HEAD gets no body', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, 'HEAD / HTTP/1.1\r\nHost: a.test\r\nX : 1\r\n\r\n')
    assert.ok(client.received.endsWith('\r\nConnection: close\r\n\r\n'))
  })

  test('behind answers that are due', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, `${get}garbage\r\n\r\n`)
    assert.equal(client.received, '')
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, ok + refusal('400 Bad Request', 'malformed-request-line'))
  })

  test('a body that breaks its framing', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, `${chunkedPost}5\r\nhelloX`)
    assert.equal(server.last.body, 'hello')
    assert.equal(server.last.end, 'reset protocol-error')
    assert.equal(client.received, refusal('400 Bad Request', 'malformed-body'))
    assert.equal(client.ended, true)
  })

  test('such a body when the answer has begun', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, `${chunkedPost}5\r\nhello`)
    server.last.answer(undefined)
    server.send(client, 'X')
    assert.equal(server.last.end, 'reset protocol-error')
    assert.equal(client.closeReason, 'reset')
  })

  test('a long request line and a long head, whole and in pieces', () => {
    for (const readBytes of [64 * 1024, 1, 1000]) {
      const server = new ScriptedServer({}, { readBytes })
      const line = server.client()
      server.send(line, `GET /${'x'.repeat(9000)}`)
      assert.match(line.received, /^HTTP\/1\.1 414 /)
      const head = server.client()
      server.send(head, `GET / HTTP/1.1\r\nHost: a.test\r\nX: ${'x'.repeat(40_000)}`)
      assert.match(head.received, /^HTTP\/1\.1 431 /)
      assert.equal(head.ended, true)
    }
  })

  test('a wrong line end is refused as it comes, though the head has no end yet', () => {
    const server = new ScriptedServer({}, { readBytes: 1 })
    for (const text of ['GET / HTTP/1.1\n', 'GET / HTTP/1.1\r\nX: 1\rY', 'GET / HTTP/1.1\r\n\rX']) {
      const client = server.client()
      server.send(client, text)
      assert.match(client.received, /^HTTP\/1\.1 400 /)
    }
  })

  test('empty lines before a request are passed over, a few of them', () => {
    const server = new ScriptedServer({}, { readBytes: 1 })
    const client = server.client()
    server.onHeard = (request) => request.answer('ok')
    server.send(client, `\r\n\r\n${get}\r\n${get}`)
    assert.equal(client.received, ok + ok)
    server.send(client, '\r\n'.repeat(20))
    assert.match(client.received, /HTTP\/1\.1 400 /)
    const other = server.client()
    server.send(other, '\rX')
    assert.match(other.received, /^HTTP\/1\.1 400 /)
  })
})

describe('times', () => {
  test('a slow head', () => {
    const server = new ScriptedServer({ requestHeadTimeoutMs: 1000 })
    const client = server.client()
    server.send(client, 'GET / HTTP/1.1\r\n')
    for (let i = 0; i < 9; i++) {
      server.pass(100)
      server.send(client, `X-${i}: 1\r\n`)
    }
    assert.equal(client.received, '')
    server.pass(300)
    assert.match(client.received, /^HTTP\/1\.1 408 Request Timeout\r\n/)
    assert.equal(client.ended, true)
    assert.equal(server.requests.length, 0)
  })

  test('a second head has its time from its first byte', () => {
    const server = new ScriptedServer({ requestHeadTimeoutMs: 1000, keepAliveTimeoutMs: 60_000 })
    const client = server.client()
    server.onHeard = (request) => request.answer('ok')
    server.send(client, get)
    server.pass(5000)
    server.send(client, 'GET')
    server.pass(900)
    assert.equal(client.received, ok)
    server.pass(300)
    assert.match(client.received.slice(ok.length), /^HTTP\/1\.1 408 /)
  })

  test('a connection that brings nothing is closed without a word', () => {
    const server = new ScriptedServer({ requestHeadTimeoutMs: 1000 })
    const client = server.client()
    server.pass(1200)
    assert.equal(client.received, '')
    assert.equal(client.ended, true)
    server.pass(800)
    assert.equal(server.context.sessions.size, 0)
  })

  test('an idle connection', () => {
    const server = new ScriptedServer({ keepAliveTimeoutMs: 2000 })
    const client = server.client()
    server.onHeard = (request) => request.answer('ok')
    server.send(client, get)
    server.pass(1900)
    server.send(client, get)
    server.pass(1900)
    assert.equal(client.closed, false)
    server.pass(300)
    assert.equal(client.ended, true)
    assert.equal(client.received, ok + ok)
  })

  test('a body that stands still', () => {
    const server = new ScriptedServer({ requestBodyTimeoutMs: 1000 })
    const client = server.client()
    server.send(client, `${post}h`)
    server.pass(900)
    server.send(client, 'e')
    server.pass(900)
    assert.equal(server.last.end, '')
    server.pass(300)
    assert.equal(server.last.end, 'reset timeout')
    assert.match(client.received, /^HTTP\/1\.1 408 /)
  })

  test('no limit at all', () => {
    const server = new ScriptedServer({ requestHeadTimeoutMs: 0, requestBodyTimeoutMs: 0 })
    const client = server.client()
    server.pass(100_000)
    server.send(client, 'POST /x HTTP/1.1\r\n')
    server.pass(100_000)
    server.send(client, 'Host: a.test\r\nContent-Length: 5\r\n\r\nh')
    server.pass(100_000)
    server.send(client, 'ello')
    assert.equal(server.last.end, 'ended')
  })

  test('a body that is kept waiting has all the time', () => {
    const server = new ScriptedServer({ requestBodyTimeoutMs: 1000 })
    const [client, accepted] = server.connect()
    server.onHeard = (request) => request.stream.pauseBody()
    server.send(client, `${post}h`)
    assert.equal(accepted.reading, false)
    server.send(client, 'ello')
    server.pass(5000)
    assert.equal(server.last.body, 'h')
    server.last.stream.resumeBody()
    server.network.run()
    assert.equal(server.last.body, 'hello')
    assert.equal(server.last.end, 'ended')
  })

  test('a client that takes nothing', () => {
    const server = new ScriptedServer({}, { windowBytes: 1000 })
    const client = server.client()
    server.send(client, get)
    client.connection.pause()
    server.last.answer(undefined)
    const taken = server.last.stream.sendData(Buffer.alloc(50_000), 0, 50_000)
    assert.equal(taken, false)
    assert.equal(server.last.stream.backedUp, true)
    server.pass(59_000)
    assert.equal(server.last.end, 'none')
    server.pass(2000)
    assert.equal(server.last.end, 'reset timeout')
    assert.equal(server.context.sessions.size, 0)
  })

  test('a client that takes nothing, as it turns out at the end of a turn', () => {
    const server = new ScriptedServer({ keepAliveTimeoutMs: 200_000 })
    const [client, accepted] = server.connect()
    server.send(client, get)
    server.last.answer('ok')
    server.network.run()
    accepted.handler.onBackedUp?.()
    server.pass(59_000)
    assert.equal(server.context.sessions.size, 1)
    server.pass(2000)
    assert.equal(server.context.sessions.size, 0)
  })

  test('a client that takes its time', () => {
    const server = new ScriptedServer({}, { windowBytes: 20_000 })
    const client = server.client()
    server.send(client, get)
    server.last.answer(undefined)
    for (let i = 0; i < 4; i++) {
      client.connection.pause()
      assert.equal(server.last.stream.sendData(Buffer.alloc(50_000), 0, 50_000), false)
      server.pass(50_000)
      client.connection.resume()
      server.network.run()
      assert.equal(server.last.writable, i + 1)
      assert.equal(server.last.stream.backedUp, false)
    }
    server.last.stream.sendEnd(undefined)
    server.last.stream.flush()
    server.network.run()
    assert.ok(client.received.endsWith('\r\n0\r\n\r\n'))
  })
})
