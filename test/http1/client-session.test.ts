import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Http1ClientSession } from '#src/http1/client-session.ts'
import type { CloseReason } from '#src/transport/transport.ts'
import { MemoryNetwork } from '#test/support/memory-connection.ts'
import { ClientBench, requestHead } from './client-bench.ts'
import { clientOptions } from './relay.ts'
import type { Recorder } from './relay.ts'
import { HeardResponse } from './scripted.ts'

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

describe('responses', () => {
  const cases: Record<
    string,
    [text: string, events: readonly string[], body: string, kept: boolean]
  > = {
    'a length': [ok, ['head 200 2 ', 'end'], 'ok', true],
    'no body': [
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: 1\r\n\r\n',
      ['head 200 0 X|1 ended'],
      '',
      true,
    ],
    '204': ['HTTP/1.1 204 No Content\r\n\r\n', ['head 204 0  ended'], '', true],
    'chunks and trailers': [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
      ['head 200 -1 ', 'end X-Sum|1'],
      'ok',
      true,
    ],
    'interim ones': [
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nLink: x\r\n\r\n${ok}`,
      ['interim 100 ', 'interim 103 Link|x', 'head 200 2 ', 'end'],
      'ok',
      true,
    ],
    close: [
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
      ['head 200 2 ', 'end'],
      'ok',
      false,
    ],
    surplus: [`${ok}more`, ['head 200 2 ', 'end'], 'ok', false],
    'surplus behind no body': [
      'HTTP/1.1 304 X\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
      ['head 304 -1  ended'],
      '',
      false,
    ],
    'surplus that is an answer': [ok + ok, ['head 200 2 ', 'end'], 'ok', false],
    garbage: ['garbage\r\n\r\n', ['failure malformed'], '', false],
    'a bad body': [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nx',
      ['head 200 -1 ', 'failure malformed'],
      'ok',
      false,
    ],
    'a large head': [
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      ['failure head-too-large'],
      '',
      false,
    ],
    'interim ones without end': [
      'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17),
      [...Array.from({ length: 16 }, () => 'interim 100 '), 'failure malformed'],
      '',
      false,
    ],
    '101 that nobody asked for': [
      'HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\nraw',
      ['failure malformed'],
      '',
      false,
    ],
  }
  for (const [name, [text, events, body, kept]] of Object.entries(cases)) {
    for (const readBytes of [64 * 1024, 1]) {
      test(`${name}, ${readBytes} a read`, () => {
        const bench = new ClientBench({}, { readBytes })
        bench.ask()
        assert.deepEqual(bench.heard.events, ['connected', 'writable'])
        bench.answer(text)
        assert.deepEqual(bench.heard.events.slice(2), events)
        assert.equal(bench.heard.body, body)
        assert.equal(bench.gone, kept ? 0 : 1)
        if (kept) assert.equal(bench.idle, 1)
        assert.equal(bench.session.idle, kept)
      })
    }
  }

  test('HEAD has no body', () => {
    const bench = new ClientBench()
    bench.ask({ method: 'HEAD' })
    bench.answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n')
    assert.deepEqual(bench.heard.events.slice(2), ['head 200 2  ended'])
    assert.equal(bench.session.idle, true)
  })

  test('a body that ends with the connection', () => {
    for (const end of ['end', 'reset'] as const) {
      const bench = new ClientBench()
      bench.ask()
      bench.answer('HTTP/1.1 200 OK\r\n\r\nwhole')
      bench.upstream.connection[end]()
      bench.network.run()
      assert.equal(bench.heard.body, 'whole')
      const last = end === 'end' ? 'end' : 'failure reset'
      assert.deepEqual(bench.heard.events.slice(2), ['head 200 -1 ', last])
      assert.equal(bench.gone, 1)
    }
  })

  test('a cut body', () => {
    for (const head of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
      for (const [end, failure] of [
        ['end', 'closed'],
        ['reset', 'reset'],
      ] as const) {
        const bench = new ClientBench()
        bench.ask()
        bench.answer(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n2\r\nok\r\n`)
        bench.upstream.connection[end]()
        bench.network.run()
        assert.equal(bench.heard.events.at(-1), `failure ${failure}`)
      }
    }
  })

  test('a stopped response stops the upstream', () => {
    const bench = new ClientBench({}, { readBytes: 1000 })
    bench.ask()
    bench.heard.onResponseBody = () => bench.stream.pauseBody()
    bench.answer(`HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(5000)}`)
    assert.equal(bench.opened.reading, false)
    assert.ok(bench.opened.unread > 3000)
    delete (bench.heard as Partial<HeardResponse>).onResponseBody
    bench.stream.resumeBody()
    bench.network.run()
    assert.equal(bench.heard.events.at(-1), 'end')
  })

  test('a long body is read into a buffer of its own, while it lasts', () => {
    const bench = new ClientBench()
    bench.ask()
    bench.answer('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')
    assert.equal(bench.opened.bulk, true)
    bench.answer('x'.repeat(100_000))
    assert.equal(bench.opened.bulk, false)
    assert.equal(bench.session.idle, true)
  })

  test('each batch of events is followed by a flush', () => {
    const bench = new ClientBench()
    bench.ask()
    bench.answer('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok')
    assert.equal(bench.heard.flushes, 1)
    bench.answer('ok')
    assert.equal(bench.heard.flushes, 2)
  })
})

