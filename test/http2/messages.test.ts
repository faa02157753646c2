import assert from 'node:assert/strict'
import test from 'node:test'
import { flag } from '#src/http2/protocol.ts'
import { data, get, headers, post, settingsAck } from './support/frames.ts'
import type { FieldPair } from './support/frames.ts'
import { RawClient } from './support/raw-client.ts'
import { testRules } from './support/rules.ts'
import type { Rule } from './support/rules.ts'

const { endHeaders } = flag

const without = (fields: readonly FieldPair[], name: string): FieldPair[] =>
  fields.filter(([one]) => one !== name)
const withField = (...pair: FieldPair): Buffer => headers(1, [...get, pair])
const open = headers(1, post, endHeaders)
const connectFields: readonly FieldPair[] = [
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  ...get.slice(1),
]

testRules([
  // 8.1: messages.
  ['8.1', 'trailers without END_STREAM', [open, headers(1, [['x', 'y']], endHeaders)], 'stream 1'],
  ['8.1', 'pseudo-header fields in trailers', [open, headers(1, [[':path', '/']])], 'stream 1'],
  ['8.1', 'content-length in trailers', [open, headers(1, [['content-length', '0']])], 'stream 1'],
  [
    '8.1',
    'transfer-encoding in trailers',
    [open, headers(1, [['transfer-encoding', 'chunked']])],
    'stream 1',
  ],
  [
    '8.1.1',
    'content-length above the body',
    [headers(1, [...post, ['content-length', '3']], endHeaders), data(1, 'xy')],
    'stream 1',
  ],
  [
    '8.1.1',
    'content-length below the body',
    [headers(1, [...post, ['content-length', '1']], endHeaders), data(1, 'x', 0), data(1, 'y')],
    'stream 1',
  ],
  [
    '8.1.1',
    'content-length without a body',
    [headers(1, [...post, ['content-length', '1']])],
    'stream 1',
  ],
  [
    '8.1.1',
    'content-length against a body that ends with trailers',
    [
      headers(1, [...post, ['content-length', '3']], endHeaders),
      data(1, 'xy', 0),
      headers(1, [['x', 'y']]),
    ],
    'stream 1',
  ],
  ['8.1.1', 'content-length that is none', [withField('content-length', '1e1')], 'stream 1'],
  [
    '8.1.1',
    'content-length beyond 2^53',
    [withField('content-length', '9007199254740993')],
    'stream 1',
  ],
  ['8.1.1', 'content-length as a list', [withField('content-length', '0, 0')], 'stream 1'],
  [
    '8.1.1',
    'content-length twice',
    [headers(1, [...get, ['content-length', '0'], ['content-length', '0']])],
    'stream 1',
  ],
  // 8.2: fields.
  ['8.2.1', 'a name in upper case', [withField('X-a', 'b')], 'stream 1'],
  ['8.2.1', 'an empty name', [withField('', 'b')], 'stream 1'],
  ['8.2.1', 'a name with a space', [withField('x a', 'b')], 'stream 1'],
  ['8.2.1', 'a name with a line break', [withField('x\n', 'b')], 'stream 1'],
  ['8.2.1', 'a name with 0x80', [withField('x\u0080', 'b')], 'stream 1'],
  ['8.2.1', 'a name with a colon inside', [withField('x:y', 'b')], 'stream 1'],
  ['8.2.1', 'a value with CR', [withField('x', 'a\rb')], 'stream 1'],
  ['8.2.1', 'a value with LF', [withField('x', 'a\nb')], 'stream 1'],
  ['8.2.1', 'a value with NUL', [withField('x', 'a\0b')], 'stream 1'],
  ['8.2.1', 'a value with a leading space', [withField('x', ' a')], 'stream 1'],
  ['8.2.1', 'a value with a trailing tab', [withField('x', 'a\t')], 'stream 1'],
  ['8.2.1', 'a value with bytes above 0x7f passes', [withField('x', 'caf\u00e9')], 'ok 1'],
  ...['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'].map(
    (name): Rule => ['8.2.2', `the field ${name}`, [withField(name, 'close')], 'stream 1'],
  ),
  ['8.2.2', 'te: trailers passes', [withField('te', 'trailers')], 'ok 1'],
  ['8.2.2', 'te with anything else', [withField('te', 'trailers, gzip')], 'stream 1'],
  // 8.3: pseudo-header fields.
  ['8.3', 'an unknown one', [headers(1, [[':foo', 'x'], ...get])], 'stream 1'],
  ['8.3', 'that of a response', [headers(1, [[':status', '200'], ...get])], 'stream 1'],
  ['8.3', 'behind a field', [headers(1, [['x', 'y'], ...get])], 'stream 1'],
  ['8.3', 'behind cookie', [headers(1, [['cookie', 'y'], ...get])], 'stream 1'],
  ['8.3', 'behind host', [headers(1, [['host', 'a.test'], ...get])], 'stream 1'],
  ...get.map(([name, value]): Rule => [
    '8.3',
    `${name} twice`,
    [headers(1, [[name, value], ...get])],
    'stream 1',
  ]),
  ...get.map(([name]): Rule => [
    '8.3.1',
    `without ${name}`,
    [headers(1, without(get, name))],
    'stream 1',
  ]),
  ['8.3.1', 'an empty :path', [headers(1, [...without(get, ':path'), [':path', '']])], 'stream 1'],
  [
    '8.3.1',
    ':path with a fragment',
    [headers(1, [...without(get, ':path'), [':path', '/#a']])],
    'stream 1',
  ],
  [
    '8.3.1',
    ':path in absolute-form',
    [headers(1, [...without(get, ':path'), [':path', 'http://a.test/']])],
    'stream 1',
  ],
  [
    '8.3.1',
    ':path with a broken escape',
    [headers(1, [...without(get, ':path'), [':path', '/a%2']])],
    'stream 1',
  ],
  [
    '8.3.1',
    ':path * for GET',
    [headers(1, [...without(get, ':path'), [':path', '*']])],
    'stream 1',
  ],
  [
    '8.3.1',
    ':path * for OPTIONS',
    [
      headers(1, [
        [':method', 'OPTIONS'],
        [':scheme', 'http'],
        [':path', '*'],
        [':authority', 'a.test'],
      ]),
    ],
    'ok 1',
  ],
  [
    '8.3.1',
    'a method that is no token',
    [headers(1, [[':method', 'G T'], ...get.slice(1)])],
    'stream 1',
  ],
  [
    '8.3.1',
    'an unknown scheme',
    [headers(1, [...without(get, ':scheme'), [':scheme', 'ftp']])],
    'stream 1',
  ],
  [
    '8.3.1',
    'host instead of :authority',
    [headers(1, [...without(get, ':authority'), ['host', 'a.test']])],
    'ok 1',
  ],
  ['8.3.1', 'host and :authority agree', [withField('host', 'A.test')], 'ok 1'],
  ['8.3.1', 'host and :authority differ', [withField('host', 'b.test')], 'stream 1'],
  [
    '8.3.1',
    'host twice',
    [headers(1, [...get, ['host', 'a.test'], ['host', 'a.test']])],
    'stream 1',
  ],
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
  ].map((value): Rule => [
    '8.3.1',
    `:authority ${value}`,
    [headers(1, [...without(get, ':authority'), [':authority', value]])],
    'stream 1',
  ]),
  ...['a.test:8080', '[::1]:80', '[::ffff:192.0.2.1]', 'a.test.', 'a_b.test'].map((value): Rule => [
    '8.3.1',
    `:authority ${value} passes`,
    [headers(1, [...without(get, ':authority'), [':authority', value]])],
    'ok 1',
  ]),
  // 8.5 and RFC 8441: CONNECT.
  [
    '8.5',
    'CONNECT is not served',
    [
      headers(1, [
        [':method', 'CONNECT'],
        [':authority', 'a.test:443'],
      ]),
    ],
    'status 405',
  ],
  [
    '8.5',
    'CONNECT with :path',
    [
      headers(1, [
        [':method', 'CONNECT'],
        [':path', '/'],
        [':authority', 'a.test:443'],
      ]),
    ],
    'stream 1',
  ],
  [
    '8441 4',
    ':protocol without CONNECT',
    [headers(1, [[':protocol', 'websocket'], ...get])],
    'stream 1',
  ],
  [
    '8441 4',
    'extended CONNECT without :path',
    [headers(1, without(connectFields, ':path'), endHeaders)],
    'stream 1',
  ],
  [
    '8441 4',
    'an unknown protocol',
    [headers(1, [[':method', 'CONNECT'], [':protocol', 'mud'], ...get.slice(1)], endHeaders)],
    'status 501',
  ],
  // RFC 9110.
  [
    '9110 9.3.8',
    'TRACE is not served',
    [headers(1, [[':method', 'TRACE'], ...get.slice(1)])],
    'status 405',
  ],
  ['9110 10.1.1', 'an unknown expectation', [withField('expect', 'x')], 'status 417'],
  [
    '9110 11.6.2',
    'two credentials',
    [headers(1, [...get, ['authorization', 'a'], ['authorization', 'b']])],
    'stream 1',
  ],
  [
    '9110 7.6.2',
    'no forwards left',
    [headers(1, [[':method', 'OPTIONS'], ...get.slice(1), ['max-forwards', '0']])],
    'status 200',
  ],
  [
    '6585 5',
    'too many fields',
    [headers(1, [...get, ...Array.from({ length: 200 }, (_, i): FieldPair => [`x${i}`, 'v'])])],
    'status 431',
  ],
  [
    '6585 5',
    'too large a list',
    [headers(1, [...get, ['x', 'v'.repeat(300)]])],
    'status 431',
    { limits: { headerListBytes: 300 } },
  ],
])

test('a malformed request is never brought to the proxy, only its refusal is', () => {
  const client = new RawClient()
  client.send(withField('connection', 'close'))
  assert.equal(client.recorder.requests.length, 0)
  assert.deepEqual(client.recorder.rejected, ['400 malformed-connection'])
  assert.equal(client.environment.count('http2_malformed'), 1)
  client.send(settingsAck)
})
