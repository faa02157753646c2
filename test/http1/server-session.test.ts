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

  test('a client that ends before its first byte is closed at once', () => {
    const server = new ScriptedServer()
    const [client, accepted] = server.connect()
    client.connection.end()
    server.network.run()
    assert.equal(accepted.closed, true)
    assert.equal(server.context.sessions.size, 0)
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

  test('a connection that the client closes is gone with the answer', () => {
    const server = new ScriptedServer()
    const [client, accepted] = server.connect()
    server.send(client, get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    server.last.answer('ok')
    server.network.run()
    assert.equal(client.received, lastOk)
    assert.equal(client.ended, true)
    assert.equal(accepted.told, true)
    assert.equal(server.context.sessions.size, 0)
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
