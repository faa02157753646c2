import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeResponseHead } from '#src/exchange/heads.ts'
import { CONTINUE, SUSPEND } from '#src/policies/policy.ts'
import type { Phases, PolicyExchange, Suspension, Verdict } from '#src/policies/policy.ts'
import { cancelSuspended } from '#src/proxy/policy-run.ts'
import { ProxyHarness, sendBody } from '#test/support/proxy-harness.ts'

/** Asks another service first; 2xx lets the request through. */
const askFirst = asking(false)

function asking(headOnly: boolean): Phases {
  return { requestHead: (exchange) => ask(exchange, headOnly) }
}

function ask(exchange: PolicyExchange, headOnly: boolean): Verdict {
  const suspension = exchange.suspend(2000, () => {})
  exchange.subrequest({
    backend: 'auth',
    method: 'GET',
    authority: 'auth.example',
    target: '/check',
    fields: ['X-Original-Host', exchange.host],
    body: '',
    timeoutMs: 1000,
    bytesMax: 1024,
    headOnly,
    onAnswer(response, body) {
      if (response !== undefined && response.status < 300) suspension.resume()
      else suspension.reply({ status: response?.status ?? 500, body: body.latin1Slice() })
    },
  })
  return SUSPEND
}

/** Wants the body whole and refuses some. */
const inspectBody: Phases = {
  bufferRequestBody: 1000,
  requestBuffered(exchange) {
    const bad = exchange.requestBody?.includes('attack') === true
    return bad ? exchange.reply({ status: 403 }) : CONTINUE
  },
}

/** Puts a page of its own in the place of every failure. */
const replaceErrors: Phases = {
  responseHead(exchange) {
    const status = exchange.response?.status ?? 0
    if (status < 500) return CONTINUE
    return exchange.reply({ status, body: 'sorry', fields: ['X-Page', 'own'] })
  },
}

/** Changes a body on its way. */
const upperCase: Phases = {
  filterResponseBody: () => ({
    onChunk(buffer, start, end, sink) {
      sink.writeText(buffer.latin1Slice(start, end).toUpperCase())
    },
    onEnd(sink) {
      sink.writeText('.')
    },
  }),
}

test('a policy asks another service before the request goes on', () => {
  const harness = new ProxyHarness()
  const { client } = harness.start(harness.rule([askFirst]), { target: '/page' })
  assert.equal(harness.upstreams.length, 1)
  assert.equal(harness.upstream.request, 'GET auth.example/check')
  harness.upstream.answer(200)
  assert.equal(harness.upstreams.length, 2)
  assert.equal(harness.upstream.request, 'GET app.example/page')
  harness.upstream.answer(200, 'page')
  assert.equal(client.body, 'page')
  assert.equal(harness.services.exchanges, 0)
})

test('its refusal is the answer', () => {
  const harness = new ProxyHarness()
  const { client } = harness.start(harness.rule([askFirst]))
  harness.upstream.answer(401, 'who are you')
  assert.deepEqual([client.status, client.body], [401, 'who are you'])
  assert.equal(harness.upstreams.length, 1)
})

test('a sub-request that fails, or answers too much, is no answer', () => {
  const harness = new ProxyHarness(1)
  const failed = harness.start(harness.rule([askFirst]))
  harness.upstream.handler.onUpstreamFailure('connect-refused')
  assert.equal(failed.client.status, 502)
  const flooded = harness.start(harness.rule([askFirst]))
  harness.upstream.answer(200, 'x'.repeat(5000))
  assert.equal(flooded.client.status, 500)
  assert.equal(harness.services.exchanges, 0)
})

test('where the head is enough, a body that is too long is an answer, and is left', () => {
  const harness = new ProxyHarness()
  const { client } = harness.start(harness.rule([asking(true)]))
  const asked = harness.upstream
  asked.answer(200, 'x'.repeat(5000))
  assert.equal(harness.upstreams.length, 2)
  harness.upstream.answer(200, 'page')
  assert.deepEqual([client.status, client.body], [200, 'page'])
  assert.equal(harness.services.exchanges, 0)
})

test('when the client leaves, or its time is over, what was asked for it is given up', () => {
  const harness = new ProxyHarness()
  const gone = harness.start(harness.rule([askFirst]))
  assert.equal(harness.services.exchanges, 2)
  gone.exchange.onRequestReset('cancel')
  assert.equal(harness.upstream.resetBy, 'cancel')
  assert.equal(harness.services.exchanges, 0)
  const draining = harness.start(harness.rule([askFirst]))
  cancelSuspended(harness.services)
  assert.equal(draining.client.status, 503)
  assert.equal(harness.upstream.resetBy, 'cancel')
  assert.equal(harness.services.exchanges, 0)
  assert.equal(harness.upstreams.length, 2, 'and nothing goes on')
})

test('a suspended exchange holds the body back, and sends it whole afterwards', () => {
  const harness = new ProxyHarness()
  const { exchange, client } = harness.start(harness.rule([askFirst]), {
    method: 'POST',
    contentLength: 6,
  })
  exchange.onRequestBody(Buffer.from('abc'), 0, 3)
  assert.equal(client.paused, true)
  harness.upstream.answer(204)
  assert.equal(client.paused, false)
  assert.equal(harness.upstream.body, 'abc')
  sendBody(exchange, 'def')
  assert.equal(harness.upstream.body, 'abcdef')
})

