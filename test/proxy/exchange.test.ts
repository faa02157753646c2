import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeResponseHead } from '#src/exchange/heads.ts'
import type { UpstreamFailure } from '#src/exchange/streams.ts'
import { ruleCells } from '#src/shared/rule-memory.ts'
import { ProxyHarness, sendBody } from '#test/support/proxy-harness.ts'

function inFlight(harness: ProxyHarness): number {
  return harness.services.endpoints.inFlight.reduce((sum, count) => sum + count, 0)
}

test('a request without a body goes out whole, and its answer comes back', () => {
  const harness = new ProxyHarness()
  const { exchange, client } = harness.start(harness.rule([]), { target: '/a?b' })
  assert.equal(harness.upstream.request, 'GET app.example/a?b')
  assert.equal(harness.upstream.ended, true)
  assert.equal(inFlight(harness), 1)
  harness.upstream.answer(200, 'hello', ['Server', 'secret', 'X-A', '1'])
  assert.deepEqual([client.status, client.body, client.ended], [200, 'hello', true])
  assert.deepEqual(client.fields, ['X-A', '1'])
  assert.equal(exchange.finished, true)
  assert.equal(inFlight(harness), 0)
  assert.equal(harness.services.exchanges, 0)
  // The timer is spare: the wheel drops it when it meets it.
  harness.advance(120_000)
  assert.equal(harness.services.wheel.size, 0)
})

test('in-flight falls when the response body has ended, not before', () => {
  const harness = new ProxyHarness()
  harness.start(harness.rule([]))
  const head = takeResponseHead()
  head.status = 200
  head.contentLength = 2
  harness.upstream.handler.onResponse(head, false)
  assert.equal(inFlight(harness), 1)
  const body = Buffer.from('ok')
  harness.upstream.handler.onResponseBody(body, 0, 2)
  assert.equal(inFlight(harness), 1)
  harness.upstream.handler.onResponseEnd(undefined)
  assert.equal(inFlight(harness), 0)
})

interface RetryCase {
  readonly name: string
  readonly method: string
  readonly failure: UpstreamFailure
  readonly sent: boolean
  readonly reused?: boolean
  readonly nonIdempotent?: boolean
  /** Status when the only try failed, or 0: another was made. */
  readonly status: number
}

const retryCases: readonly RetryCase[] = [
  { name: 'GET, refused', method: 'GET', failure: 'connect-refused', sent: false, status: 0 },
  { name: 'POST, refused', method: 'POST', failure: 'connect-refused', sent: false, status: 0 },
  { name: 'GET, reset', method: 'GET', failure: 'reset', sent: true, status: 0 },
  { name: 'POST, reset after sending', method: 'POST', failure: 'reset', sent: true, status: 502 },
  {
    name: 'FROB is not known as idempotent',
    method: 'FROB',
    failure: 'closed',
    sent: true,
    status: 502,
  },
  {
    name: 'POST, user vouches',
    method: 'POST',
    failure: 'reset',
    sent: true,
    nonIdempotent: true,
    status: 0,
  },
  {
    name: 'POST, stale and surely unsent',
    method: 'POST',
    failure: 'closed',
    sent: false,
    reused: true,
    status: 0,
  },
  {
    name: 'POST, stale, perhaps seen',
    method: 'POST',
    failure: 'closed',
    sent: true,
    reused: true,
    status: 502,
  },
  { name: 'malformed answer', method: 'GET', failure: 'malformed', sent: true, status: 502 },
  { name: 'head too large', method: 'GET', failure: 'head-too-large', sent: true, status: 502 },
]

