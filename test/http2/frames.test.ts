import assert from 'node:assert/strict'
import test from 'node:test'
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
import { RawClient } from './support/raw-client.ts'
import { testRules } from './support/rules.ts'

const { endHeaders, endStream, padded, priority } = flag
const both = endHeaders | endStream
const open = headers(1, post, endHeaders)

testRules([
  // 3.4: the preface.
  [
    '3.4',
    'a wrong preface',
    [Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    'connection 1',
    { greet: false },
  ],
  [
    '3.4',
    'no SETTINGS first',
    [
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(frameType.ping, 0, 0, '0000000000000000'),
    ],
    'connection 1',
    { greet: false },
  ],
  // 4: frames.
  ['4.1', 'an unknown type is ignored', [frame(0xbb, 0xff, 0, '00'), headers(1, get)], 'ok 1'],
  [
    '4.1',
    'undefined flags are ignored',
    [frame(frameType.ping, 0xfe, 0, '0000000000000000'), headers(1, get)],
    'ok 1',
  ],
  [
    '4.1',
    'the reserved bit of the stream is ignored',
    [frame(frameType.headers, both, 0x8000_0001, literals(get))],
    'ok 1',
  ],
  [
    '4.2',
    'a frame above the maximum size',
    [frame(frameType.data, 0, 1, Buffer.alloc(16_385))],
    'connection 6',
  ],
  [
    '4.2',
    'a HEADERS frame above the maximum size',
    [frame(frameType.headers, both, 1, Buffer.alloc(16_385))],
    'connection 6',
  ],
  [
    '4.3',
    'a block that does not decompress',
    [frame(frameType.headers, both, 1, '40')],
    'connection 9',
  ],
  [
    '4.3',
    'a PRIORITY within a block',
    [headers(1, get, endStream), frame(frameType.priority, 0, 1, '0000000010')],
    'connection 1',
  ],
  [
    '4.3',
    'HEADERS of another stream within a block',
    [headers(1, get, endStream), headers(3, get)],
    'connection 1',
  ],
  [
    '4.3',
    'an unknown frame within a block',
    [headers(1, get, endStream), frame(0xbb, 0, 0)],
    'connection 1',
  ],
  ['4.3', 'DATA within a block', [headers(1, post, 0), data(1, 'x')], 'connection 1'],
  [
    '4.3',
    'a block in many pieces',
    [
      headers(1, get.slice(0, 2), endStream),
      frame(frameType.continuation, 0, 1, literals(get.slice(2, 3))),
      frame(frameType.continuation, endHeaders, 1, literals(get.slice(3))),
    ],
    'ok 1',
  ],
  [
    '4.3',
    'a block for a refused stream keeps the tables in step',
    [
      headers(1, get),
      frame(
        frameType.headers,
        both,
        3,
        Buffer.concat([literals(get), Buffer.from('4003782d610162', 'hex')]),
      ),
      reset(1),
      frame(frameType.headers, both, 5, Buffer.concat([literals(get), Buffer.from('be', 'hex')])),
      reset(5),
    ],
    'stream 7',
    { limits: { concurrentStreams: 1 }, answer: 'hold' },
  ],
  // 5.1: states.
  ['5.1', 'idle: DATA', [data(1, 'x')], 'connection 1'],
  ['5.1', 'idle: RST_STREAM', [reset(1)], 'connection 1'],
  ['5.1', 'idle: WINDOW_UPDATE', [windowUpdate(1, 100)], 'connection 1'],
  [
    '5.1',
    'idle: CONTINUATION',
    [frame(frameType.continuation, endHeaders, 1, literals(get))],
    'connection 1',
  ],
  [
    '5.1',
    'idle: PRIORITY is allowed',
    [frame(frameType.priority, 0, 9, '0000000010'), headers(1, get)],
    'ok 1',
  ],
  [
    '5.1',
    'half-closed (remote): DATA',
    [headers(1, get), data(1, 'x')],
    'stream 5',
    { answer: 'hold' },
  ],
  [
    '5.1',
    'half-closed (remote): HEADERS',
    [headers(1, get), headers(1, get)],
    'stream 5',
    { answer: 'hold' },
  ],
  [
    '5.1',
    'half-closed (remote): WINDOW_UPDATE, PRIORITY and RST_STREAM are allowed',
    [headers(1, get), windowUpdate(1, 5), frame(frameType.priority, 0, 1, '0000000010'), reset(1)],
    'ok 0',
    { answer: 'hold' },
  ],
  ['5.1', 'closed: DATA', [headers(1, get), data(1, 'x')], 'stream 5'],
  ['5.1', 'closed: HEADERS', [headers(1, get), headers(1, get)], 'connection 5'],
  [
    '5.1',
    'closed: WINDOW_UPDATE, RST_STREAM and PRIORITY are ignored',
    [headers(1, get), windowUpdate(1, 5), reset(1), frame(frameType.priority, 0, 1, '0000000010')],
    'ok 1',
  ],
  [
    '5.1',
    'closed by RST_STREAM: DATA',
    [open, reset(1), data(1, 'x')],
    'stream 5',
    { answer: 'hold' },
  ],
  ['5.1.1', 'an even stream', [headers(2, get)], 'connection 1'],
  ['5.1.1', 'a stream below the last', [headers(5, get), headers(3, get)], 'connection 1'],
  [
    '5.1.2',
    'more streams than announced',
    [headers(1, get), headers(3, get), reset(1)],
    'stream 7',
    { limits: { concurrentStreams: 1 }, answer: 'hold' },
  ],
  // 6.1: DATA.
  ['6.1', 'DATA on stream 0', [data(0, 'x')], 'connection 1'],
  [
    '6.1',
    'padding as long as the payload',
    [open, frame(frameType.data, padded | endStream, 1, '0178'.slice(0, 2))],
    'connection 1',
  ],
  [
    '6.1',
    'padding longer than the payload',
    [open, frame(frameType.data, padded | endStream, 1, '0578')],
    'connection 1',
  ],
  [
    '6.1',
    'PADDED without a pad length',
    [open, frame(frameType.data, padded, 1, '')],
    'connection 6',
  ],
  [
    '6.1',
    'padding is stripped',
    [
      headers(1, [...post, ['content-length', '2']], endHeaders),
      frame(frameType.data, padded | endStream, 1, '037879000000'),
    ],
    'ok 1',
  ],
  // 6.2: HEADERS.
  ['6.2', 'HEADERS on stream 0', [headers(0, get)], 'connection 1'],
  [
    '6.2',
    'padding longer than the payload',
    [
      frame(
        frameType.headers,
        both | padded,
        1,
        Buffer.concat([Buffer.from([200]), literals(get)]),
      ),
    ],
    'connection 1',
  ],
  [
    '6.2',
    'PADDED without a pad length',
    [frame(frameType.headers, both | padded, 1)],
    'connection 6',
  ],
  [
    '6.2',
    'PRIORITY without its five octets',
    [frame(frameType.headers, both | priority, 1, '0000')],
    'connection 6',
  ],
  [
    '6.2',
    'padding and priority are stripped',
    [
      frame(
        frameType.headers,
        both | padded | priority,
        1,
        Buffer.concat([Buffer.from('020000000010', 'hex'), literals(get), Buffer.alloc(2)]),
      ),
    ],
    'ok 1',
  ],
  [
    '7540 5.3.1',
    'a stream that depends on itself',
    [
      frame(
        frameType.headers,
        both | priority,
        1,
        Buffer.concat([Buffer.from('0000000110', 'hex'), literals(get)]),
      ),
    ],
    'stream 1',
  ],
  // 6.3 to 6.10.
  ['6.3', 'PRIORITY on stream 0', [frame(frameType.priority, 0, 0, '0000000010')], 'connection 1'],
  [
    '6.3',
    'PRIORITY of another length',
    [headers(1, get), frame(frameType.priority, 0, 1, '00000010')],
    'stream 6',
    { answer: 'hold' },
  ],
  ['6.4', 'RST_STREAM on stream 0', [reset(0)], 'connection 1'],
  [
    '6.4',
    'RST_STREAM of another length',
    [open, frame(frameType.reset, 0, 1, '000000')],
    'connection 6',
  ],
  [
    '6.5',
    'SETTINGS ACK with a payload',
    [frame(frameType.settings, flag.ack, 0, '000100000000')],
    'connection 6',
  ],
  ['6.5', 'SETTINGS on a stream', [frame(frameType.settings, 0, 1)], 'connection 1'],
  ['6.5', 'SETTINGS of another length', [frame(frameType.settings, 0, 0, '0001')], 'connection 6'],
  ['6.5.2', 'ENABLE_PUSH of 2', [settings([2, 2])], 'connection 1'],
  ['6.5.2', 'INITIAL_WINDOW_SIZE above 2^31-1', [settings([4, 0x8000_0000])], 'connection 3'],
  ['6.5.2', 'MAX_FRAME_SIZE below 2^14', [settings([5, 16_383])], 'connection 1'],
  ['6.5.2', 'MAX_FRAME_SIZE above 2^24-1', [settings([5, 16_777_216])], 'connection 1'],
  ['6.5.2', 'an unknown setting is ignored', [settings([0xbb, 1]), headers(1, get)], 'ok 1'],
  ['8441 3', 'ENABLE_CONNECT_PROTOCOL of 2', [settings([8, 2])], 'connection 1'],
  [
    '8441 3',
    'ENABLE_CONNECT_PROTOCOL taken back',
    [settings([8, 1]), settings([8, 0])],
    'connection 1',
  ],
  [
    '6.6',
    'PUSH_PROMISE from a client',
    [frame(frameType.pushPromise, endHeaders, 1, '00000002')],
    'connection 1',
  ],
  ['6.7', 'PING on a stream', [frame(frameType.ping, 0, 1, '0000000000000000')], 'connection 1'],
  ['6.7', 'PING of another length', [frame(frameType.ping, 0, 0, '00000000')], 'connection 6'],
  [
    '6.8',
    'GOAWAY on a stream',
    [frame(frameType.goaway, 0, 1, '0000000000000000')],
    'connection 1',
  ],
  ['6.8', 'GOAWAY cut off', [frame(frameType.goaway, 0, 0, '00000000')], 'connection 6'],
  ['6.9', 'WINDOW_UPDATE of 0 for the connection', [windowUpdate(0, 0)], 'connection 1'],
  ['6.9', 'WINDOW_UPDATE of 0 for a stream', [open, windowUpdate(1, 0)], 'stream 1'],
  [
    '6.9',
    'WINDOW_UPDATE of another length',
    [frame(frameType.windowUpdate, 0, 0, '000001')],
    'connection 6',
  ],
  [
    '6.9.1',
    'the window of the connection overflows',
    [windowUpdate(0, 0x7fff_ffff)],
    'connection 3',
  ],
  ['6.9.1', 'the window of a stream overflows', [open, windowUpdate(1, 0x7fff_ffff)], 'stream 3'],
  [
    '6.9.2',
    'a new initial window makes a window overflow',
    [open, windowUpdate(1, 0x7fff_0000), settings([4, 0x7fff_ffff])],
    'connection 3',
  ],
  [
    '6.9.1',
    'DATA beyond the window of the stream',
    [open, data(1, 'x'.repeat(11))],
    'stream 3',
    { answer: 'hold', limits: { streamWindowBytes: 10 } },
  ],
  [
    '6.10',
    'CONTINUATION on stream 0',
    [headers(1, get, endStream), frame(frameType.continuation, endHeaders, 0)],
    'connection 1',
  ],
  [
    '6.10',
    'CONTINUATION of another stream',
    [headers(1, get, endStream), frame(frameType.continuation, endHeaders, 3)],
    'connection 1',
  ],
  [
    '6.10',
    'CONTINUATION behind a whole block',
    [open, frame(frameType.continuation, endHeaders, 1)],
    'connection 1',
  ],
])

test('RFC 9113 6.5.3: each SETTINGS is acknowledged', () => {
  const client = new RawClient()
  client.send(settings([3, 100]), settings())
  const acks = client.log.of(frameType.settings).filter((one) => one.flags === flag.ack)
  assert.equal(acks.length, 3)
})

test('RFC 9113 6.7: PING is answered with its payload, an answer is not', () => {
  const client = new RawClient()
  client.send(
    frame(frameType.ping, 0, 0, '0102030405060708'),
    frame(frameType.ping, flag.ack, 0, '0000000000000000'),
  )
  const pings = client.log.of(frameType.ping)
  assert.deepEqual(
    pings.map((one) => [one.flags, one.payload.toString('hex')]),
    [[flag.ack, '0102030405060708']],
  )
})

test('RFC 9113 3.4: SETTINGS come first from us, before anything is read', () => {
  const client = new RawClient({ greet: false })
  client.settle()
  assert.equal(client.log.frames[0]?.type, frameType.settings)
})