test('a suspension has a deadline, and is cancelled when the client goes', () => {
  const cancelled: string[] = []
  let kept: Suspension | undefined
  const waiting: Phases = {
    requestHead(exchange) {
      kept = exchange.suspend(1000, () => cancelled.push(exchange.requestId))
      return SUSPEND
    },
  }
  const harness = new ProxyHarness()
  const late = harness.start(harness.rule([waiting]))
  harness.advance(1300)
  assert.equal(late.client.status, 504)
  assert.equal(cancelled.length, 1)
  kept?.resume()
  assert.equal(harness.upstreams.length, 0, 'what comes too late does nothing')
  const gone = harness.start(harness.rule([waiting]))
  gone.exchange.onRequestReset('cancel')
  assert.equal(cancelled.length, 2)
  assert.equal(harness.services.suspended.size, 0)
})

test('a worker that drains cancels what policies hold up', () => {
  let cancels = 0
  const waiting: Phases = {
    requestHead(exchange) {
      exchange.suspend(60_000, () => cancels++)
      return SUSPEND
    },
  }
  const harness = new ProxyHarness()
  const started = Array.from({ length: 3 }, () => harness.start(harness.rule([waiting])))
  cancelSuspended(harness.services)
  for (const { client } of started) assert.equal(client.status, 503)
  assert.deepEqual(
    [cancels, harness.services.suspended.size, harness.services.exchanges],
    [3, 0, 0],
  )
})

test('a suspension is used once', () => {
  let kept: Suspension | undefined
  const waiting: Phases = {
    requestHead(exchange) {
      kept = exchange.suspend(1000, () => {})
      return SUSPEND
    },
  }
  const harness = new ProxyHarness()
  const { client } = harness.start(harness.rule([waiting]))
  kept?.resume()
  kept?.resume()
  kept?.reply({ status: 418 })
  assert.equal(harness.upstreams.length, 1)
  harness.upstream.answer(200, 'ok')
  assert.equal(client.status, 200)
})

test('a policy gets the body whole before the upstream is asked', () => {
  const harness = new ProxyHarness()
  const good = harness.start(harness.rule([inspectBody]), { method: 'POST', contentLength: -1 })
  good.exchange.onRequestBody(Buffer.from('fine '), 0, 5)
  assert.equal(good.client.paused, false)
  assert.equal(harness.upstreams.length, 0)
  sendBody(good.exchange, 'body')
  assert.equal(harness.upstream.body, 'fine body')
  assert.equal(harness.upstream.ended, true)
  const bad = harness.start(harness.rule([inspectBody]), { method: 'POST', contentLength: -1 })
  sendBody(bad.exchange, 'an att', 'ack')
  assert.equal(bad.client.status, 403)
  assert.equal(harness.upstreams.length, 1)
  const large = harness.start(harness.rule([inspectBody]), { method: 'POST', contentLength: -1 })
  sendBody(large.exchange, 'x'.repeat(600), 'x'.repeat(600))
  assert.equal(large.client.status, 413)
})

test('a policy replaces an answer and its body, whoever made it', () => {
  const harness = new ProxyHarness(1)
  const theirs = harness.start(harness.rule([replaceErrors]))
  harness.upstream.answer(500, 'stack trace')
  assert.deepEqual([theirs.client.status, theirs.client.body], [500, 'sorry'])
  assert.ok(theirs.client.fields.includes('X-Page'))
  const ours = harness.start(harness.rule([replaceErrors]))
  harness.upstream.handler.onUpstreamFailure('connect-refused')
  assert.deepEqual([ours.client.status, ours.client.body], [502, 'sorry'])
})

test('a response phase may wait while the body is held, and then goes on', () => {
  let kept: Suspension | undefined
  const waiting: Phases = {
    responseHead(exchange) {
      kept = exchange.suspend(1000, () => {})
      return SUSPEND
    },
  }
  const harness = new ProxyHarness()
  const { client } = harness.start(harness.rule([upperCase, waiting]))
  harness.upstream.answer(200, 'body')
  assert.deepEqual([client.status, client.body], [0, ''])
  kept?.resume()
  assert.deepEqual([client.status, client.body, client.ended], [200, 'BODY.', true])
})

test('a stream is transformed under backpressure', () => {
  const harness = new ProxyHarness()
  const { client, exchange } = harness.start(harness.rule([upperCase]))
  const { upstream } = harness
  const head = takeResponseHead()
  head.status = 200
  upstream.handler.onResponse(head, false)
  let sent = ''
  for (let i = 0; i < 50; i++) {
    client.backedUp = i % 2 === 0
    const text = `chunk ${i};`
    sent += text
    upstream.handler.onResponseBody(Buffer.from(text), 0, text.length)
    assert.equal(upstream.paused, client.backedUp)
    client.backedUp = false
    exchange.onClientWritable()
    assert.equal(upstream.paused, false)
  }
  upstream.handler.onResponseEnd(undefined)
  assert.equal(client.body, `${sent.toUpperCase()}.`)
})

test('every policy hears of the end once, whatever happened', () => {
  let ends = 0
  const counting: Phases = {
    end() {
      ends++
    },
  }
  const harness = new ProxyHarness(1)
  harness.start(harness.rule([counting]))
  harness.upstream.answer(200, 'x')
  harness.start(harness.rule([counting]))
  harness.upstream.handler.onUpstreamFailure('reset')
  harness.start(harness.rule([counting])).exchange.onRequestReset('cancel')
  assert.equal(ends, 3)
})
