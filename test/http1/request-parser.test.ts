import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toPairs } from '#src/exchange/fields.ts'
import { releaseRequestHead } from '#src/exchange/heads.ts'
import { chunkedFraming } from '#src/http1/framing.ts'
import type { Http1ServerOptions } from '#src/http1/options.ts'
import { RequestParser } from '#src/http1/request-parser.ts'
import { serverOptions } from './relay.ts'

const parser = new RequestParser()

/** What a head was read as, in a form that compares. */
function read(text: string, options: Partial<Http1ServerOptions> = {}): Record<string, unknown> {
  // Somewhere amid other bytes, so that positions are not taken for lengths.
  const buffer = Buffer.from(`....${text}GET /behind HTTP/1.1\r\n`, 'latin1')
  const position = parser.parse(buffer, 4, buffer.length, { ...serverOptions, ...options })
  if (position < 0) return { refusal: position === -1 ? 'incomplete' : parser.refusal }
  const { framing, persistent } = parser
  const head = parser.takeHead()
  assert.equal(buffer.latin1Slice(position), 'GET /behind HTTP/1.1\r\n')
  const { method, target, authority, version, contentLength, upgrade } = head
  const result = {
    method,
    target,
    authority,
    version,
    contentLength,
    upgrade,
    persistent,
    expectContinue: head.expectContinue,
    acceptsTrailers: head.acceptsTrailers,
    chunked: framing === chunkedFraming,
    fields: toPairs(head.fields).join('|'),
    lines: head.fields.toLines(),
  }
  releaseRequestHead(head)
  return result
}

const host = 'Host: a.test\r\n'

function get(lines: string, line = 'GET / HTTP/1.1'): string {
  return `${line}\r\n${lines}\r\n`
}

