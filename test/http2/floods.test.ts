import assert from 'node:assert/strict'
import test from 'node:test'
import type { Http2Counter } from '#src/http2/counters.ts'
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
  stream,
  times,
  windowUpdate,
} from './support/frames.ts'
import { responseHead } from './support/heads.ts'
import { costOf } from './support/measure.ts'
import { RawClient } from './support/raw-client.ts'

const { endHeaders, endStream } = flag

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
    const { cpuMs, retained } = costOf(() => client.send(all))
    assert.ok(cpuMs < 1500, `${cpuMs} ms`)
    assert.ok(retained < 32 * 1024 * 1024, `${retained} bytes`)
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
  request.stream.sendHead(responseHead(200), false)
  for (let i = 0; i < 10_000; i++) {
    request.stream.sendText('x')
    request.stream.flush()
    client.settle()
    client.send(windowUpdate(0, 1), windowUpdate(1, 1))
  }
  assert.equal(client.ended, false)
})
