import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Fields } from '#src/exchange/fields.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import { ClientBench, requestHead } from './client-bench.ts'

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

describe('requests', () => {
  const cases: Record<string, [head: Partial<RequestHead>, ended: boolean, text: string]> = {
    'the least there is': [{}, true, 'GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n'],
    'POST without a body': [
      { method: 'POST' },
      true,
      'POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n',
    ],
    'a length': [
      { method: 'POST', contentLength: 5 },
      false,
      'POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n',
    ],
    chunks: [
      { method: 'POST', contentLength: -1 },
      false,
      'POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    expectation: [
      { method: 'PUT', contentLength: 5, expectContinue: true },
      false,
      'PUT /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
    ],
    'trailers are welcome': [
      { acceptsTrailers: true },
      true,
      'GET /x HTTP/1.1\r\nHost: a.test\r\nConnection: TE\r\nTE: trailers\r\n\r\n',
    ],
    upgrade: [
      { upgrade: 'websocket', acceptsTrailers: true },
      false,
      'GET /x HTTP/1.1\r\nHost: a.test\r\nConnection: TE, Upgrade\r\nTE: trailers\r\n' +
        'Upgrade: websocket\r\n\r\n',
    ],
    'OPTIONS *': [
      { method: 'OPTIONS', target: '*' },
      true,
      'OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n',
    ],
  }
  for (const [name, [head, ended, text]] of Object.entries(cases)) {
    test(name, () => {
      const bench = new ClientBench()
      bench.ask(head, ended)
      assert.equal(bench.upstream.received, text)
      assert.equal(bench.opened.writes, 1)
    })
  }

  test('a target that is none cannot make another request', () => {
    const bench = new ClientBench()
    bench.ask({ target: '/a b\r\nX: 1\r\n\r\nGET /evil#\u00e9\u0000%41' })
    const escaped = '/a%20b%0d%0aX:%201%0d%0a%0d%0aGET%20/evil%23%e9%00%41'
    assert.equal(bench.upstream.received, `GET ${escaped} HTTP/1.1\r\nHost: a.test\r\n\r\n`)
  })

  test('fields come behind Host as they are', () => {
    const bench = new ClientBench()
    const head = requestHead({})
    head.fields.append('x-A', '1')
    const stream = bench.open()
    stream.sendHead(head, true)
    stream.flush()
    bench.network.run()
    assert.equal(bench.upstream.received, 'GET /x HTTP/1.1\r\nHost: a.test\r\nx-A: 1\r\n\r\n')
  })

  test('HTTP/1.0', () => {
    const bench = new ClientBench({ version: 10 })
    bench.ask({ upgrade: 'x', acceptsTrailers: true, method: 'POST' })
    assert.equal(
      bench.upstream.received,
      'POST /x HTTP/1.0\r\nHost: a.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    )
    bench.answer('HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok')
    assert.deepEqual(bench.heard.events.slice(2), ['head 200 2 ', 'end'])
    assert.equal(bench.gone, 1)
  })

  test('HTTP/1.0 cannot take a body of unknown length', () => {
    const bench = new ClientBench({ version: 10 })
    bench.ask({ method: 'POST', contentLength: -1 }, false)
    assert.equal(bench.upstream.received, '')
    assert.deepEqual(bench.heard.events.at(-1), 'failure limit')
    assert.equal(bench.gone, 1)
  })

  test('not kept by our wish', () => {
    const bench = new ClientBench({ persistent: false })
    bench.ask()
    assert.match(bench.upstream.received, /\r\nConnection: close\r\n/)
    bench.answer(ok)
    assert.equal(bench.heard.body, 'ok')
    assert.equal(bench.idle, 0)
    assert.equal(bench.gone, 1)
    assert.equal(bench.upstream.ended, true)
  })

  test('output waits for the connection, and is said to', () => {
    const bench = new ClientBench()
    const stream = bench.open()
    stream.sendHead(requestHead({ method: 'POST', contentLength: 100_000 }), false)
    stream.flush()
    assert.equal(stream.connected, false)
    assert.equal(stream.sendData(Buffer.alloc(40_000, 'x'), 0, 40_000), false)
    assert.equal(stream.sendText('y'.repeat(30_000)), false)
    assert.equal(stream.backedUp, true)
    assert.equal(stream.sent, false)
    bench.network.run()
    assert.equal(stream.sent, true)
    assert.deepEqual(bench.heard.events, ['connected', 'writable'])
    assert.equal(stream.sendText('z'.repeat(30_000)), true)
    stream.sendEnd(undefined)
    stream.flush()
    bench.network.run()
    const body = 'x'.repeat(40_000) + 'y'.repeat(30_000) + 'z'.repeat(30_000)
    assert.ok(bench.upstream.received.endsWith(`\r\n\r\n${body}`))
  })

  test('chunks and trailers', () => {
    const bench = new ClientBench()
    bench.ask({ method: 'POST', contentLength: -1 }, false)
    const trailers = new Fields()
    trailers.append('X-Sum', '1')
    bench.stream.sendText('hello')
    bench.stream.sendEnd(trailers)
    bench.stream.flush()
    bench.network.run()
    assert.ok(bench.upstream.received.endsWith('5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'))
  })

  test('a body that is not what was declared never looks whole', () => {
    const bench = new ClientBench()
    bench.ask({ method: 'POST', contentLength: 5 }, false)
    bench.stream.sendText('he')
    bench.stream.sendEnd(undefined)
    bench.network.run()
    assert.equal(bench.upstream.closeReason, 'reset')
    assert.deepEqual(bench.heard.events.slice(2), ['failure closed'])
  })

  test('an upstream that takes nothing backs up', () => {
    const bench = new ClientBench({}, { windowBytes: 1000 })
    bench.ask({ method: 'POST', contentLength: 50_000 }, false)
    bench.upstream.connection.pause()
    assert.equal(bench.stream.sendData(Buffer.alloc(50_000), 0, 50_000), false)
    bench.network.run()
    assert.equal(bench.stream.backedUp, true)
    bench.upstream.connection.resume()
    bench.network.run()
    assert.equal(bench.stream.backedUp, false)
    assert.equal(bench.heard.events.at(-1), 'writable')
  })
})