/** Whole heads, and some of what they must be read as. */
const good: Record<string, [text: string, wanted: Record<string, unknown>]> = {
  'the least there is': [
    get(host),
    {
      method: 'GET',
      target: '/',
      authority: 'a.test',
      version: 11,
      contentLength: 0,
      upgrade: '',
      persistent: true,
      chunked: false,
      fields: '',
      lines: '',
    },
  ],
  'fields keep order, case and bytes': [
    get(`X-B: 1\r\n${host}x-a:\t caf\u00e9 \t\r\nX-B: 2, 3\r\nX-Empty:\r\n`),
    {
      fields: 'X-B|1|x-a|caf\u00e9|X-B|2, 3|X-Empty|',
      lines: 'X-B: 1\r\nx-a:\t caf\u00e9 \t\r\nX-B: 2, 3\r\nX-Empty:\r\n',
    },
  ],
  'methods are case-sensitive and free': [
    get(host, "m!#$%&'*+-.^_`|~9 /x HTTP/1.1"),
    { method: "m!#$%&'*+-.^_`|~9" },
  ],
  'HTTP/1.0 without Host': [
    get('', 'GET /x HTTP/1.0'),
    { version: 10, authority: '', persistent: false },
  ],
  'HTTP/1.0 that keeps the connection': [
    get('Connection: Keep-Alive\r\n', 'GET /x HTTP/1.0'),
    { persistent: true, fields: '' },
  ],
  'minor version above 1': [get(host, 'GET / HTTP/1.7'), { version: 11 }],
  'escapes, and what only the query may have': [
    get(host, 'GET /%2F%zz?a=%&b=%x^|`{}\\"<>?/;@ HTTP/1.1'.replace('%zz', '%5a')),
    { target: '/%2F%5a?a=%&b=%x^|`{}\\"<>?/;@' },
  ],
  'absolute-form': [
    get('Host: other.test\r\n', 'GET HTTP://B.test:8080/x?y HTTP/1.1'),
    { target: '/x?y', authority: 'B.test:8080' },
  ],
  'absolute-form without path': [get(host, 'GET https://a.test HTTP/1.1'), { target: '/' }],
  'absolute-form with a query alone': [
    get(host, 'GET http://a.test?q=/ HTTP/1.1'),
    { target: '/?q=/' },
  ],
  'absolute-form of OPTIONS *': [get(host, 'OPTIONS http://a.test HTTP/1.1'), { target: '*' }],
  'OPTIONS *': [get(host, 'OPTIONS * HTTP/1.1'), { target: '*' }],
  port: [get('Host: a.test:65535\r\n'), { authority: 'a.test:65535' }],
  'colon without port': [get('Host: a.test:\r\n'), { authority: 'a.test:' }],
  'final dot': [get('Host: a.test.\r\n'), { authority: 'a.test.' }],
  IPv6: [get('Host: [2001:db8::1]:80\r\n'), { authority: '[2001:db8::1]:80' }],
  'IPv6 with IPv4': [get('Host: [::ffff:192.0.2.1]\r\n'), { authority: '[::ffff:192.0.2.1]' }],
  'underscore in host': [get('Host: a_b.test\r\n'), { authority: 'a_b.test' }],
  length: [
    get(`${host}Content-Length: 0005\r\nTrailer: x\r\n`, 'POST / HTTP/1.1'),
    { contentLength: 5, chunked: false, fields: '' },
  ],
  'largest length': [
    get(`${host}Content-Length: 9007199254740991\r\n`),
    { contentLength: 9_007_199_254_740_991 },
  ],
  chunked: [
    get(`${host}transfer-encoding: Chunked\r\nTrailer: X-Sum\r\n`),
    { contentLength: -1, chunked: true, fields: 'Trailer|X-Sum' },
  ],
  'Connection: close': [get(`${host}Connection: close\r\n`), { persistent: false }],
  'close beats keep-alive': [
    get(`${host}Connection: keep-alive\r\nConnection: CLOSE\r\n`, 'GET / HTTP/1.0'),
    { persistent: false },
  ],
  'named fields go': [
    get(
      `${host}Connection: X-Hop , ,keep-alive,x-other\r\nX-Hop: 1\r\nX-Other: 2\r\nx-hop: 3\r\nX-Stays: 4\r\n`,
    ),
    { fields: 'X-Stays|4' },
  ],
  'fields of ours are named in vain': [
    get(
      `${host}Connection: host, authorization, cookie, x-forwarded-for, x-request-id, content-length\r\n` +
        'Authorization: a\r\nCookie: b\r\nX-Forwarded-For: c\r\nX-Request-ID: d\r\nContent-Length: 1\r\n',
    ),
    {
      authority: 'a.test',
      contentLength: 1,
      fields: 'Authorization|a|Cookie|b|X-Forwarded-For|c|X-Request-ID|d',
    },
  ],
  'fields of the hop': [
    get(
      `${host}Keep-Alive: x\r\nProxy-Connection: x\r\nProxy: x\r\nProxy-Authorization: x\r\n` +
        'HTTP2-Settings: x\r\nTE: gzip, Trailers\r\nUpgrade: h2c\r\nX: y\r\n',
    ),
    { fields: 'X|y', acceptsTrailers: true, upgrade: '' },
  ],
  upgrade: [
    get(`${host}Connection: keep-alive, Upgrade\r\nUpgrade: h2c, WebSocket, other/1.0\r\n`),
    { upgrade: 'WebSocket, other/1.0' },
  ],
  'upgrade to HTTP/2 alone': [
    get(`${host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n`),
    { upgrade: '', fields: '' },
  ],
  'upgrade that Connection does not name': [get(`${host}Upgrade: websocket\r\n`), { upgrade: '' }],
  'upgrade with a body': [
    get(`${host}Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n`),
    { upgrade: '', contentLength: 1 },
  ],
  'upgrade of HTTP/1.0': [
    get(`${host}Connection: upgrade\r\nUpgrade: x\r\n`, 'GET / HTTP/1.0'),
    { upgrade: '' },
  ],
  expectation: [
    get(`${host}Expect: 100-Continue\r\nContent-Length: 1\r\n`),
    { expectContinue: true, fields: '' },
  ],
  'expectation without a body': [get(`${host}Expect: 100-continue\r\n`), { expectContinue: false }],
  'expectation of HTTP/1.0': [
    get(`${host}Expect: 100-continue\r\nContent-Length: 1\r\n`, 'POST / HTTP/1.0'),
    { expectContinue: false, contentLength: 1 },
  ],
  'unusual names go': [get(`${host}X_A: 1\r\nX.B: 2\r\nX-C: 3\r\n`), { fields: 'X-C|3' }],
  'Max-Forwards counts for OPTIONS': [
    get(`${host}Max-Forwards: 10\r\n`, 'OPTIONS / HTTP/1.1'),
    { fields: 'Max-Forwards|9' },
  ],
  'Max-Forwards of other methods is theirs': [
    get(`${host}Max-Forwards: 0\r\n`),
    { fields: 'Max-Forwards|0' },
  ],
}

for (const [name, [text, wanted]] of Object.entries(good)) {
  test(`reads: ${name}`, () => {
    const result = read(text)
    assert.deepEqual(
      Object.fromEntries(Object.keys(wanted).map((key) => [key, result[key]])),
      wanted,
    )
  })
}