for (const { name, method, failure, sent, reused, nonIdempotent, status } of retryCases) {
  test(`retry: ${name}`, () => {
    const harness = new ProxyHarness()
    const rule = harness.rule([])
    const retry = { ...rule.rule.settings.retry, nonIdempotent: nonIdempotent === true }
    const { exchange, client } = harness.start(harness.rule([], { retry }), {
      method,
      contentLength: 4,
    })
    sendBody(exchange, 'body')
    const first = harness.upstream
    first.sent = sent
    first.reused = reused === true
    first.handler.onUpstreamFailure(failure)
    assert.equal(client.status, status)
    assert.equal(harness.upstreams.length, status === 0 ? 2 : 1)
    if (status !== 0) return
    assert.equal(harness.upstream.body, 'body')
    if (reused === true) assert.equal(harness.upstream.idleMsMax, 0)
    else assert.notEqual(harness.upstream.endpoint, first.endpoint)
    harness.upstream.answer(200, 'ok')
    assert.equal(client.body, 'ok')
    assert.equal(inFlight(harness), 0)
  })
}

test('tries are bounded, by the setting and by the number of endpoints', () => {
  for (const [endpoints, triesMax, expected] of [
    [5, 3, 3],
    [2, 3, 2],
    [5, 0, 5],
    [1, 3, 1],
  ] as const) {
    const harness = new ProxyHarness(endpoints)
    const rule = harness.rule([])
    const { client } = harness.start(
      harness.rule([], { retry: { ...rule.rule.settings.retry, triesMax } }),
    )
    for (let i = 0; i < 20 && client.status === 0; i++) {
      harness.upstream.handler.onUpstreamFailure('connect-refused')
    }
    assert.equal(harness.upstreams.length, expected)
    assert.equal(new Set(harness.upstreams.map(({ endpoint }) => endpoint)).size, expected)
    assert.equal(client.status, 502)
  }
})

test('a status on the list is tried elsewhere; the last answer is passed on', () => {
  const harness = new ProxyHarness(2)
  const rule = harness.rule([])
  const retry = { ...rule.rule.settings.retry, onStatuses: [503] }
  const { client } = harness.start(harness.rule([], { retry }))
  harness.upstream.answer(503, 'first')
  assert.equal(client.status, 0)
  harness.upstream.answer(503, 'second')
  assert.deepEqual([client.status, client.body], [503, 'second'])
})

test('a body past the copy is streamed and not sent again', () => {
  const harness = new ProxyHarness()
  const { exchange, client } = harness.start(harness.rule([], { requestBuffering: false }), {
    method: 'PUT',
    contentLength: 200_000,
  })
  sendBody(exchange, 'x'.repeat(60_000), 'y'.repeat(60_000), 'z'.repeat(80_000))
  assert.equal(harness.upstream.body.length, 200_000)
  assert.equal(harness.services.replayBytes, 0)
  harness.upstream.handler.onUpstreamFailure('reset')
  assert.equal(client.status, 502)
  assert.equal(harness.upstreams.length, 1)
})

test('copies stay within the budget of the worker', () => {
  const harness = new ProxyHarness()
  const rule = harness.rule([])
  const started = Array.from({ length: 40 }, () =>
    harness.start(rule, { method: 'PUT', contentLength: 60_000 }),
  )
  for (const { exchange } of started) sendBody(exchange, 'x'.repeat(60_000))
  const { replayBytes, replayBytesMax } = harness.services
  assert.ok(replayBytes > 0 && replayBytes <= replayBytesMax, `${replayBytes} bytes`)
  for (const { body } of harness.upstreams) assert.equal(body.length, 60_000)
  for (const upstream of harness.upstreams) upstream.answer(200)
  assert.equal(harness.services.replayBytes, 0)
})

test('413: by the announced length before anything is sent, by the bytes once they are too many', () => {
  const harness = new ProxyHarness()
  const rule = harness.rule([], { bodyBytesMax: 10 })
  const announced = harness.start(rule, { method: 'POST', contentLength: 11 })
  assert.equal(announced.client.status, 413)
  assert.equal(harness.upstreams.length, 0)
  const counted = harness.start(rule, { method: 'POST', contentLength: -1 })
  sendBody(counted.exchange, '12345', '67890', '1')
  assert.equal(counted.client.status, 413)
  assert.equal(harness.upstream.resetBy, 'cancel')
  const exact = harness.start(rule, { method: 'POST', contentLength: -1 })
  sendBody(exact.exchange, '1234567890')
  harness.upstream.answer(204)
  assert.equal(exact.client.status, 204)
})