describe('using a connection again', () => {
  test('both directions must have ended', () => {
    const bench = new ClientBench()
    bench.ask({ method: 'POST', contentLength: 5 }, false)
    bench.answer(ok)
    assert.deepEqual(bench.heard.events.slice(2), ['head 200 2 ', 'end'])
    assert.equal(bench.gone, 1)
    assert.equal(bench.stream.sendText('hello'), true)
    bench.stream.sendEnd(undefined)
    bench.stream.flush()
    bench.network.run()
    assert.ok(!bench.upstream.received.includes('hello'))
  })

  test('the second exchange says that the connection is an old one', () => {
    const bench = new ClientBench()
    bench.ask()
    assert.equal(bench.stream.reused, false)
    bench.answer(ok)
    bench.ask({ target: '/y' })
    assert.equal(bench.stream.reused, true)
    assert.deepEqual(bench.heard.events, [])
    bench.answer(ok)
    assert.deepEqual(bench.heard.events, ['head 200 2 ', 'end'])
    assert.equal(bench.session.exchanges, 2)
  })

  test('it is idle before the end is told, so that what follows may use it', () => {
    const bench = new ClientBench()
    bench.ask()
    const second = new HeardResponse()
    bench.heard.onResponseEnd = () => {
      const next = bench.session.open(second)
      next.sendHead(requestHead({ target: '/y' }), true)
      next.flush()
      // Whoever still has the first exchange can do nothing to the second.
      bench.stream.pauseBody()
      bench.stream.sendText('x')
      bench.stream.flush()
      bench.stream.reset('cancel')
    }
    bench.answer(ok)
    assert.match(bench.upstream.received, /GET \/y HTTP/)
    bench.answer(ok)
    assert.equal(second.body, 'ok')
    assert.deepEqual(second.events, ['head 200 2 ', 'end'])
  })

  for (const [name, act] of [
    ['a byte', (upstream: Recorder) => void upstream.connection.writeText('x')],
    ['an answer', (upstream: Recorder) => void upstream.connection.writeText(ok)],
    ['an end', (upstream: Recorder) => upstream.connection.end()],
    ['a reset', (upstream: Recorder) => upstream.connection.reset()],
  ] as const) {
    test(`${name} while idle ends it`, () => {
      const bench = new ClientBench()
      bench.ask()
      bench.answer(ok)
      assert.equal(bench.session.idle, true)
      const { events } = bench.heard
      const before = events.length
      act(bench.upstream)
      bench.network.run()
      assert.equal(bench.session.idle, false)
      assert.equal(bench.gone, 1)
      assert.equal(events.length, before)
    })
  }

  test('an answer to no question is not taken for the answer to the next', () => {
    const bench = new ClientBench()
    bench.ask()
    bench.answer(ok)
    bench.upstream.connection.writeText(ok)
    bench.open().sendHead(requestHead({}), true)
    bench.network.run()
    assert.deepEqual(bench.heard.events, ['failure closed'])
    assert.equal(bench.stream.sent, false)
  })
})

