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
  settingsAck,
  windowUpdate,
} from './support/frames.ts'
import type { FieldPair } from './support/frames.ts'
import { RawClient } from './support/raw-client.ts'
import type { RawClientOptions } from './support/raw-client.ts'

const { endHeaders, endStream, padded, priority } = flag
const both = endHeaders | endStream

/** `connection 1`: GOAWAY with that code. `stream 1`: RST_STREAM of stream 1. `ok N`: that many answers. */
type Reaction = `connection ${number}` | `stream ${number}` | `ok ${number}` | `status ${number}`

interface Rule extends RawClientOptions {
  /** Section of RFC 9113, or the RFC and its section. */
  readonly section: string
  readonly rule: string
  readonly send: readonly Buffer[]
  readonly then: Reaction
}

const without = (fields: readonly FieldPair[], name: string): FieldPair[] =>
  fields.filter(([one]) => one !== name)
const withField = (...pair: FieldPair): Buffer => headers(1, [...get, pair])
const open = headers(1, post, endHeaders)
const connectFields: readonly FieldPair[] = [
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  ...get.slice(1),
]

const rules: readonly Rule[] = [
  // 3.4: the preface.
  {
    section: '3.4',
    rule: 'a wrong preface',
    greet: false,
    send: [Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    then: 'connection 1',
  },
  {
    section: '3.4',
    rule: 'no SETTINGS first',
    greet: false,
    send: [
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(frameType.ping, 0, 0, '0000000000000000'),
    ],
    then: 'connection 1',
  },
  // 4: frames.
  {
    section: '4.1',
    rule: 'an unknown type is ignored',
    send: [frame(0xbb, 0xff, 0, '00'), headers(1, get)],
    then: 'ok 1',
  },
  {
    section: '4.1',
    rule: 'undefined flags are ignored',
    send: [frame(frameType.ping, 0xfe, 0, '0000000000000000'), headers(1, get)],
    then: 'ok 1',
  },
  {
    section: '4.1',
    rule: 'the reserved bit of the stream is ignored',
    send: [frame(frameType.headers, both, 0x8000_0001, literals(get))],
    then: 'ok 1',
  },
  {
    section: '4.2',
    rule: 'a frame above the maximum size',
    send: [frame(frameType.data, 0, 1, Buffer.alloc(16_385))],
    then: 'connection 6',
  },
  {
    section: '4.2',
    rule: 'a HEADERS frame above the maximum size',
    send: [frame(frameType.headers, both, 1, Buffer.alloc(16_385))],
    then: 'connection 6',
  },
  {
    section: '4.3',
    rule: 'a block that does not decompress',
    send: [frame(frameType.headers, both, 1, '40')],
    then: 'connection 9',
  },
  {
    section: '4.3',
    rule: 'a PRIORITY within a block',
    send: [headers(1, get, endStream), frame(frameType.priority, 0, 1, '0000000010')],
    then: 'connection 1',
  },
  {
    section: '4.3',
    rule: 'HEADERS of another stream within a block',
    send: [headers(1, get, endStream), headers(3, get)],
    then: 'connection 1',
  },
  {
    section: '4.3',
    rule: 'an unknown frame within a block',
    send: [headers(1, get, endStream), frame(0xbb, 0, 0)],
    then: 'connection 1',
  },
  {
    section: '4.3',
    rule: 'DATA within a block',
    send: [headers(1, post, 0), data(1, 'x')],
    then: 'connection 1',
  },
  {
    section: '4.3',
    rule: 'a block in many pieces',
    send: [
      headers(1, get.slice(0, 2), endStream),
      frame(frameType.continuation, 0, 1, literals(get.slice(2, 3))),
      frame(frameType.continuation, endHeaders, 1, literals(get.slice(3))),
    ],
    then: 'ok 1',
  },
  {
    section: '4.3',
    rule: 'a block for a refused stream keeps the tables in step',
    limits: { concurrentStreams: 1 },
    answer: 'hold',
    send: [
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
    then: 'stream 7',
  },
  // 5.1: states.
  { section: '5.1', rule: 'idle: DATA', send: [data(1, 'x')], then: 'connection 1' },
  { section: '5.1', rule: 'idle: RST_STREAM', send: [reset(1)], then: 'connection 1' },
  {
    section: '5.1',
    rule: 'idle: WINDOW_UPDATE',
    send: [windowUpdate(1, 100)],
    then: 'connection 1',
  },
  {
    section: '5.1',
    rule: 'idle: CONTINUATION',
    send: [frame(frameType.continuation, endHeaders, 1, literals(get))],
    then: 'connection 1',
  },
  {
    section: '5.1',
    rule: 'idle: PRIORITY is allowed',
    send: [frame(frameType.priority, 0, 9, '0000000010'), headers(1, get)],
    then: 'ok 1',
  },
  {
    section: '5.1',
    rule: 'half-closed (remote): DATA',
    answer: 'hold',
    send: [headers(1, get), data(1, 'x')],
    then: 'stream 5',
  },
  {
    section: '5.1',
    rule: 'half-closed (remote): HEADERS',
    answer: 'hold',
    send: [headers(1, get), headers(1, get)],
    then: 'stream 5',
  },
  {
    section: '5.1',
    rule: 'half-closed (remote): WINDOW_UPDATE, PRIORITY and RST_STREAM are allowed',
    answer: 'hold',
    send: [
      headers(1, get),
      windowUpdate(1, 5),
      frame(frameType.priority, 0, 1, '0000000010'),
      reset(1),
    ],
    then: 'ok 0',
  },
  { section: '5.1', rule: 'closed: DATA', send: [headers(1, get), data(1, 'x')], then: 'stream 5' },
  {
    section: '5.1',
    rule: 'closed: HEADERS',
    send: [headers(1, get), headers(1, get)],
    then: 'connection 5',
  },
  {
    section: '5.1',
    rule: 'closed: WINDOW_UPDATE, RST_STREAM and PRIORITY are ignored',
    send: [
      headers(1, get),
      windowUpdate(1, 5),
      reset(1),
      frame(frameType.priority, 0, 1, '0000000010'),
    ],
    then: 'ok 1',
  },
  {
    section: '5.1',
    rule: 'closed by RST_STREAM: DATA',
    answer: 'hold',
    send: [open, reset(1), data(1, 'x')],
    then: 'stream 5',
  },
  { section: '5.1.1', rule: 'an even stream', send: [headers(2, get)], then: 'connection 1' },
  {
    section: '5.1.1',
    rule: 'a stream below the last',
    send: [headers(5, get), headers(3, get)],
    then: 'connection 1',
  },
  {
    section: '5.1.2',
    rule: 'more streams than announced',
    limits: { concurrentStreams: 1 },
    answer: 'hold',
    send: [headers(1, get), headers(3, get), reset(1)],
    then: 'stream 7',
  },
  // 6.1: DATA.
  { section: '6.1', rule: 'DATA on stream 0', send: [data(0, 'x')], then: 'connection 1' },
  {
    section: '6.1',
    rule: 'padding as long as the payload',
    send: [open, frame(frameType.data, padded | endStream, 1, '0178'.slice(0, 2))],
    then: 'connection 1',
  },
  {
    section: '6.1',
    rule: 'padding longer than the payload',
    send: [open, frame(frameType.data, padded | endStream, 1, '0578')],
    then: 'connection 1',
  },
  {
    section: '6.1',
    rule: 'PADDED without a pad length',
    send: [open, frame(frameType.data, padded, 1, '')],
    then: 'connection 6',
  },
  {
    section: '6.1',
    rule: 'padding is stripped',
    send: [
      headers(1, [...post, ['content-length', '2']], endHeaders),
      frame(frameType.data, padded | endStream, 1, '0378790000' + '00'),
    ],
    then: 'ok 1',
  },
  // 6.2: HEADERS.
  { section: '6.2', rule: 'HEADERS on stream 0', send: [headers(0, get)], then: 'connection 1' },
  {
    section: '6.2',
    rule: 'padding longer than the payload',
    send: [
      frame(
        frameType.headers,
        both | padded,
        1,
        Buffer.concat([Buffer.from([200]), literals(get)]),
      ),
    ],
    then: 'connection 1',
  },
  {
    section: '6.2',
    rule: 'PADDED without a pad length',
    send: [frame(frameType.headers, both | padded, 1)],
    then: 'connection 6',
  },
  {
    section: '6.2',
    rule: 'PRIORITY without its five octets',
    send: [frame(frameType.headers, both | priority, 1, '0000')],
    then: 'connection 6',
  },
  {
    section: '6.2',
    rule: 'padding and priority are stripped',
    send: [
      frame(
        frameType.headers,
        both | padded | priority,
        1,
        Buffer.concat([Buffer.from('020000000010', 'hex'), literals(get), Buffer.alloc(2)]),
      ),
    ],
    then: 'ok 1',
  },
  {
    section: '7540 5.3.1',
    rule: 'a stream that depends on itself',
    send: [
      frame(
        frameType.headers,
        both | priority,
        1,
        Buffer.concat([Buffer.from('0000000110', 'hex'), literals(get)]),
      ),
    ],
    then: 'stream 1',
  },
  // 6.3 to 6.10.
  {
    section: '6.3',
    rule: 'PRIORITY on stream 0',
    send: [frame(frameType.priority, 0, 0, '0000000010')],
    then: 'connection 1',
  },
  {
    section: '6.3',
    rule: 'PRIORITY of another length',
    answer: 'hold',
    send: [headers(1, get), frame(frameType.priority, 0, 1, '00000010')],
    then: 'stream 6',
  },
  { section: '6.4', rule: 'RST_STREAM on stream 0', send: [reset(0)], then: 'connection 1' },
  {
    section: '6.4',
    rule: 'RST_STREAM of another length',
    send: [open, frame(frameType.reset, 0, 1, '000000')],
    then: 'connection 6',
  },
  {
    section: '6.5',
    rule: 'SETTINGS ACK with a payload',
    send: [frame(frameType.settings, flag.ack, 0, '000100000000')],
    then: 'connection 6',
  },
  {
    section: '6.5',
    rule: 'SETTINGS on a stream',
    send: [frame(frameType.settings, 0, 1)],
    then: 'connection 1',
  },
  {
    section: '6.5',
    rule: 'SETTINGS of another length',
    send: [frame(frameType.settings, 0, 0, '0001')],
    then: 'connection 6',
  },
  { section: '6.5.2', rule: 'ENABLE_PUSH of 2', send: [settings([2, 2])], then: 'connection 1' },
  {
    section: '6.5.2',
    rule: 'INITIAL_WINDOW_SIZE above 2^31-1',
    send: [settings([4, 0x8000_0000])],
    then: 'connection 3',
  },
  {
    section: '6.5.2',
    rule: 'MAX_FRAME_SIZE below 2^14',
    send: [settings([5, 16_383])],
    then: 'connection 1',
  },
  {
    section: '6.5.2',
    rule: 'MAX_FRAME_SIZE above 2^24-1',
    send: [settings([5, 16_777_216])],
    then: 'connection 1',
  },
  {
    section: '6.5.2',
    rule: 'an unknown setting is ignored',
    send: [settings([0xbb, 1]), headers(1, get)],
    then: 'ok 1',
  },
  {
    section: '8441 3',
    rule: 'ENABLE_CONNECT_PROTOCOL of 2',
    send: [settings([8, 2])],
    then: 'connection 1',
  },
  {
    section: '8441 3',
    rule: 'ENABLE_CONNECT_PROTOCOL taken back',
    send: [settings([8, 1]), settings([8, 0])],
    then: 'connection 1',
  },
  {
    section: '6.6',
    rule: 'PUSH_PROMISE from a client',
    send: [frame(frameType.pushPromise, endHeaders, 1, '00000002')],
    then: 'connection 1',
  },
  {
    section: '6.7',
    rule: 'PING on a stream',
    send: [frame(frameType.ping, 0, 1, '0000000000000000')],
    then: 'connection 1',
  },
  {
    section: '6.7',
    rule: 'PING of another length',
    send: [frame(frameType.ping, 0, 0, '00000000')],
    then: 'connection 6',
  },
  {
    section: '6.8',
    rule: 'GOAWAY on a stream',
    send: [frame(frameType.goaway, 0, 1, '0000000000000000')],
    then: 'connection 1',
  },
  {
    section: '6.8',
    rule: 'GOAWAY cut off',
    send: [frame(frameType.goaway, 0, 0, '00000000')],
    then: 'connection 6',
  },
  {
    section: '6.9',
    rule: 'WINDOW_UPDATE of 0 for the connection',
    send: [windowUpdate(0, 0)],
    then: 'connection 1',
  },
  {
    section: '6.9',
    rule: 'WINDOW_UPDATE of 0 for a stream',
    send: [open, windowUpdate(1, 0)],
    then: 'stream 1',
  },
  {
    section: '6.9',
    rule: 'WINDOW_UPDATE of another length',
    send: [frame(frameType.windowUpdate, 0, 0, '000001')],
    then: 'connection 6',
  },
  {
    section: '6.9.1',
    rule: 'the window of the connection overflows',
    send: [windowUpdate(0, 0x7fff_ffff)],
    then: 'connection 3',
  },
  {
    section: '6.9.1',
    rule: 'the window of a stream overflows',
    send: [open, windowUpdate(1, 0x7fff_ffff)],
    then: 'stream 3',
  },
  {
    section: '6.9.2',
    rule: 'a new initial window makes a window overflow',
    send: [open, windowUpdate(1, 0x7fff_0000), settings([4, 0x7fff_ffff])],
    then: 'connection 3',
  },
  {
    section: '6.9.1',
    rule: 'DATA beyond the window of the stream',
    answer: 'hold',
    limits: { streamWindowBytes: 10 },
    send: [open, data(1, 'x'.repeat(11))],
    then: 'stream 3',
  },
  {
    section: '6.10',
    rule: 'CONTINUATION on stream 0',
    send: [headers(1, get, endStream), frame(frameType.continuation, endHeaders, 0)],
    then: 'connection 1',
  },
  {
    section: '6.10',
    rule: 'CONTINUATION of another stream',
    send: [headers(1, get, endStream), frame(frameType.continuation, endHeaders, 3)],
    then: 'connection 1',
  },
  {
    section: '6.10',
    rule: 'CONTINUATION behind a whole block',
    send: [open, frame(frameType.continuation, endHeaders, 1)],
    then: 'connection 1',
  },
  // 8.1: messages.
  {
    section: '8.1',
    rule: 'trailers without END_STREAM',
    send: [open, headers(1, [['x', 'y']], endHeaders)],
    then: 'stream 1',
  },
  {
    section: '8.1',
    rule: 'pseudo-header fields in trailers',
    send: [open, headers(1, [[':path', '/']])],
    then: 'stream 1',
  },
  {
    section: '8.1',
    rule: 'content-length in trailers',
    send: [open, headers(1, [['content-length', '0']])],
    then: 'stream 1',
  },
  {
    section: '8.1',
    rule: 'transfer-encoding in trailers',
    send: [open, headers(1, [['transfer-encoding', 'chunked']])],
    then: 'stream 1',
  },
  {
    section: '8.1.1',
    rule: 'content-length above the body',
    send: [headers(1, [...post, ['content-length', '3']], endHeaders), data(1, 'xy')],
    then: 'stream 1',
  },
  {
    section: '8.1.1',
    rule: 'content-length below the body',
    send: [
      headers(1, [...post, ['content-length', '1']], endHeaders),
      data(1, 'x', 0),
      data(1, 'y'),
    ],
    then: 'stream 1',
  },
  {
    section: '8.1.1',
    rule: 'content-length without a body',
    send: [headers(1, [...post, ['content-length', '1']])],
    then: 'stream 1',
  },
  {
    section: '8.1.1',
    rule: 'content-length against a body that ends with trailers',
    send: [
      headers(1, [...post, ['content-length', '3']], endHeaders),
      data(1, 'xy', 0),
      headers(1, [['x', 'y']]),
    ],
    then: 'stream 1',
  },
  {
    section: '8.1.1',
    rule: 'content-length that is none',
    send: [withField('content-length', '1e1')],
    then: 'stream 1',
  },
  {
    section: '8.1.1',
    rule: 'content-length beyond 2^53',
    send: [withField('content-length', '9007199254740993')],
    then: 'stream 1',
  },
  {
    section: '8.1.1',
    rule: 'content-length as a list',
    send: [withField('content-length', '0, 0')],
    then: 'stream 1',
  },
  {
    section: '8.1.1',
    rule: 'content-length twice',
    send: [headers(1, [...get, ['content-length', '0'], ['content-length', '0']])],
    then: 'stream 1',
  },
  // 8.2: fields.
  {
    section: '8.2.1',
    rule: 'a name in upper case',
    send: [withField('X-a', 'b')],
    then: 'stream 1',
  },
  { section: '8.2.1', rule: 'an empty name', send: [withField('', 'b')], then: 'stream 1' },
  {
    section: '8.2.1',
    rule: 'a name with a space',
    send: [withField('x a', 'b')],
    then: 'stream 1',
  },
  {
    section: '8.2.1',
    rule: 'a name with a line break',
    send: [withField('x\n', 'b')],
    then: 'stream 1',
  },
  {
    section: '8.2.1',
    rule: 'a name with 0x80',
    send: [withField('x\u0080', 'b')],
    then: 'stream 1',
  },
  {
    section: '8.2.1',
    rule: 'a name with a colon inside',
    send: [withField('x:y', 'b')],
    then: 'stream 1',
  },
  { section: '8.2.1', rule: 'a value with CR', send: [withField('x', 'a\rb')], then: 'stream 1' },
  { section: '8.2.1', rule: 'a value with LF', send: [withField('x', 'a\nb')], then: 'stream 1' },
  { section: '8.2.1', rule: 'a value with NUL', send: [withField('x', 'a\0b')], then: 'stream 1' },
  {
    section: '8.2.1',
    rule: 'a value with a leading space',
    send: [withField('x', ' a')],
    then: 'stream 1',
  },
  {
    section: '8.2.1',
    rule: 'a value with a trailing tab',
    send: [withField('x', 'a\t')],
    then: 'stream 1',
  },
  {
    section: '8.2.1',
    rule: 'a value with bytes above 0x7f passes',
    send: [withField('x', 'caf\u00e9')],
    then: 'ok 1',
  },
  ...['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'].map(
    (name): Rule => ({
      section: '8.2.2',
      rule: `the field ${name}`,
      send: [withField(name, 'close')],
      then: 'stream 1',
    }),
  ),
  {
    section: '8.2.2',
    rule: 'te: trailers passes',
    send: [withField('te', 'trailers')],
    then: 'ok 1',
  },
  {
    section: '8.2.2',
    rule: 'te with anything else',
    send: [withField('te', 'trailers, gzip')],
    then: 'stream 1',
  },
  // 8.3: pseudo-header fields.
  {
    section: '8.3',
    rule: 'an unknown one',
    send: [headers(1, [[':foo', 'x'], ...get])],
    then: 'stream 1',
  },
  {
    section: '8.3',
    rule: 'that of a response',
    send: [headers(1, [[':status', '200'], ...get])],
    then: 'stream 1',
  },
  {
    section: '8.3',
    rule: 'behind a field',
    send: [headers(1, [['x', 'y'], ...get])],
    then: 'stream 1',
  },
  {
    section: '8.3',
    rule: 'behind cookie',
    send: [headers(1, [['cookie', 'y'], ...get])],
    then: 'stream 1',
  },
  {
    section: '8.3',
    rule: 'behind host',
    send: [headers(1, [['host', 'a.test'], ...get])],
    then: 'stream 1',
  },
  ...get.map(([name, value]): Rule => ({
    section: '8.3',
    rule: `${name} twice`,
    send: [headers(1, [[name, value], ...get])],
    then: 'stream 1',
  })),
  ...get.map(([name]): Rule => ({
    section: '8.3.1',
    rule: `without ${name}`,
    send: [headers(1, without(get, name))],
    then: 'stream 1',
  })),
  {
    section: '8.3.1',
    rule: 'an empty :path',
    send: [headers(1, [...without(get, ':path'), [':path', '']])],
    then: 'stream 1',
  },
  {
    section: '8.3.1',
    rule: ':path with a fragment',
    send: [headers(1, [...without(get, ':path'), [':path', '/#a']])],
    then: 'stream 1',
  },
  {
    section: '8.3.1',
    rule: ':path in absolute-form',
    send: [headers(1, [...without(get, ':path'), [':path', 'http://a.test/']])],
    then: 'stream 1',
  },
  {
    section: '8.3.1',
    rule: ':path with a broken escape',
    send: [headers(1, [...without(get, ':path'), [':path', '/a%2']])],
    then: 'stream 1',
  },
  {
    section: '8.3.1',
    rule: ':path * for GET',
    send: [headers(1, [...without(get, ':path'), [':path', '*']])],
    then: 'stream 1',
  },
  {
    section: '8.3.1',
    rule: ':path * for OPTIONS',
    send: [
      headers(1, [
        [':method', 'OPTIONS'],
        [':scheme', 'http'],
        [':path', '*'],
        [':authority', 'a.test'],
      ]),
    ],
    then: 'ok 1',
  },
  {
    section: '8.3.1',
    rule: 'a method that is no token',
    send: [headers(1, [[':method', 'G T'], ...get.slice(1)])],
    then: 'stream 1',
  },
  {
    section: '8.3.1',
    rule: 'an unknown scheme',
    send: [headers(1, [...without(get, ':scheme'), [':scheme', 'ftp']])],
    then: 'stream 1',
  },
  {
    section: '8.3.1',
    rule: 'host instead of :authority',
    send: [headers(1, [...without(get, ':authority'), ['host', 'a.test']])],
    then: 'ok 1',
  },
  {
    section: '8.3.1',
    rule: 'host and :authority agree',
    send: [withField('host', 'A.test')],
    then: 'ok 1',
  },
  {
    section: '8.3.1',
    rule: 'host and :authority differ',
    send: [withField('host', 'b.test')],
    then: 'stream 1',
  },
  {
    section: '8.3.1',
    rule: 'host twice',
    send: [headers(1, [...get, ['host', 'a.test'], ['host', 'a.test']])],
    then: 'stream 1',
  },
  ...[
    'u@a.test',
    'a.test:65536',
    'a.test:x',
    'a..test',
    'a%2etest',
    '[::1',
    '[::1]x',
    '[fe80::1%25a]',
    '',
  ].map((value): Rule => ({
    section: '8.3.1',
    rule: `:authority ${value}`,
    send: [headers(1, [...without(get, ':authority'), [':authority', value]])],
    then: 'stream 1',
  })),
  ...['a.test:8080', '[::1]:80', '[::ffff:192.0.2.1]', 'a.test.', 'a_b.test'].map(
    (value): Rule => ({
      section: '8.3.1',
      rule: `:authority ${value} passes`,
      send: [headers(1, [...without(get, ':authority'), [':authority', value]])],
      then: 'ok 1',
    }),
  ),
  // 8.5 and RFC 8441: CONNECT.
  {
    section: '8.5',
    rule: 'CONNECT is not served',
    send: [
      headers(1, [
        [':method', 'CONNECT'],
        [':authority', 'a.test:443'],
      ]),
    ],
    then: 'status 405',
  },
  {
    section: '8.5',
    rule: 'CONNECT with :path',
    send: [
      headers(1, [
        [':method', 'CONNECT'],
        [':path', '/'],
        [':authority', 'a.test:443'],
      ]),
    ],
    then: 'stream 1',
  },
  {
    section: '8441 4',
    rule: ':protocol without CONNECT',
    send: [headers(1, [[':protocol', 'websocket'], ...get])],
    then: 'stream 1',
  },
  {
    section: '8441 4',
    rule: 'extended CONNECT without :path',
    send: [headers(1, without(connectFields, ':path'), endHeaders)],
    then: 'stream 1',
  },
  {
    section: '8441 4',
    rule: 'an unknown protocol',
    send: [headers(1, [[':method', 'CONNECT'], [':protocol', 'mud'], ...get.slice(1)], endHeaders)],
    then: 'status 501',
  },
  // RFC 9110.
  {
    section: '9110 9.3.8',
    rule: 'TRACE is not served',
    send: [headers(1, [[':method', 'TRACE'], ...get.slice(1)])],
    then: 'status 405',
  },
  {
    section: '9110 10.1.1',
    rule: 'an unknown expectation',
    send: [withField('expect', 'x')],
    then: 'status 417',
  },
  {
    section: '9110 11.6.2',
    rule: 'two credentials',
    send: [headers(1, [...get, ['authorization', 'a'], ['authorization', 'b']])],
    then: 'stream 1',
  },
  {
    section: '9110 7.6.2',
    rule: 'no forwards left',
    send: [headers(1, [[':method', 'OPTIONS'], ...get.slice(1), ['max-forwards', '0']])],
    then: 'status 200',
  },
  {
    section: '6585 5',
    rule: 'too many fields',
    send: [
      headers(1, [...get, ...Array.from({ length: 200 }, (_, i): FieldPair => [`x${i}`, 'v'])]),
    ],
    then: 'status 431',
  },
  {
    section: '6585 5',
    rule: 'too large a list',
    limits: { headerListBytes: 300 },
    send: [headers(1, [...get, ['x', 'v'.repeat(300)]])],
    then: 'status 431',
  },
]

for (const { section, rule, send, then, ...options } of rules) {
  test(`RFC ${/^\d{4}/.test(section) ? section : `9113 ${section}`}: ${rule}`, () => {
    const client = new RawClient(options)
    client.send(...send)
    const [kind, number] = then.split(' ') as [string, string]
    const { log } = client
    const seen = `RST ${log.frames
      .filter((one) => one.type === 3)
      .map((one) => `${one.streamId}:${one.payload[3]}`)
      .join()}, GOAWAY ${log.codes(0).join()}`
    if (kind === 'connection') {
      assert.deepEqual(log.codes(0), [Number(number)], seen)
      assert.ok(client.ended)
      return
    }
    assert.deepEqual(log.codes(0), [], seen)
    // The connection lives: a fresh request is served, with the tables in step.
    client.recorder.answer = 'ok'
    client.send(headers(99, get))
    assert.ok(log.ended(99), seen)
    if (kind === 'stream') {
      const codes = [...log.codes(1), ...log.codes(3)]
      assert.deepEqual(codes, [Number(number)], seen)
      assert.ok(client.recorder.requests.every((one) => one.target === '/'))
    } else if (kind === 'status') {
      const answer = log.fieldLists().find((one) => one.streamId === 1)
      assert.deepEqual(answer?.fields[0], [':status', number])
      assert.ok(log.ended(1))
    } else {
      assert.equal(log.frames.filter((one) => one.type === 3).length, 0, seen)
      assert.equal(log.fieldLists().length - 1, Number(number))
    }
  })
}

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

test('a malformed request is never brought to the proxy, only its refusal is', () => {
  const client = new RawClient()
  client.send(withField('connection', 'close'))
  assert.equal(client.recorder.requests.length, 0)
  assert.deepEqual(client.recorder.rejected, ['400 malformed-connection'])
  assert.equal(client.environment.count('http2_malformed'), 1)
  client.send(settingsAck)
})
