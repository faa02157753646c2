import assert from 'node:assert/strict'
import test from 'node:test'
import type { Http2Counter } from '#src/http2/counters.ts'
import type { Http2Limits } from '#src/http2/limits.ts'
import { flag, frameType } from '#src/http2/protocol.ts'
import {
  data,
  frame,
  get,
  headers,
  literals,
  post,
  reset,
  settings,
  windowUpdate,
} from './support/frames.ts'
import { Linked } from './support/linked.ts'
import { RawClient } from './support/raw-client.ts'

const { endHeaders, endStream } = flag

function times(count: number, one: (i: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => one(i)))
}

const stream = (i: number): number => i * 2 + 1
const openPost = (id: number): Buffer => headers(id, post, endHeaders)
const ping = frame(frameType.ping, 0, 0, '0000000000000000')

interface Flood {
  readonly name: string
  readonly counter: Http2Counter
  readonly bytes: () => Buffer
  readonly answer?: 'ok' | 'hold'
  /** Requests that may reach an upstream at most. */
  readonly requestsMax?: number
  readonly code?: number
}

const floods: readonly Flood[] = [
  {
    name: 'rapid reset (CVE-2023-44487)',
    counter: 'http2_rapid_reset',
    answer: 'hold',
    requestsMax: 200,
    bytes: () => times(20_000, (i) => Buffer.concat([headers(stream(i), get), reset(stream(i))])),
  },
  {
    name: 'resets induced by WINDOW_UPDATE 0 (CVE-2025-8671)',
    counter: 'http2_stream_errors',
    answer: 'hold',
    requestsMax: 200,
    bytes: () =>
      times(20_000, (i) => Buffer.concat([openPost(stream(i)), windowUpdate(stream(i), 0)])),
  },
  {
    name: 'resets induced by DATA behind the end',
    counter: 'http2_stream_errors',
    answer: 'hold',
    requestsMax: 200,
    bytes: () =>
      times(20_000, (i) => Buffer.concat([headers(stream(i), get), data(stream(i), 'x')])),
  },
  {
    name: 'resets induced by self-dependency',
    counter: 'http2_stream_errors',
    answer: 'hold',
    requestsMax: 200,
    bytes: () =>
      times(20_000, (i) => {
        const self = Buffer.alloc(5)
        self.writeUInt32BE(stream(i))
        return Buffer.concat([
          headers(stream(i), get),
          frame(frameType.priority, 0, stream(i), self),
        ])
      }),
  },
  {
    name: 'malformed requests',
    counter: 'http2_stream_errors',
    requestsMax: 0,
    bytes: () => times(20_000, (i) => headers(stream(i), [...get, ['connection', 'x']])),
  },
  {
    name: 'requests too large',
    counter: 'http2_stream_errors',
    requestsMax: 0,
    bytes: () =>
      times(2000, (i) =>
        headers(stream(i), [...get, ...Array.from({ length: 130 }, () => ['x', 'y'] as const)]),
      ),
  },
  {
    name: 'streams above the limit',
    counter: 'http2_stream_errors',
    answer: 'hold',
    requestsMax: 128,
    bytes: () => times(20_000, (i) => headers(stream(i), get)),
  },
  {
    name: 'CONTINUATION without end (CVE-2024-27316)',
    counter: 'http2_continuation_flood',
    bytes: () =>
      Buffer.concat([
        headers(1, get, endStream),
        times(5000, () => frame(frameType.continuation, 0, 1, literals([['x', 'y'.repeat(100)]]))),
      ]),
  },
  {
    name: 'empty CONTINUATION (CVE-2024-28182)',
    counter: 'http2_continuation_flood',
    bytes: () =>
      Buffer.concat([
        headers(1, get, endStream),
        times(20_000, () => frame(frameType.continuation, 0, 1)),
      ]),
  },
  {
    name: 'CONTINUATION of full size',
    counter: 'http2_continuation_flood',
    bytes: () =>
      Buffer.concat([
        headers(1, get, endStream),
        times(20, () => frame(frameType.continuation, 0, 1, Buffer.alloc(16_384))),
      ]),
  },
  {
    name: 'PING (CVE-2019-9512)',
    counter: 'http2_ping_flood',
    bytes: () => times(20_000, () => ping),
  },
  {
    name: 'answers to no PING',
    counter: 'http2_ping_flood',
    bytes: () => times(20_000, () => frame(frameType.ping, flag.ack, 0, '0000000000000000')),
  },
  {
    name: 'SETTINGS (CVE-2019-9515)',
    counter: 'http2_settings_flood',
    bytes: () => times(20_000, () => settings()),
  },
  {
    name: 'SETTINGS that move all windows',
    counter: 'http2_settings_flood',
    bytes: () => times(20_000, (i) => settings([4, i])),
  },
  {
    name: 'SETTINGS with very many entries',
    counter: 'http2_settings_flood',
    bytes: () => settings(...Array.from({ length: 2000 }, () => [3, 1] as const)),
  },
  {
    name: 'acknowledgements of nothing',
    counter: 'http2_settings_flood',
    bytes: () => times(20_000, () => frame(frameType.settings, flag.ack, 0)),
  },
  {
    name: 'PRIORITY',
    counter: 'http2_priority_flood',
    bytes: () => times(20_000, (i) => frame(frameType.priority, 0, stream(i % 50), '0000000010')),
  },
  {
    name: 'frames of unknown types',
    counter: 'http2_unknown_frame_flood',
    bytes: () => times(20_000, (i) => frame(0x10 + (i % 200), 0, 0)),
  },
  {
    name: 'RST_STREAM on closed streams (CVE-2019-9514)',
    counter: 'http2_reset_flood',
    bytes: () => Buffer.concat([headers(1, get), times(20_000, () => reset(1))]),
  },
  {
    name: 'empty DATA (CVE-2019-9518)',
    counter: 'http2_empty_frame_flood',
    bytes: () => Buffer.concat([openPost(1), times(20_000, () => data(1, '', 0))]),
  },
  {
    name: 'DATA of padding alone',
    counter: 'http2_empty_frame_flood',
    bytes: () =>
      Buffer.concat([
        openPost(1),
        times(20_000, () => frame(frameType.data, flag.padded, 1, '0100')),
      ]),
  },
  {
    name: 'WINDOW_UPDATE for the connection',
    counter: 'http2_window_flood',
    bytes: () => times(20_000, () => windowUpdate(0, 1)),
  },
  {
    name: 'WINDOW_UPDATE for a stream',
    counter: 'http2_window_flood',
    answer: 'hold',
    bytes: () => Buffer.concat([headers(1, get), times(20_000, () => windowUpdate(1, 1))]),
  },
]

