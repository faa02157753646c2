import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { preface } from '#src/http2/protocol.ts'
import { data, settings, settingsAck } from './support/frames.ts'
import { responseHead } from './support/heads.ts'
import { Linked } from './support/linked.ts'
import type { RecordedResponse } from './support/linked.ts'
import { randomFrame, seededDraw } from './support/random-frames.ts'
import { RawClient } from './support/raw-client.ts'
import { RawServer } from './support/raw-server.ts'
import type { RecordedRequest } from './support/recorder.ts'

const seeds = fc.integer({ min: 1, max: 2 ** 31 - 1 })

/** What a proxy would know of a client's session, and what the client got. */
function traceOf(client: RawClient): unknown {
  return {
    requests: client.recorder.requests.map((one) => ({
      method: one.method,
      target: one.target,
      fields: one.fields,
      body: one.body,
      trailers: one.trailers,
      ended: one.ended,
      reset: one.resetReason,
    })),
    rejected: client.recorder.rejected,
    goaway: client.log.codes(0),
    ended: client.ended,
    counts: [...client.environment.counts].filter(([name]) => name !== 'http2_turn_limit'),
  }
}

function runWith(bytes: Buffer, pieceBytes: number): unknown {
  const client = new RawClient({ greet: false, pieceBytes })
  client.send(bytes)
  return traceOf(client)
}

test('the same bytes mean the same, however they are cut', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 40 }), (seed, count) => {
      const draw = seededDraw(seed)
      const frames = Array.from({ length: count }, () => randomFrame(draw, 6))
      const bytes = Buffer.concat([preface, settings(), settingsAck, ...frames])
      const whole = runWith(bytes, Infinity)
      for (const pieceBytes of [1, 2, 7, 9, 64]) {
        assert.deepEqual(runWith(bytes, pieceBytes), whole)
      }
    }),
    { numRuns: 60 },
  )
})

test('random frames never break a server session, and it stays within its bounds', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const draw = seededDraw(seed)
      const client = new RawClient({ answer: draw(2) === 0 ? 'ok' : 'hold' })
      for (let i = 0; i < 200 && !client.ended; i++) {
        client.send(randomFrame(draw, 200))
        const request = client.recorder.requests[draw(client.recorder.requests.length + 1)]
        if (request !== undefined && draw(4) === 0) touch(draw, request)
        assert.ok(client.session.streamCount <= 128)
      }
      client.pass(200_000)
      assert.equal(client.session.streamCount, 0)
      assert.ok(client.recorder.requests.every((one) => one.target === '/'))
    }),
    { numRuns: 100 },
  )
})

function touch(
  draw: (below: number) => number,
  request: RawClient['recorder']['requests'][0],
): void {
  const { stream } = request
  const action = draw(6)
  if (action === 0) stream.pauseBody()
  else if (action === 1) stream.resumeBody()
  else if (action === 2) stream.reset('cancel')
  else if (action === 3) request.respond(200, 'x'.repeat(draw(100_000)))
  else if (action === 4) stream.sendText('y')
  else stream.sendEnd(undefined)
}

test('random frames never break a client session, and every exchange ends', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const draw = seededDraw(seed)
      const server = new RawServer()
      const responses = Array.from({ length: 5 }, (_, i) => server.request({ open: i % 2 === 0 }))
      for (let i = 0; i < 60 && !server.ended; i++) server.send(randomFrame(draw, 8))
      server.end.destroy()
      server.settle()
      for (const response of responses) assert.ok(response.ended || response.failure !== '')
      assert.equal(server.session.streamCount, 0)
      assert.equal(server.closed, 1)
    }),
    { numRuns: 100 },
  )
})

test('random bytes never break either session', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      const client = new RawClient()
      client.send(Buffer.from(bytes))
      client.send(data(1, 'x'))
      const server = new RawServer()
      server.request()
      server.send(Buffer.from(bytes))
    }),
    { numRuns: 300 },
  )
})

interface Exchange {
  readonly body: number | undefined
  readonly answer: number
  readonly pauses: boolean
}

function upload(linked: Linked, request: RecordedRequest, { body, pauses }: Exchange): void {
  if (pauses) request.stream.pauseBody()
  linked.settle()
  request.stream.resumeBody()
  linked.settle()
  assert.equal(request.body.length, body ?? 0)
  assert.equal(request.ended, true)
}

// oxlint-disable-next-line max-params -- a step of the one property below
function download(
  linked: Linked,
  request: RecordedRequest,
  response: RecordedResponse,
  { answer, pauses }: Exchange,
): void {
  if (pauses) response.stream.pauseBody()
  request.stream.sendHead(responseHead(200), false)
  request.stream.sendText('a'.repeat(answer))
  request.stream.sendEnd(undefined)
  request.stream.flush()
  linked.settle()
  response.stream.resumeBody()
}

const exchange = fc.record({
  body: fc.option(fc.integer({ min: 0, max: 200_000 }), { nil: undefined }),
  answer: fc.integer({ min: 0, max: 200_000 }),
  pauses: fc.boolean(),
})

test('bodies of any size arrive whole on many streams, paused or not', () => {
  fc.assert(
    fc.property(
      fc.array(exchange, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(1000, 70_000, Infinity),
      fc.constantFrom(300, 20_000, 200_000),
      (exchanges, capacity, window) => {
        const windows = { streamWindowBytes: window, streamWindowBytesMax: window * 2 }
        const linked = new Linked({ answer: 'hold', server: windows, client: windows })
        linked.clientEnd.capacity = capacity
        linked.serverEnd.capacity = capacity
        const responses = exchanges.map(({ body }) =>
          linked.request({
            method: 'POST',
            ...(body === undefined ? {} : { body: 'b'.repeat(body) }),
          }),
        )
        linked.settle()
        for (const [i, one] of exchanges.entries()) {
          const request = linked.recorder.requests[i] as RecordedRequest
          upload(linked, request, one)
          download(linked, request, responses[i] as RecordedResponse, one)
        }
        linked.settle()
        for (const [i, response] of responses.entries()) {
          assert.equal(response.body.length, exchanges[i]?.answer)
          assert.equal(response.ended, true)
        }
        assert.equal(linked.client.streamCount + linked.server.streamCount, 0)
      },
    ),
    { numRuns: 60 },
  )
})
