import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { logFormat, logVariables } from '#src/policies/log-variables.ts'
import { LineFormat } from '#src/proxy/log-format.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { ask, freePorts, startUpstream } from '#test/commands/instance.ts'
import { TestPlane } from '#test/support/plane.ts'

/** Sends one request through a plane with this format; gives its line. */
async function lineOf(
  t: { after: (cleanup: () => unknown) => void },
  format: string,
  {
    escape = 'default',
    path = '/a?b=1',
    fields = {},
  }: {
    readonly escape?: GlobalOptions['logEscape']
    readonly path?: string
    readonly fields?: Readonly<Record<string, string>>
  } = {},
): Promise<string> {
  const port = await startUpstream(t as never, (_, response) => {
    response.setHeader('x-answer', 'yes')
    response.end('12345')
  })
  const plane = await TestPlane.start({
    upstreams: [port],
    options: { logFormat: logFormat.parse(format) ?? [], logEscape: escape },
  })
  t.after(() => plane.stop())
  await ask(plane.httpPort, path, { headers: { host: 'a.example', ...fields } })
  assert.equal(plane.lines.length, 1)
  return plane.lines[0] ?? ''
}

test("ingress-nginx's own format", async (t) => {
  const line = await lineOf(
    t,
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id',
    { fields: { 'user-agent': 'curl/8', 'x-request-id': 'abc' } },
  )
  assert.match(
    line,
    /^127\.0\.0\.1 - - \[\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:\d{2}:\d{2} \+0000\] "GET \/a\?b=1 HTTP\/1\.1" 200 5 "-" "curl\/8" \d+ \d+\.\d{3} \[[^\]]+-\d+\] \[-\] 127\.0\.0\.1:\d+ 5 \d+\.\d{3} 200 abc$/,
  )
})

test('each of several tries is told', async (t) => {
  const upstreams = await freePorts(2)
  const format = '$status [$upstream_status] [$upstream_response_length] $upstream_addr'
  const plane = await TestPlane.start({
    upstreams,
    options: { logFormat: logFormat.parse(format) ?? [] },
  })
  t.after(() => plane.stop())
  await ask(plane.httpPort, '/', { headers: { host: 'a.example' } })
  const [line = ''] = plane.lines
  assert.match(line, /^502 \[502, 502\] \[0, 0\] 127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+$/)
  for (const port of upstreams) assert.ok(line.includes(`:${port}`), line)
})

const hostile = 'a"b\\c\td\u00e9'

const escapes: readonly (readonly [GlobalOptions['logEscape'], string])[] = [
  ['default', '"a\\x22b\\x5Cc\\x09d\\xE9" "-"'],
  ['json', '"a\\"b\\\\c\\td\\u00e9" ""'],
  ['none', '"a"b\\c\\x09d\\xe9" ""'],
]

for (const [escape, expected] of escapes) {
  test(`what a client sends cannot break the line: ${escape}`, async (t) => {
    const fields = { 'x-hostile': hostile }
    const line = await lineOf(t, '"$http_x_hostile" "$http_x_absent"', { escape, fields })
    assert.equal(line, expected)
  })
}

test('JSON by hand is JSON', async (t) => {
  const line = await lineOf(
    t,
    '{"host": "$host", "agent": "$http_user_agent",\n "sent": "${sent_http_x_answer}", "args": "$args", "grüße": 1}',
    { escape: 'json', fields: { 'user-agent': hostile } },
  )
  const text = Buffer.from(line, 'latin1').toString('utf8')
  assert.deepEqual(JSON.parse(text), {
    host: 'a.example',
    agent: hostile,
    sent: 'yes',
    args: 'b=1',
    grüße: 1,
  })
})

test('every variable of logs has a value, or a dash', async (t) => {
  const format = logVariables.map((name) => `${name}=$${name}`).join('|')
  const values = new Map(
    (await lineOf(t, format)).split('|').map((pair) => pair.split('=') as [string, string]),
  )
  assert.deepEqual([...values.keys()], [...logVariables])
  for (const [name, value] of values) assert.ok(value !== '' && value !== 'undefined', name)
  assert.equal(values.get('server_protocol'), 'HTTP/1.1')
})

test('each line has the values of its own request, whatever the one before had', async (t) => {
  const port = await startUpstream(t, (_, response) => response.end('12345'))
  const plane = await TestPlane.start({
    upstreams: [port],
    options: {
      logFormat: logFormat.parse('[$http_user_agent|$request_method|$host] $req_id "$uri"') ?? [],
      logEscape: 'json',
    },
  })
  t.after(() => plane.stop())
  const requests = [
    ['a', 'GET', 'one'],
    ['a', 'GET', 'two"'],
    ['a', 'GET', 'three'],
    ['b"', 'GET', 'four'],
    ['', 'PUT', 'five'],
    ['a', 'GET', 'six'],
  ] as const
  for (const [agent, method, id] of requests) {
    const headers = { host: 'a.example', 'user-agent': agent, 'x-request-id': id }
    await ask(plane.httpPort, `/${method}`, { method, headers })
  }
  assert.deepEqual(
    plane.lines,
    requests.map(([agent, method, id]) => {
      const [shownAgent, shownId] = [agent, id].map((text) => JSON.stringify(text).slice(1, -1))
      return `[${shownAgent}|${method}|a.example] ${shownId} "/${method}"`
    }),
  )
})

const bad: readonly (readonly [format: string, why: RegExp])[] = [
  ['$nonsense', /\$nonsense is not a variable/],
  ['costs $', /must begin a variable/],
  ['$lua_x', /\$lua_x is not/],
  ['x'.repeat(9000), /longer than/],
]

for (const [format, why] of bad) {
  test(`a format that is none: ${format.slice(0, 20)}`, () => {
    assert.equal(logFormat.parse(format), undefined)
    assert.match(logFormat.explain?.(format) ?? '', why)
  })
}

/** Numbers and times are not looked at, as they hold nothing to escape. */
function shown(name: string, given: string): string {
  const plain = ['status', 'request_id', 'body_bytes_sent', 'time_local'].includes(name)
  return plain ? given : given.replaceAll('"', '\\"')
}

test('a line tells its own values, whatever the lines before it told', () => {
  const names = [
    'status',
    'request_uri',
    'host',
    'request_id',
    'body_bytes_sent',
    'http_a',
    'time_local',
  ]
  const text = names.map((name) => ` ${name}=$${name}`).join('')
  type Values = Readonly<Record<string, string>>
  const format = new LineFormat<Values>(
    logFormat.parse(text) ?? [],
    'json',
    (name) => (values) => values[name] ?? '',
  )
  const value = fc.constantFrom('', 'a', '"', 'a text of more than sixteen units')
  const line = fc.record(Object.fromEntries(names.map((name) => [name, value])))
  fc.assert(
    fc.property(fc.array(fc.tuple(line, fc.integer({ min: 1, max: 3 }))), (lines) => {
      for (const [values, times] of lines) {
        const wanted = names.map((name) => ` ${name}=${shown(name, values[name] ?? '')}`).join('')
        for (let i = 0; i < times; i++) assert.equal(format.line(values, 0), wanted)
        assert.equal(format.lineOf(format.textsOf(values, 0), values, 0), wanted)
      }
    }),
  )
})