for (const { name, counter, bytes, answer, requestsMax, code } of floods) {
  test(`flood: ${name}`, () => {
    const all = bytes()
    const client = new RawClient({ answer: answer ?? 'ok' })
    const cpu = process.cpuUsage()
    const memory = process.memoryUsage().rss
    client.send(all)
    const { user, system } = process.cpuUsage(cpu)
    assert.ok((user + system) / 1000 < 1500, `${(user + system) / 1000} ms`)
    assert.ok(process.memoryUsage().rss - memory < 32 * 1024 * 1024)
    assert.ok(client.ended, 'the connection ends')
    assert.equal(client.environment.count(counter), 1)
    assert.deepEqual(client.log.codes(0), [code ?? 11])
    if (requestsMax !== undefined) assert.ok(client.recorder.requests.length <= requestsMax)
    assert.ok(client.recorder.requests.every((one) => one.ended || one.resetReason !== ''))
  })
}

test('a busy client that cancels half of what it asks is left alone', () => {
  const client = new RawClient({ answer: 'hold' })
  for (let i = 0; i < 3000; i++) {
    client.send(headers(stream(i), get))
    if (i % 2 === 0) client.send(reset(stream(i)))
    else client.recorder.requests.at(-1)?.respond(200, 'ok')
  }
  client.settle()
  assert.equal(client.ended, false)
  assert.deepEqual(client.log.codes(0), [])
})