const underscores = { underscoresInHeaders: true }
const all = { ignoreInvalidHeaders: false }
for (const [options, wanted] of [
  [underscores, 'X_A|1|X-C|3'],
  [all, 'X_A|1|X.B|2|X-C|3'],
] as const) {
  test(`unusual names with ${JSON.stringify(options)}, but no alias of a field of ours`, () => {
    const aliases = 'Transfer_Encoding: x\r\nx.forwarded_for: x\r\nContent_Length: 7\r\n'
    const result = read(get(`${host}X_A: 1\r\n${aliases}X.B: 2\r\nX-C: 3\r\n`), options)
    assert.equal(result['fields'], wanted)
  })
}

/** Heads that are refused, by the code of the refusal. */
const bad: Record<string, readonly string[]> = {
  'malformed-request-line': [
    get(host, ' GET / HTTP/1.1'),
    get(host, 'GET  / HTTP/1.1'),
    get(host, 'GET / HTTP/1.1 '),
    get(host, 'GET /'),
    get(host, 'GET / '),
    get(host, 'GET\t/ HTTP/1.1'),
    get(host, 'GET / http/1.1'),
    get(host, 'GET / HTTP/1.10'),
    get(host, 'GET / HTTP/1.'),
    get(host, 'GET / HTTP/11'),
    get(host, 'GET / HTTP/+1.1'),
    get(host, 'G\u00c4T / HTTP/1.1'),
    get(host, '{} / HTTP/1.1'),
    get(host, 'GET HTTP/1.1'),
    'GET / HTTP/1.1\nHost: a.test\n\n',
    'GET / HTTP/1.1\rHost: a.test\r\r\n\r\n',
    'GET /\nHost: a.test\r\n\r\n',
    '\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n',
  ],
  'malformed-target': [
    get(host, 'GET /a% HTTP/1.1'),
    get(host, 'GET /a%4 HTTP/1.1'),
    get(host, 'GET /a%zz?x HTTP/1.1'),
    get(host, 'GET /#x HTTP/1.1'),
    get(host, 'GET /?#x HTTP/1.1'),
    get(host, 'GET /\u0000 HTTP/1.1'),
    get(host, 'GET /\t HTTP/1.1'),
    get(host, 'GET /\u007f HTTP/1.1'),
    get(host, 'GET /caf\u00e9 HTTP/1.1'),
    get(host, 'GET * HTTP/1.1'),
    get(host, 'OPTIONS *? HTTP/1.1'),
    get(host, 'GET x HTTP/1.1'),
    get(host, 'GET a.test:80 HTTP/1.1'),
    get(host, 'GET ftp://a.test/ HTTP/1.1'),
    get(host, 'GET http:///x HTTP/1.1'),
    get(host, 'GET http:/a.test/ HTTP/1.1'),
    get(host, 'GET http://u@a.test/ HTTP/1.1'),
    get(host, 'GET http://a.test:99999/ HTTP/1.1'),
    get(host, 'GET http://a.test\\@b.test/ HTTP/1.1'),
  ],
  'unsupported-version': [
    get(host, 'GET / HTTP/2.0'),
    get(host, 'GET / HTTP/0.9'),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ],
  'malformed-field': [
    get(`${host}X-A : 1\r\n`),
    get(`${host}X-A\r\n`),
    get(`${host}: 1\r\n`),
    get(`${host} X-A: 1\r\n`),
    get(` ${host}`),
    get(`${host}X-A: 1\r\n folded\r\n`),
    get(`${host}X-A:\r\n\tfolded\r\n`),
    get(`${host}X-A: 1\nX-B: 2\r\n`),
    get(`${host}X-A: 1\rX-B: 2\r\n`),
    get(`${host}X-A: 1\r\rX-B: 2\r\n`),
    get(`${host}X-A: a\u0000b\r\n`),
    get(`${host}X-A: a\u001fb\r\n`),
    get(`${host}X-A: a\u007fb\r\n`),
    get(`${host}X[]: 1\r\n`),
    get(`${host}X-\u00c4: 1\r\n`),
    get(`${host}X A: 1\r\n`),
    get(`${host}\rX-A: 1\r\n`),
  ],
  'missing-host': [get(''), get('', 'GET http://a.test/ HTTP/1.1')],
  'duplicate-host': [
    get(`${host}${host}`),
    get(`${host}hOST: b.test\r\n`),
    get(`${host}${host}`, 'GET / HTTP/1.0'),
  ],
  'malformed-host': [
    '',
    'a.test, b.test',
    'a.test b.test',
    'a.test:98777',
    'a.test:x',
    'a.test:80:80',
    ':80',
    '[::1',
    '::1',
    '[::1]x',
    '[fe80::1%25eth0]',
    '[1.2.3.4]',
    'a%2etest',
    '\u00ffa.test',

    'a..test',
    '.a.test',
    '.',
    'u@a.test',
    'http://a.test',
    'a.test/x',
    'a.test:0',
    'a.test:-1',
  ].map((value) => get(`Host: ${value}\r\n`)),
  'malformed-framing': [
    '',
    '-1',
    '+1',
    '0x5',
    '5 5',
    '5, 5',
    ',5',
    '5,',
    '1e1',
    '5abc',
    '5.0',
    '\u00b2',
    '9007199254740992',
    '9007199254740993',
    '1'.repeat(40),
  ]
    .map((value) => get(`${host}Content-Length: ${value}\r\n`))
    .concat(
      get(`${host}Content-Length: 5\r\nContent-Length: 5\r\n`),
      get(`${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`),
      get(`${host}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n`),
      get(`${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n`),
      get(`${host}Transfer-Encoding: chunked\r\n`, 'POST / HTTP/1.0'),
      ...[
        '',
        ',chunked',
        'chunked,',
        'chunked, gzip',
        '"chunked"',
        'chunked;q=1',
        'x',
        'ch unked',
      ].map((value) => get(`${host}Transfer-Encoding: ${value}\r\n`)),
    ),
  'unsupported-coding': [
    get(`${host}Transfer-Encoding: gzip, chunked\r\n`),
    get(`${host}Transfer-Encoding: identity ,\tChunked\r\n`),
  ],
  'method-not-allowed': [
    get(host, 'TRACE / HTTP/1.1'),
    get(host, 'CONNECT a.test HTTP/1.1'),
    get(host, 'CONNECT a.test:443 HTTP/1.1'),
    get('', 'CONNECT / HTTP/1.1'),
  ],
  'unknown-expectation': [
    get(`${host}Expect: 200-ok\r\n`),
    get(`${host}Expect: x 100-continue\r\nContent-Length: 1\r\n`),
    get(`${host}Expect: 100-continue\r\nExpect: 100-continue\r\n`),
  ],
  'duplicate-credentials': [get(`${host}Authorization: a\r\nAuthorization: b\r\n`)],
  'malformed-connection': [get(`${host}Connection: ${'x,'.repeat(100)}\r\n`)],
  'malformed-max-forwards': [
    get(`${host}Max-Forwards: x\r\n`, 'OPTIONS / HTTP/1.1'),
    get(`${host}Max-Forwards: 1\r\nMax-Forwards: 2\r\n`, 'OPTIONS / HTTP/1.1'),
  ],
  'no-forwards-left': [get(`${host}Max-Forwards: 0\r\n`, 'OPTIONS / HTTP/1.1')],
  'too-many-fields': [get(host + 'X: 1\r\n'.repeat(100))],
  'request-line-too-long': [get(host, `GET /${'x'.repeat(8179)} HTTP/1.1`)],
  'head-too-large': [get(`${host}X: ${'x'.repeat(32 * 1024)}\r\n`)],
}