describe('failures', () => {
  for (const [reason, failure] of [
    ['refused', 'connect-refused'],
    ['unreachable', 'connect-refused'],
    ['reset', 'connect-refused'],
    ['error', 'connect-refused'],
    ['timeout', 'connect-timeout'],
    ['tls', 'tls-failed'],
  ] as const satisfies readonly (readonly [CloseReason, string])[]) {
    test(`connecting: ${reason}`, () => {
      const network = new MemoryNetwork()
      let gone = 0
      const owner = { onIdle: () => undefined, onGone: () => void gone++ }
      const session = new Http1ClientSession(owner, clientOptions)
      const heard = new HeardResponse()
      session.attach(network.failToConnect(session, reason))
      const stream = session.open(heard)
      stream.sendHead(requestHead({}), true)
      stream.flush()
      network.run()
      assert.deepEqual(heard.events, [`failure ${failure}`])
      assert.equal(stream.sent, false)
      assert.equal(gone, 1)
    })
  }

  for (const [end, failure] of [
    ['end', 'closed'],
    ['destroy', 'closed'],
    ['reset', 'reset'],
  ] as const) {
    test(`before an answer: ${end}`, () => {
      const bench = new ClientBench()
      bench.ask()
      bench.upstream.connection[end]()
      bench.network.run()
      assert.deepEqual(bench.heard.events.slice(2), [`failure ${failure}`])
      assert.equal(bench.stream.sent, true)
      assert.equal(bench.gone, 1)
    })
  }

  test('after a reset of ours nothing is heard', () => {
    const bench = new ClientBench()
    bench.ask()
    bench.upstream.connection.writeText(ok)
    bench.stream.reset('cancel')
    bench.network.run()
    assert.deepEqual(bench.heard.events, ['connected', 'writable'])
    assert.equal(bench.heard.flushes, 0)
    assert.equal(bench.gone, 1)
    assert.equal(bench.upstream.closeReason, 'reset')
  })

  test('a reset while connecting', () => {
    const bench = new ClientBench()
    bench.open().sendHead(requestHead({}), true)
    bench.stream.reset('cancel')
    bench.network.run()
    assert.deepEqual(bench.heard.events, [])
    assert.equal(bench.gone, 1)
  })

  test('a reset amid a batch', () => {
    const bench = new ClientBench()
    bench.ask()
    bench.heard.onResponse = () => bench.stream.reset('cancel')
    bench.answer(ok)
    assert.deepEqual(bench.heard.events, ['connected', 'writable'])
    assert.equal(bench.heard.body, '')
    assert.equal(bench.gone, 1)
  })
})

describe('upgrade', () => {
  const switched = 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n'

  test('bytes pass both ways, each direction ends by itself', () => {
    for (const ended of [true, false]) {
      const bench = new ClientBench()
      bench.ask({ upgrade: 'websocket' }, ended)
      const before = bench.upstream.received.length
      bench.answer(`${switched}early`)
      assert.deepEqual(bench.heard.events.slice(2), ['head 101 0 '])
      assert.equal(bench.heard.body, 'early')
      bench.stream.sendText('hi')
      bench.stream.flush()
      bench.network.run()
      assert.equal(bench.upstream.received.slice(before), 'hi')
      bench.upstream.connection.end()
      bench.network.run()
      assert.equal(bench.heard.events.at(-1), 'end')
      bench.stream.sendText(' there')
      bench.stream.sendEnd(undefined)
      bench.network.run()
      assert.equal(bench.upstream.received.slice(before), 'hi there')
      assert.equal(bench.upstream.ended, true)
      assert.equal(bench.gone, 1)
      assert.equal(bench.idle, 0)
    }
  })

  test('the proxy may end first', () => {
    const bench = new ClientBench()
    bench.ask({ upgrade: 'websocket' }, false)
    bench.answer(switched)
    bench.stream.sendEnd(undefined)
    bench.network.run()
    assert.equal(bench.upstream.ended, true)
    bench.answer('still here')
    assert.equal(bench.heard.body, 'still here')
    bench.upstream.connection.end()
    bench.network.run()
    assert.equal(bench.heard.events.at(-1), 'end')
    assert.equal(bench.gone, 1)
  })

  test('a reset of the upstream', () => {
    const bench = new ClientBench()
    bench.ask({ upgrade: 'websocket' }, false)
    bench.answer(switched)
    bench.upstream.connection.reset()
    bench.network.run()
    assert.equal(bench.heard.events.at(-1), 'failure reset')
  })

  test('refused, it is an exchange like any other, on a connection that is not kept', () => {
    const bench = new ClientBench()
    bench.ask({ upgrade: 'websocket' }, false)
    bench.answer(ok)
    assert.deepEqual(bench.heard.events.slice(2), ['head 200 2 ', 'end'])
    assert.equal(bench.gone, 1)
  })
})