test('a client may cancel all it has open at once', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(times(128, (i) => headers(stream(i), get)))
  client.send(times(128, (i) => reset(stream(i))))
  client.send(headers(1001, get))
  assert.equal(client.ended, false)
  assert.equal(client.recorder.requests.length, 129)
})

test('WINDOW_UPDATEs for each small frame of a long download are no flood', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(headers(1, get))
  const { request } = client.recorder
  request.stream.sendHead(headOf200(), false)
  for (let i = 0; i < 10_000; i++) {
    request.stream.sendText('x')
    request.stream.flush()
    client.settle()
    client.send(windowUpdate(0, 1), windowUpdate(1, 1))
  }
  assert.equal(client.ended, false)
})

function headOf200(): Parameters<RawClient['recorder']['requests'][0]['stream']['sendHead']>[0] {
  return {
    status: 200,
    reason: '',
    version: 11,
    contentLength: -1,
    upgrade: '',
    fields: emptyFields,
  } as never
}
const emptyFields = { sensitive: false, size: 0, forEach: () => undefined }

test('a window that opens by one byte at a time is an attack (CVE-2019-9511)', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(settings([4, 0]), headers(1, get))
  client.recorder.request.respond(200, 'x'.repeat(20_000))
  client.settle()
  client.send(times(10_000, () => windowUpdate(1, 1)))
  assert.ok(client.ended)
  assert.equal(client.environment.count('http2_window_flood'), 1)
  assert.ok(client.log.body(1).length < 1500)
})

test('a reader with a closed window is cut off, and its handler told', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(settings([4, 5]), headers(1, get))
  client.recorder.request.respond(200, 'x'.repeat(100))
  client.settle()
  // A byte now and then is not progress.
  for (let i = 0; i < 7; i++) client.pass(9_000).send(windowUpdate(1, 1))
  assert.equal(client.recorder.request.resetReason, 'timeout')
  assert.equal(client.environment.count('http2_slow_reader'), 1)
  assert.deepEqual(client.log.codes(1), [8])
})

test('a reader that takes its time but gets on is served', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(settings([4, 0]), headers(1, get))
  client.recorder.request.respond(200, 'x'.repeat(20_000))
  for (let i = 0; i < 10; i++) client.pass(50_000).send(windowUpdate(1, 2000))
  client.settle()
  assert.equal(client.log.body(1).length, 20_000)
  assert.ok(client.log.ended(1))
})

test('a client that reads nothing from its connection is cut off', () => {
  const client = new RawClient({ answer: 'hold' })
  client.serverEnd.capacity = 1000
  client.send(windowUpdate(0, 1 << 20), settings([4, 1 << 20]), headers(1, get))
  client.end.pause()
  client.recorder.request.respond(200, 'x'.repeat(100_000))
  client.settle()
  client.pass(70_000)
  assert.equal(client.environment.count('http2_slow_reader'), 1)
  assert.equal(client.recorder.request.resetReason, 'cancel')
  assert.equal(client.sessionClosed, '')
})

test('questions whose answers nobody reads are not taken any more', () => {
  const client = new RawClient({ limits: { controlBurst: 1e9 } })
  client.serverEnd.capacity = 1000
  client.end.pause()
  client.send(times(100_000, () => ping))
  assert.equal(client.environment.count('http2_unread_answers'), 1)
  assert.ok(client.serverEnd.waitingBytes > 0, 'input is left where it is')
  assert.ok(client.end.waitingMax < 200_000)
  // Read after all, everything is answered.
  client.end.resume()
  client.settle()
  assert.equal(client.log.of(frameType.ping).length, 100_000)
})

const slow: readonly (readonly [
  name: string,
  counter: Http2Counter,
  bytes: readonly Buffer[],
  limits?: Partial<Http2Limits>,
])[] = [
  ['a field block that is not finished', 'http2_slow_headers', [headers(1, get, endStream)]],
  ['a frame that is not finished', 'http2_slow_headers', [headers(1, get).subarray(0, 20)]],
  ['a frame header that is not finished', 'http2_slow_headers', [ping.subarray(0, 5)]],
]
for (const [name, counter, bytes] of slow) {
  test(`too slow: ${name}`, () => {
    const client = new RawClient()
    client.send(...bytes).pass(62_000)
    assert.equal(client.environment.count(counter), 1)
    assert.ok(client.ended)
  })
}

