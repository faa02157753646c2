import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Fields } from '#src/exchange/fields.ts'
import { ScriptedServer, responseHead } from './scripted.ts'

const date = 'Date: Fri, 06 Nov 2026 08:50:00 GMT\r\n'
const get = 'GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n'
const post = 'POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n'
const chunkedPost = 'POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n'
const ok = `HTTP/1.1 200 OK\r\n${date}Content-Length: 2\r\n\r\nok`
const lastOk = `HTTP/1.1 200 OK\r\n${date}Content-Length: 2\r\nConnection: close\r\n\r\nok`

describe('one exchange', () => {
  test('a request comes whole, its answer leaves in one write, the connection stays', () => {
    const server = new ScriptedServer()
    const [client, accepted] = server.connect()
    server.send(client, get)
    assert.equal(server.last.line, 'GET a.test/x 11')
    assert.equal(server.last.end, 'none')
    assert.equal(server.last.flushes, 1)
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, ok)
    assert.equal(accepted.writes, 1)
    server.send(client, get)
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, ok + ok)
    assert.equal(client.closed, false)
  })

  test('nothing leaves before the flush', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, get)
    const { stream } = server.last
    stream.sendHead(responseHead(200), false)
    stream.sendText('ab')
    server.network.run()
    assert.equal(client.received, '')
    stream.flush()
    server.network.run()
    assert.equal(
      client.received,
      `HTTP/1.1 200 OK\r\n${date}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`,
    )
    stream.sendText('')
    stream.sendText('c')
    stream.sendEnd(undefined)
    stream.flush()
    server.network.run()
    assert.match(client.received, /\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n$/)
  })

  test('a large piece takes the head along and is not copied into it', () => {
    const server = new ScriptedServer()
    const [client, accepted] = server.connect()
    server.send(client, get)
    const head = responseHead(200)
    head.contentLength = 100_000
    server.last.stream.sendHead(head, false)
    server.last.stream.sendData(Buffer.alloc(100_000, 'x'), 0, 100_000)
    assert.equal(accepted.writes, 1)
    server.last.stream.sendEnd(undefined)
    server.last.stream.flush()
    server.network.run()
    assert.equal(accepted.writes, 1)
    assert.ok(client.received.endsWith(`\r\n\r\n${'x'.repeat(100_000)}`))
  })

  test('a body with a length, and one in chunks with trailers', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, `${post}hel`)
    assert.equal(server.last.body, 'hel')
    assert.equal(server.last.end, '')
    server.send(client, 'lo')
    assert.equal(server.last.body, 'hello')
    assert.equal(server.last.end, 'ended')
    server.last.answer('ok')
    server.send(client, `${chunkedPost}5;x\r\nhello\r\n0\r\nX-Sum: 1\r\nHost: b.test\r\n\r\n`)
    assert.equal(server.last.contentLength, -1)
    assert.equal(server.last.body, 'hello')
    assert.equal(server.last.end, 'ended X-Sum|1')
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, ok + ok)
  })

  test('trailers of a response', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, get)
    const trailers = new Fields()
    trailers.append('X-Sum', '1')
    server.last.stream.sendHead(responseHead(200, ['Trailer', 'X-Sum']), false)
    server.last.stream.sendText('a')
    server.last.stream.sendEnd(trailers)
    server.last.stream.flush()
    server.network.run()
    assert.ok(client.received.endsWith('1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n'))
  })

  test('a Date of the upstream stays the only one', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, get)
    server.last.answer('', 200, ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'])
    server.network.run()
    assert.equal(
      client.received,
      'HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n',
    )
  })

  for (const [method, status, length, lines] of [
    ['HEAD', 200, 12, 'Content-Length: 12\r\n'],
    ['HEAD', 200, -1, ''],
    ['GET', 304, 12, 'Content-Length: 12\r\n'],
    ['GET', 304, -1, ''],
    ['GET', 204, 12, ''],
    ['GET', 205, -1, 'Content-Length: 0\r\n'],
  ] as const) {
    test(`no body: ${method} ${status} ${length}`, () => {
      const server = new ScriptedServer()
      const client = server.client()
      server.send(client, get.replace('GET', method))
      const head = responseHead(status)
      head.contentLength = length
      server.last.stream.sendHead(head, true)
      server.last.stream.flush()
      server.network.run()
      assert.equal(client.received.replace(/^.*\r\n/, ''), `${date}${lines}\r\n`)
      assert.equal(client.closed, false)
    })
  }

  test('what is sent of a body to HEAD goes nowhere', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, get.replace('GET', 'HEAD'))
    server.last.answer('abc')
    server.send(client, get)
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, `HTTP/1.1 200 OK\r\n${date}Content-Length: 3\r\n\r\n${ok}`)
  })
})