test('backpressure: each side pauses the other and wakes it again', () => {
  const harness = new ProxyHarness()
  const { exchange, client } = harness.start(harness.rule([]), {
    method: 'POST',
    contentLength: -1,
  })
  const { upstream } = harness
  const chunk = Buffer.alloc(1000)
  upstream.backedUp = true
  exchange.onRequestBody(chunk, 0, 1000)
  assert.equal(client.paused, true)
  upstream.backedUp = false
  upstream.handler.onUpstreamWritable()
  assert.equal(client.paused, false)
  exchange.onRequestEnd(undefined)
  const head = takeResponseHead()
  head.status = 200
  upstream.handler.onResponse(head, false)
  client.backedUp = true
  upstream.handler.onResponseBody(chunk, 0, 1000)
  upstream.handler.onResponseFlush()
  assert.equal(upstream.paused, true)
  // A slow reader is the client's matter: the upstream's timer does not run meanwhile.
  harness.advance(300_000)
  assert.equal(exchange.finished, false)
  client.backedUp = false
  exchange.onClientWritable()
  assert.equal(upstream.paused, false)
})

test('timeouts: connect, send and response, each with its own answer', () => {
  const quick = {
    connectTimeoutMs: 1000,
    sendTimeoutMs: 2000,
    readTimeoutMs: 3000,
  }
  for (const [kind, ms] of [
    ['connect', 1000],
    ['send', 2000],
    ['response', 3000],
  ] as const) {
    const harness = new ProxyHarness(1)
    const connector = harness.services.connector as { open: (...args: unknown[]) => unknown }
    const open = connector.open.bind(connector)
    connector.open = (...args) => {
      const upstream = open(...args) as { connected: boolean; backedUp: boolean }
      upstream.connected = kind !== 'connect'
      upstream.backedUp = kind === 'send'
      return upstream
    }
    const { client, exchange } = harness.start(harness.rule([], quick), {
      method: 'PUT',
      contentLength: 2,
    })
    sendBody(exchange, 'ab')
    harness.advance(ms - 100)
    assert.equal(client.status, 0, kind)
    harness.advance(400)
    assert.equal(client.status, 504, kind)
    assert.equal(harness.upstream.resetBy, 'cancel')
    harness.advance(100_000)
    assert.equal(harness.services.wheel.size, 0)
  }
})

test('the response timeout bounds the gap between reads', () => {
  const harness = new ProxyHarness(1)
  const { client, exchange } = harness.start(harness.rule([], { readTimeoutMs: 1000 }))
  const head = takeResponseHead()
  head.status = 200
  harness.upstream.handler.onResponse(head, false)
  harness.upstream.handler.onResponseFlush()
  for (let i = 0; i < 5; i++) {
    harness.advance(800)
    harness.upstream.handler.onResponseBody(Buffer.from('x'), 0, 1)
    harness.upstream.handler.onResponseFlush()
  }
  assert.equal(exchange.finished, false)
  harness.advance(1500)
  assert.equal(client.resetBy, 'upstream-failed')
  assert.equal(client.body, 'xxxxx')
})

test('an answer that has begun is never tried again and never looks whole', () => {
  const harness = new ProxyHarness()
  const { client } = harness.start(harness.rule([]))
  const head = takeResponseHead()
  head.status = 200
  head.contentLength = 10
  harness.upstream.handler.onResponse(head, false)
  harness.upstream.handler.onResponseBody(Buffer.from('half'), 0, 4)
  harness.upstream.handler.onUpstreamFailure('closed')
  assert.equal(harness.upstreams.length, 1)
  assert.equal(client.resetBy, 'upstream-failed')
  assert.equal(client.ended, false)
})

