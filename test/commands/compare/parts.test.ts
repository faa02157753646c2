import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Seen } from '#src/commands/compare/ask.ts'
import { differencesOf, usualFields } from '#src/commands/compare/difference.ts'
import { readEcho } from '#src/commands/compare/echo.ts'
import { readLogLine } from '#src/commands/compare/log-requests.ts'
import { samplePath } from '#src/commands/compare/sample-path.ts'
import { upstreamHosts } from '#src/commands/compare/upstream-hosts.ts'
import type { Ingress } from '#src/snapshot/objects.ts'

// Pattern, sample, and whether the pattern, anchored at the start, must match it.
const patterns: readonly (readonly [pattern: string, sample: string, matches?: false])[] = [
  ['/', '/'],
  ['/a', '/a'],
  ['/a(/|$)(.*)', '/a/x'],
  ['/api/v[0-9]+/users/([a-z]{3})', '/api/v0/users/aaa'],
  ['/(foo|bar)/.+$', '/foo/x'],
  ['/id/\\d{3}$', '/id/111'],
  ['/(?:one|two)?/three', '/one/three'],
  ['/(?i)a', '/a'],
  ['/a[^/]*\\.html', '/ax.html'],
  ['/(?!admin)(.*)', '/x'],
  ['/a\\/b\\.c', '/a/b.c'],
  ['/(?<name>x)y', '/xy'],
  ['|/b', '/b'],
  ['/a{2,}', '/aa'],
  // What no pattern is is asked for all the same.
  ['/a(b', '/ab', false],
  ['/a)b', '/ab', false],
  ['/a[bc', '/ab', false],
  ['/a\\', '/a', false],
  ['[a-z]+', '/a', false],
  ['', '/'],
]

for (const [pattern, sample, matches = true] of patterns) {
  test(`a path for ${pattern} is ${sample}`, () => {
    assert.equal(samplePath(pattern), sample)
    if (!matches) return
    const readable = pattern.replace('(?i)', '')
    assert.match(sample, new RegExp(`^(?:${readable})`))
  })
}

test('a pattern that nests without end gives a path', () => {
  assert.ok(samplePath(`/${'('.repeat(10_000)}a`).startsWith('/'))
})

const combinedLine =
  '10.0.0.1 - - [29/Nov/2026:10:00:00 +0000] "GET /a?b=1 HTTP/1.1" 200 12 "-" "curl/8 \\x22x\\x22" 80 0.001 [shop-web-80] [] 10.1.0.1:80 12 0.001 200 abc'

const logLines: readonly (readonly [
  title: string,
  line: string,
  expected: readonly string[] | undefined,
])[] = [
  ["ingress-nginx's own", combinedLine, ['GET', '', '/a?b=1', 'curl/8 "x"', 'shop-web-80']],
  [
    'combined, with a user',
    '::1 - a b [29/Nov/2026:10:00:00 +0000] "HEAD / HTTP/2.0" 304 0 "http://x/" "-"',
    ['HEAD', '', '/', '', ''],
  ],
  [
    'common',
    '::1 - - [29/Nov/2026:10:00:00 +0000] "GET /x HTTP/1.0" 200 -',
    ['GET', '', '/x', '', ''],
  ],
  [
    "Headgate's",
    JSON.stringify({ method: 'GET', host: 'a.example', target: '/x?y', user_agent: 'u' }),
    ['GET', 'a.example', '/x?y', 'u', ''],
  ],
  [
    'JSON with names of nginx',
    JSON.stringify({ request_method: 'GET', vhost: 'a', path: '/x', request_query: 'y=1' }),
    ['GET', 'a', '/x?y=1', '', ''],
  ],
  ['JSON that is cut', '{"method":"GET"', undefined],
  ['JSON without a target', '{"method":"GET","host":"a"}', undefined],
  ['JSON null', '{}', undefined],
  [
    'a host that is none',
    JSON.stringify({ method: 'GET', host: 'a b\r\n', target: '/' }),
    undefined,
  ],
  [
    'no request',
    '::1 - - [29/Nov/2026:10:00:00 +0000] "\\x16\\x03\\x01" 400 150 "-" "-"',
    undefined,
  ],
  [
    'a target that is no path',
    '::1 - - [29/Nov/2026:10:00:00 +0000] "CONNECT a:443 HTTP/1.1" 405 0 "-" "-"',
    undefined,
  ],
  ['no log at all', 'hello', undefined],
  ['a line without end', `{"method":"${'G'.repeat(100_000)}`, undefined],
]

for (const [title, line, expected] of logLines) {
  test(`log line: ${title}`, () => {
    const read = readLogLine(line)
    assert.deepEqual(
      read && [read.method, read.host, read.target, read.userAgent, read.upstream],
      expected,
    )
  })
}