test('too slow: a request body', () => {
  const client = new RawClient({ answer: 'hold' })
  client
    .send(openPost(1), data(1, 'x', 0))
    .pass(50_000)
    .send(data(1, 'y', 0))
    .pass(50_000)
  assert.equal(client.recorder.request.resetReason, '')
  client.pass(12_000)
  assert.equal(client.recorder.request.resetReason, 'timeout')
  assert.equal(client.environment.count('http2_slow_body'), 1)
})

test('not too slow: a body that the proxy itself has paused, or whose answer has begun', () => {
  const client = new RawClient({ answer: 'hold' })
  client.send(openPost(1), openPost(3))
  client.recorder.requests[0]?.stream.pauseBody()
  client.recorder.requests[1]?.stream.sendHead(headOf200(), false)
  client.pass(70_000)
  assert.deepEqual(
    client.recorder.requests.map((one) => one.resetReason),
    ['', ''],
  )
})

test('too slow: the acknowledgement of SETTINGS', () => {
  const client = new RawClient({ greet: false })
  client.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings()).pass(12_000)
  assert.deepEqual(client.log.codes(0), [4])
  assert.equal(client.environment.count('http2_settings_timeout'), 1)
})

test('an idle connection is closed with GOAWAY, one with a stream is not', () => {
  const idle = new RawClient()
  idle.send(headers(1, get)).pass(70_000)
  assert.equal(idle.ended, false)
  idle.pass(10_000)
  assert.deepEqual(idle.log.codes(0), [0])
  assert.ok(idle.ended)
  const busy = new RawClient({ answer: 'hold' })
  busy.send(headers(1, get)).pass(200_000)
  assert.equal(busy.ended, false)
})

test('a client that does not even send its preface is closed', () => {
  const client = new RawClient({ greet: false })
  client.settle()
  client.pass(12_000)
  assert.ok(client.ended)
})

test('PING finds a dead connection, and a live one answers', () => {
  const limits = { pingIntervalMs: 5000, pingTimeoutMs: 3000 }
  const live = new Linked({ answer: 'hold', client: limits })
  const waiting = live.request()
  live.settle().pass(30_000)
  assert.equal(waiting.failure, '')
  const dead = new Linked({ answer: 'hold', client: limits })
  const lost = dead.request()
  dead.settle()
  dead.serverEnd.pause()
  dead.pass(15_000)
  assert.equal(lost.failure, 'closed')
  assert.equal(dead.environment.count('http2_ping_timeout'), 1)
})

test('one turn takes on so much and no more, and other connections get their turn between', () => {
  const client = new RawClient({ limits: { turnWork: 64 } })
  const order: string[] = []
  const all = times(40, (i) => headers(stream(i), get))
  client.end.writeBytes('', all, 0, all.length)
  client.serverEnd.deliver(Infinity)
  while (client.recorder.requests.length < 40) {
    order.push(String(client.recorder.requests.length))
    client.environment.turns.run()
    client.serverEnd.deliver(Infinity)
    assert.ok(order.length < 20)
  }
  assert.deepEqual(order, ['8', '8', '16', '24', '32'].slice(0, order.length))
  assert.ok(client.environment.count('http2_turn_limit') >= 4)
  client.settle()
  assert.equal(client.log.of(frameType.headers).length, 40)
})

test('requests on one connection may be limited; the session is then drained', () => {
  const client = new RawClient({ limits: { requests: 3 } })
  client.send(times(3, (i) => headers(stream(i), get)))
  const [last] = client.log.of(frameType.goaway)
  assert.equal(last?.payload.readUInt32BE(0), 0x7fff_ffff)
  client.send(frame(frameType.ping, flag.ack, 0, '0000000000000001'))
  assert.equal(client.log.of(frameType.goaway)[1]?.payload.readUInt32BE(0), 5)
  assert.ok(client.ended)
})