describe('keeping and closing', () => {
  for (const [name, lines, version, wanted] of [
    ['Connection: close', 'Connection: close\r\n', '1.1', 'Connection: close'],
    ['HTTP/1.0', '', '1.0', 'Connection: close'],
    ['HTTP/1.0 that keeps', 'Connection: keep-alive\r\n', '1.0', 'Connection: keep-alive'],
  ] as const) {
    test(name, () => {
      const server = new ScriptedServer()
      const client = server.client()
      server.send(client, `GET / HTTP/${version}\r\nHost: a.test\r\n${lines}\r\n`)
      server.last.answer('ok')
      server.network.run()
      assert.equal(
        client.received,
        `HTTP/1.1 200 OK\r\n${date}Content-Length: 2\r\n${wanted}\r\n\r\nok`,
      )
      assert.equal(client.ended, wanted === 'Connection: close')
    })
  }

  test('the last request that a connection may carry', () => {
    const server = new ScriptedServer({ keepAliveRequests: 2 })
    const client = server.client()
    server.onHeard = (request) => request.answer('ok')
    server.send(client, get + get + get)
    assert.equal(client.received, ok + lastOk)
    assert.equal(server.requests.length, 2)
    assert.equal(client.ended, true)
  })

  test('no keep-alive at all', () => {
    const server = new ScriptedServer({ keepAliveTimeoutMs: 0 })
    const client = server.client()
    server.onHeard = (request) => request.answer('ok')
    server.send(client, get)
    assert.equal(client.received, lastOk)
  })

  test('a body without length to a client of HTTP/1.0 ends with the connection', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    assert.equal(server.last.line, 'GET / 10')
    server.last.answer(undefined)
    server.last.stream.sendText('abc')
    server.last.stream.sendEnd(undefined)
    server.last.stream.flush()
    server.network.run()
    assert.equal(client.received, `HTTP/1.1 200 OK\r\n${date}Connection: close\r\n\r\nabc`)
    assert.equal(client.ended, true)
    assert.equal(client.closeReason, undefined)
  })

  test('cut, it ends with a reset', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, 'GET / HTTP/1.0\r\n\r\n')
    server.last.answer(undefined)
    server.last.stream.sendText('abc')
    server.last.stream.flush()
    server.last.stream.reset('upstream-failed')
    server.network.run()
    assert.equal(client.ended, false)
    assert.equal(client.closeReason, 'reset')
    assert.equal(server.context.sessions.size, 0)
  })

  test('a body that is not what was declared is cut, and surplus never leaves', () => {
    for (const body of ['a', 'abcd']) {
      const server = new ScriptedServer()
      const client = server.client()
      server.send(client, get)
      const head = responseHead(200)
      head.contentLength = 3
      server.last.stream.sendHead(head, false)
      server.last.stream.sendText(body)
      server.last.stream.flush()
      server.last.stream.sendEnd(undefined)
      server.last.stream.flush()
      server.network.run()
      assert.ok(client.received.endsWith(`\r\n\r\n${body.slice(0, 3)}`))
      assert.equal(client.closeReason, 'reset')
    }
  })

  test('a client that leaves before its answer is told about', () => {
    const server = new ScriptedServer()
    for (const leave of ['end', 'reset', 'destroy'] as const) {
      const client = server.client()
      server.send(client, get)
      client.connection[leave]()
      server.network.run()
      assert.equal(server.last.end, 'reset cancel')
      server.last.answer('ok')
      server.network.run()
      assert.equal(client.received, '')
    }
    assert.equal(server.context.sessions.size, 0)
  })

  test('a client that leaves amid its body is told about', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, `${post}he`)
    client.connection.end()
    server.network.run()
    assert.equal(server.last.end, 'reset cancel')
    assert.equal(server.context.sessions.size, 0)
  })

  test('calls outside of an exchange do nothing', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.send(client, get)
    const { stream } = server.last
    server.last.answer('ok')
    stream.sendHead(responseHead(500), true)
    stream.sendInterim(responseHead(103))
    assert.equal(stream.sendText('x'), true)
    assert.equal(stream.sendData(Buffer.from('x'), 0, 1), true)
    stream.sendEnd(undefined)
    stream.pauseBody()
    stream.reset('internal')
    stream.flush()
    server.send(client, get)
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, ok + ok)
  })
})