for (const [refusal, texts] of Object.entries(bad)) {
  test(`refuses: ${refusal}`, () => {
    for (const text of texts)
      assert.deepEqual(read(text), { refusal }, JSON.stringify(text.slice(0, 120)))
  })
}

test('limits are met exactly', () => {
  const line = `GET /${'x'.repeat(8192 - 14)} HTTP/1.1`
  assert.equal(line.length, 8192)
  assert.equal(read(get(host, line))['method'], 'GET')
  const rest = get(`${host}X: \r\n`).length
  const head = get(`${host}X: ${'x'.repeat(32 * 1024 - rest)}\r\n`)
  assert.equal(head.length, 32 * 1024)
  assert.equal(read(head)['method'], 'GET')
  assert.equal(read(get(host + 'X: 1\r\n'.repeat(99)))['method'], 'GET')
})

test('a head that is refused or cut leaves nothing to the next one', () => {
  read(get(`${host}X-Left: 1\r\nContent-Length: 5\r\nContent-Length: 5\r\n`))
  assert.deepEqual(read(get(`${host}Y: 1\r\n`))['fields'], 'Y|1')
  const cut = Buffer.from('POST /x HTTP/1.1\r\nX-Left: 1\r\nExpect: 100-continue\r\n')
  assert.equal(parser.parse(cut, 0, cut.length, serverOptions), -1)
  assert.deepEqual(read(get(`${host}Y: 1\r\n`))['fields'], 'Y|1')
})