test('a client that goes takes its upstream with it', () => {
  const harness = new ProxyHarness()
  const { exchange } = harness.start(harness.rule([]))
  exchange.onRequestReset('cancel')
  assert.equal(harness.upstream.resetBy, 'cancel')
  assert.equal(inFlight(harness), 0)
  const { rules } = harness.services
  assert.equal(rules.cells[rules.row(1, 0, 0) + ruleCells.status], 1)
  assert.match(harness.lines[0] as string, /"status":499/)
})

test('three failures in a row eject an endpoint until its back-off is over', () => {
  const harness = new ProxyHarness(3)
  const rule = harness.rule([])
  const bad = '198.18.0.1:8080'
  const play = (count: number): number => {
    let tried = 0
    for (let i = 0; i < count; i++) {
      const { client } = harness.start(rule)
      if (harness.upstream.endpoint.name === bad) {
        tried++
        harness.upstream.handler.onUpstreamFailure('connect-refused')
      }
      harness.upstream.answer(200)
      assert.equal(client.status, 200)
    }
    return tried
  }
  assert.equal(play(30), 3)
  assert.equal(play(30), 0)
  harness.advance(5100)
  harness.backend.readmit(harness.now)
  // One more failure is enough now, and the back-off has doubled.
  assert.equal(play(30), 1)
  harness.advance(6000)
  harness.backend.readmit(harness.now)
  assert.equal(play(30), 0)
})

test('ejection never takes the last endpoint', () => {
  const harness = new ProxyHarness(2)
  const rule = harness.rule([])
  for (let i = 0; i < 10; i++) {
    harness.start(rule)
    harness.upstream.handler.onUpstreamFailure('connect-refused')
    harness.upstream.handler.onUpstreamFailure('connect-refused')
  }
  const { client } = harness.start(rule)
  harness.upstream.answer(200)
  assert.equal(client.status, 200)
})

test('a tunnel that outlives its endpoint changes no other slot', () => {
  const harness = new ProxyHarness(2)
  const { exchange, client } = harness.start(harness.rule([]), { upgrade: 'websocket' })
  const { upstream } = harness
  const head = takeResponseHead()
  head.status = 101
  head.upgrade = 'websocket'
  upstream.handler.onInterimResponse(head)
  assert.equal(client.status, 101)
  const { backend } = harness
  backend.update(
    {
      ...backend.backend,
      endpoints: backend.backend.endpoints.filter(
        (e) => `${e.address}:${e.port}` !== upstream.endpoint.name,
      ),
    },
    Int32Array.of(upstream.endpoint.slot === 1 ? 2 : 1),
  )
  assert.deepEqual(harness.released, [])
  exchange.onRequestBody(Buffer.from('ping'), 0, 4)
  assert.equal(upstream.body, 'ping')
  upstream.handler.onResponseEnd(undefined)
  exchange.onRequestEnd(undefined)
  assert.equal(exchange.finished, true)
  assert.deepEqual(harness.released, [upstream.endpoint])
  assert.equal(inFlight(harness), 0)
})

test('the log line is JSON whatever the client sends', () => {
  const harness = new ProxyHarness()
  harness.start(harness.rule([]), { target: '/"\\\u00ff\u0001', method: 'GET' })
  harness.upstream.answer(200, 'ok')
  const line = JSON.parse(harness.lines[0] as string) as Record<string, unknown>
  assert.equal(line['target'], '/"\\\u00ff\u0001')
  assert.deepEqual([line['status'], line['tries'], line['response_bytes']], [200, 1, 2])
  assert.equal(line['ingress'], 'app')
})

test('our own errors reach a gRPC client as a gRPC status', () => {
  const harness = new ProxyHarness(1)
  const { client } = harness.start(harness.rule([]), {
    method: 'POST',
    target: '/pkg.Echo/Unary',
    contentLength: 5,
    version: 20,
    fields: ['content-type', 'application/grpc+proto'],
  })
  harness.upstream.sent = true
  harness.upstream.handler.onUpstreamFailure('reset')
  assert.deepEqual([client.status, client.ended, client.body], [200, true, ''])
  assert.equal(client.fields[client.fields.indexOf('grpc-status') + 1], '14')
})