describe('pipelining', () => {
  test('requests are served one after the other, in order', () => {
    const server = new ScriptedServer()
    const [client, accepted] = server.connect()
    server.send(client, `${get.replace('/x', '/1')}${post}hello${get.replace('/x', '/3')}`)
    assert.equal(server.requests.length, 1)
    assert.equal(accepted.reading, false)
    server.last.answer('ok')
    assert.equal(server.requests.length, 2)
    assert.equal(server.last.body, 'hello')
    assert.equal(accepted.reading, false)
    server.last.answer('ok')
    assert.equal(server.requests.length, 3)
    server.network.run()
    assert.equal(accepted.reading, true)
    assert.equal(client.received, ok + ok)
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, ok + ok + ok)
  })

  test('answers given at once leave together, and their number does not matter', () => {
    const server = new ScriptedServer({ keepAliveRequests: 10_000 })
    const [client, accepted] = server.connect()
    server.onHeard = (request) => request.answer('ok')
    server.send(client, get.repeat(100))
    assert.equal(client.received, ok.repeat(100))
    assert.ok(accepted.writes < 100)
    server.send(client, get.repeat(1500))
    assert.equal(client.received, ok.repeat(1600))
  })

  test('answers given after each flush do not pile up calls', () => {
    const server = new ScriptedServer({ keepAliveRequests: 10_000 })
    const client = server.client()
    server.onHeard = (request) => {
      request.onRequestFlush = () => request.answer('ok')
    }
    server.send(client, get.repeat(1500))
    assert.equal(client.received, ok.repeat(1500))
  })

  test('a client that takes no answers gets no more requests served', () => {
    const server = new ScriptedServer({ keepAliveRequests: 10_000 }, { windowBytes: 4096 })
    const client = server.client()
    client.connection.pause()
    server.onHeard = (request) => request.answer('x'.repeat(1000))
    for (let i = 0; i < 100; i++) server.send(client, get)
    assert.ok(server.requests.length < 30, `${server.requests.length} requests served`)
    client.connection.resume()
    server.network.run()
    assert.equal(server.requests.length, 100)
  })

  test('bytes behind a request that closes are not read', () => {
    const server = new ScriptedServer()
    const client = server.client()
    server.onHeard = (request) => request.answer('ok')
    server.send(client, `${get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}${get}`)
    assert.equal(server.requests.length, 1)
    assert.equal(client.received, lastOk)
  })
})

describe('refusals', () => {
  const refusal = (status: string, code: string, lines = ''): string =>
    `HTTP/1.1 ${status}\r\n${date}${lines}Content-Type: text/plain\r\n` +
    `Content-Length: ${code.length + 1}\r\nConnection: close\r\n\r\n${code}\n`

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

  function switchProtocols(server: ScriptedServer): void {
    const head = responseHead(101, ['Sec-WebSocket-Accept', 'x'])
    head.upgrade = 'websocket'
    server.last.stream.sendHead(head, false)
    server.last.stream.flush()
  }

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
    const [idle, busy, fresh, late] = [server, server, server, server].map((it) => it.client())
    server.send(idle as never, get)
    server.last.answer('ok')
    server.send(busy as never, get)
    server.context.shutdown()
    server.network.run()
    assert.equal(idle?.ended, true)
    assert.equal(busy?.ended, false)
    server.last.answer('ok')
    server.network.run()
    assert.equal(busy?.received, lastOk)
    assert.equal(busy?.ended, true)
    server.send(fresh as never, get)
    server.last.answer('ok')
    server.network.run()
    assert.equal(fresh?.received, lastOk)
    assert.equal(late?.ended, false)
    server.pass(2500)
    assert.equal(late?.ended, true)
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