test('a logged upstream leads to the host of its longest path', () => {
  const backend = { service: { name: 'web', port: 80 } }
  const ingress = {
    metadata: { namespace: 'shop', name: 'x' },
    rules: [
      { host: '*.wild.example', paths: [{ path: '/', backend }] },
      { host: 'a.example', paths: [{ path: '/', backend }] },
      { host: 'b.example', paths: [{ path: '/deep', backend }] },
    ],
  } as unknown as Ingress
  const find = upstreamHosts([ingress])
  assert.equal(find('shop-web-80', '/deep/x'), 'b.example')
  assert.equal(find('shop-web-80', '/x'), 'a.example')
  assert.equal(find('shop-web-81', '/x'), '')
})

const ports = { old: '8001', new: '8002' }
const yardstick = { names: usualFields, echo: true, ignored: new Set(['mine']), ports }

function seen(
  status: number,
  fields: Record<string, string | string[]> = {},
  body: unknown = '',
): Seen {
  const lists = Object.entries(fields).map(([name, value]) => [name, [value].flat()])
  return {
    status,
    error: status === 0 ? 'ECONNRESET' : '',
    fields: Object.fromEntries(lists) as Seen['fields'],
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }
}

const echoText = (...lines: string[]): string => ['Request Headers:', ...lines, ''].join('\n')

const pairs: readonly (readonly [title: string, old: Seen, now: Seen, whats: readonly string[]])[] =
  [
    ['the same', seen(200), seen(200), []],
    ['status', seen(200), seen(404), ['status']],
    ['no answer', seen(200), seen(0), ['status']],
    ['neither answers', seen(0), seen(0), []],
    [
      'location',
      seen(308, { location: 'https://a/' }),
      seen(308, { location: 'https://a/x' }),
      ['location'],
    ],
    [
      'the port that was asked is no difference',
      seen(302, { location: 'http://a:8001/x' }),
      seen(302, { location: 'http://a:8002/x' }),
      [],
    ],
    [
      'another port is one',
      seen(302, { location: 'http://a:80010/x' }),
      seen(302, { location: 'http://a/x' }),
      ['location'],
    ],
    ['a field that is missing', seen(200, { allow: 'GET' }), seen(200), ['allow']],
    ['a field that nobody asked for', seen(200, { 'x-a': '1' }), seen(200), []],
    ["error pages are the controllers' own", seen(404, { 'content-type': 'a' }), seen(404), []],
    ['types of answers count', seen(200, { 'content-type': 'a' }), seen(200), ['content-type']],
    [
      'values of cookies are new each time',
      seen(200, { 'set-cookie': ['a=1; Path=/; Expires=x', 'b=2'] }),
      seen(200, { 'set-cookie': ['b=3', 'a=4; path=/; expires=y'.replace('path', 'Path')] }),
      [],
    ],
    [
      'their attributes are not',
      seen(200, { 'set-cookie': 'a=1; Secure' }),
      seen(200, { 'set-cookie': 'a=1' }),
      ['set-cookie'],
    ],
    [
      'what the upstream saw, JSON',
      seen(200, {}, { path: '/a', headers: { Host: 'x', 'X-Request-Id': '1', Mine: '1' }, pid: 1 }),
      seen(200, {}, { path: '/b', headers: { host: 'x', 'x-request-id': '2', mine: '2' }, pid: 1 }),
      ['upstream path'],
    ],
    [
      'what the upstream saw, lines',
      seen(200, {}, echoText('\thost=a', '\tx-real-ip=1')),
      seen(200, {}, echoText('\thost=a', '\tx-real-ip=1', '\tx-b=2')),
      ['upstream request headers.x-b'],
    ],
    [
      'the port that was asked, as the upstream saw it',
      seen(200, {}, { headers: { 'x-forwarded-port': '8001', host: 'a' } }),
      seen(200, {}, { headers: { 'x-forwarded-port': '8002', host: 'a' } }),
      [],
    ],
    ['one of them is no echo', seen(200, {}, { a: 1, b: 2 }), seen(200, {}, 'hello'), ['upstream']],
    ['neither is', seen(200, {}, 'hello'), seen(200, {}, 'hullo'), []],
  ]

for (const [title, old, now, whats] of pairs) {
  test(`difference: ${title}`, () => {
    assert.deepEqual(
      differencesOf(old, now, yardstick).map(({ what }) => what),
      whats,
    )
  })
}

test('an echo is bounded, and total over any text', () => {
  const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`n${i}`, i]))
  assert.equal(readEcho(JSON.stringify(wide), new Set())?.size, 1000)
  for (const body of ['', '{', '[]', 'null', '{"a":null}', ':::', '='.repeat(100_000)]) {
    assert.equal(readEcho(body, new Set()), undefined)
  }
})
