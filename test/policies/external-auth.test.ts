import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResponseHead } from '#src/exchange/heads.ts'
import { fieldMask } from '#src/exchange/known-fields.ts'
import { complete } from '#src/annotations/schema.ts'
import { AnswerCache } from '#src/policies/external-auth-cache.ts'
import { freshMs } from '#src/policies/external-auth-freshness.ts'
import { externalAuth } from '#src/policies/external-auth.ts'
import type { ExternalAuthConfig } from '#src/policies/external-auth.ts'
import { CONTINUE, SUSPEND } from '#src/policies/policy.ts'
import type { Reply, Subrequest } from '#src/policies/policy.ts'
import { contextOf, fakeExchange, fieldsOf } from './exchanges.ts'
import type { Given } from './exchanges.ts'

const { annotations } = externalAuth

/** The config that these texts of annotations give. */
function configOf(
  texts: Readonly<Record<string, string>>,
  host = 'a.example',
  data: Readonly<Record<string, string>> = { 'X-More': 'for $host' },
) {
  const given: Record<string, unknown> = {}
  for (const [key, text] of Object.entries(texts)) {
    given[key] = annotations[key as keyof typeof annotations].type.parse(text)
    assert.notEqual(given[key], undefined, `${key}: ${text}`)
  }
  const denied: string[] = []
  const problems: string[] = []
  const context = contextOf(
    { ...complete(externalAuth.options, {}), 'no-auth-locations': [] },
    {
      host,
      deny: (key) => denied.push(key),
      report: (_key, message) => problems.push(message),
      data: () => data,
    },
  )
  const config = externalAuth.configure(complete(annotations, given), context)
  return { config: config as ExternalAuthConfig, denied, problems }
}

/** Runs the request phase against a service that answers so; undefined: not at all. */
function run(
  texts: Readonly<Record<string, string>>,
  status: number | undefined,
  { answer = [] as readonly (readonly [string, string])[], ...given }: Given = {},
  data?: Readonly<Record<string, string>>,
) {
  const asked: Subrequest[] = []
  const after: Reply[] = []
  let resumed = 0
  const fake = fakeExchange({
    ...given,
    state: [],
    now: () => 0,
    suspend: () => ({ resume: () => resumed++, reply: (reply: Reply) => after.push(reply) }),
    subrequest(request) {
      asked.push(request)
      const head = new ResponseHead()
      head.status = status ?? 0
      for (const [name, value] of answer) head.fields.append(name, value)
      request.onAnswer(status === undefined ? undefined : head, Buffer.alloc(0))
    },
  })
  const url = 'http://auth.example/check'
  const { config, problems } = configOf({ 'auth-url': url, ...texts }, undefined, data)
  const verdict = externalAuth.start(config).requestHead?.(fake.exchange)
  return { ...fake, asked, after, resumed, verdict, problems }
}

for (const [status, expected] of [
  [200, undefined],
  [204, undefined],
  [299, undefined],
  [401, 401],
  [403, 403],
  [302, 500],
  [404, 500],
  [503, 500],
  [undefined, 500],
] as const) {
  test(`the service answers ${status}: ${expected ?? 'the request passes'}`, () => {
    const { after, resumed, verdict } = run({}, status)
    assert.equal(verdict, SUSPEND)
    assert.equal(after[0]?.status, expected)
    assert.equal(resumed, expected === undefined ? 1 : 0)
  })
}

test('the service gets no body, no framing and no offer to upgrade', () => {
  const { asked } = run({ 'auth-proxy-set-headers': 'more' }, 200, {
    method: 'POST',
    target: '/x?a=b',
    fields: {
      Connection: 'Upgrade, X-Once',
      Upgrade: 'websocket',
      'Content-Length': '10',
      'Transfer-Encoding': 'chunked',
      'X-Once': '1',
      'X-More': 'forged',
      'X-Forwarded-For': '10.0.0.1',
      'X-Forwarded-Host': 'forged.example',
      Cookie: 's=1',
    },
  })
  const request = asked[0] as Subrequest
  assert.equal(request.method, 'GET')
  assert.equal(request.body, '')
  assert.deepEqual(request.fields, [
    'Cookie',
    's=1',
    'X-Original-URL',
    'http://a.example/x?a=b',
    'X-Original-Method',
    'POST',
    'X-Sent-From',
    'nginx-ingress-controller',
    'X-Real-IP',
    '198.51.100.7',
    'X-Forwarded-For',
    '198.51.100.7',
    'X-Request-ID',
    'id',
    'X-Auth-Request-Redirect',
    '/x?a=b',
    'X-More',
    'for a.example',
  ])
})

test('Host of auth-proxy-set-headers is that of the request, and nothing there frames it', () => {
  const data = { host: 'in.$host', 'Content-Length': '5', Connection: 'close', 'X-None': '$arg_x' }
  const { asked, problems } = run({ 'auth-proxy-set-headers': 'more' }, 200, {}, data)
  const request = asked[0] as Subrequest
  assert.equal(request.authority, 'in.a.example')
  const names = new Set(request.fields.map((text) => text.toLowerCase()))
  for (const name of ['host', 'content-length', 'connection', 'x-none']) {
    assert.ok(!names.has(name), name)
  }
  assert.deepEqual(problems, [
    'Content-Length is set by the proxy itself; it is left out',
    'Connection is set by the proxy itself; it is left out',
  ])
  const odd = run({ 'auth-proxy-set-headers': 'more' }, 200, {}, { Host: 'a/$host' })
  assert.equal((odd.asked[0] as Subrequest).authority, 'auth.example')
})

for (const name of ['Host', 'content-length', 'Transfer-Encoding', 'X A']) {
  test(`auth-response-headers: ${name} is refused`, () => {
    assert.equal(annotations['auth-response-headers'].type.parse(`X-User,${name}`), undefined)
  })
}

test('a method that is named brings X-Original-URI and X-Scheme', () => {
  const { asked } = run({ 'auth-method': 'POST' }, 200, { target: '/x?y' })
  assert.equal(asked[0]?.method, 'POST')
  const text = asked[0].fields.join(' ')
  assert.ok(text.includes('X-Auth-Request-Redirect /x?y X-Original-URI /x?y X-Scheme http'), text)
})

test('what a trusted peer said of host, port and scheme goes along', () => {
  const given = { fields: { 'X-Forwarded-Host': 'b.example', 'X-Forwarded-Port': '8443' } }
  const { asked } = run({}, 200, { ...given, vouchedFields: fieldMask('x-forwarded-host') })
  const text = asked[0]?.fields.join(' ') ?? ''
  assert.ok(text.startsWith('X-Forwarded-Host b.example X-Original-URL'), text)
  assert.ok(!text.includes('8443'), text)
})

test("a field of a ConfigMap whose text is nothing is not sent, and neither is the client's", () => {
  const { asked } = run(
    { 'auth-proxy-set-headers': 'more' },
    200,
    {
      fields: { 'X-More': 'forged' },
    },
    { 'X-More': '$http_x_none' },
  )
  assert.ok(!asked[0]?.fields.includes('X-More'))
})

for (const [target, escaped] of [
  ["/a@b$c,d;e:f'(g)*!~", "%2Fa@b$c,d%3Be%3Af'(g)*!~"],
  ['/%20?a=b&c=d+e', '%2F%2520%3Fa%3Db%26c%3Dd%2Be'],
] as const) {
  test(`the URL that was asked for is escaped as set_escape_uri does it: ${target}`, () => {
    const { after } = run({ 'auth-signin': 'https://sso.example' }, 401, { target })
    const location = `https://sso.example?rd=http://a.example${escaped}`
    assert.deepEqual(after, [{ status: 302, fields: ['Location', location] }])
  })
}

test("fields of the answer replace the client's, also when they are not there", () => {
  const { request } = run({ 'auth-response-headers': 'X-User, X-Role' }, 200, {
    fields: { 'X-User': 'forged', 'X-Role': 'forged' },
    answer: [['x-user', 'ann']],
  })
  assert.deepEqual(fieldsOf(request.fields), [['x-user', 'ann']])
})

for (const [signIn, location] of [
  ['http://$host/start', 'http://a.example/start?rd=http://a.example%2F%3Fa%3Db%26c%3Dd'],
  ['https://sso.example/?x=1', 'https://sso.example/?x=1&rd=http://a.example%2F%3Fa%3Db%26c%3Dd'],
  ['https://sso.example/?rd=/home', 'https://sso.example/?rd=/home'],
  // What the client asks for is no parameter that is written there.
  [
    'https://sso.example/?from=$request_uri&x',
    'https://sso.example/?from=/?a=b&rd=c&x&rd=http://a.example%2F%3Fa%3Db%26rd%3Dc',
  ],
] as const) {
  test(`sign-in at ${signIn}`, () => {
    const target = signIn.includes('$request_uri') ? '/?a=b&rd=c' : '/?a=b&c=d'
    const { after } = run({ 'auth-signin': signIn }, 401, { target })
    assert.deepEqual(after, [{ status: 302, fields: ['Location', location] }])
  })
}

test('the URL: scheme, port and host of the rule', () => {
  const plain = configOf({ 'auth-url': 'http://auth.example/check' }).config
  assert.deepEqual(
    [plain.backend, plain.serverName, plain.authority],
    ['auth.example 80', '', 'auth.example'],
  )
  const own = configOf({ 'auth-url': 'https://$host/oauth2/auth?x=$request_uri' }).config
  assert.deepEqual(
    [own.backend, own.serverName, own.authority],
    ['a.example 443', 'a.example', 'a.example'],
  )
  assert.deepEqual(configOf({ 'auth-url': 'https://$host/auth' }, '*.example').denied, ['auth-url'])
  const v6 = configOf({ 'auth-url': 'http://[2001:db8::1]:8080' }).config
  assert.deepEqual([v6.backend, v6.authority], ['2001:db8::1 8080', '[2001:db8::1]'])
  for (const bad of [
    'https://invalid..auth.url',
    'ftp://a',
    '/check',
    'http://u@a/',
    'http://$arg_x/',
  ]) {
    assert.equal(annotations['auth-url'].type.parse(bad), undefined, bad)
  }
})

test('an answer is kept for its time, and the oldest makes room', () => {
  const cache = new AnswerCache()
  const answer = { status: 200, fields: [], cookies: [], challenge: '' }
  cache.set('a', answer, 1000)
  assert.equal(cache.get('a', 999), answer)
  assert.equal(cache.get('a', 1000), undefined)
  for (let i = 0; i < 9000; i++) cache.set(`${i}`, answer, 1000)
  assert.equal(cache.get('0', 0), undefined)
  assert.equal(cache.get('8999', 0), answer)
  cache.set('x'.repeat(5000), answer, 1000)
  assert.equal(cache.get('x'.repeat(5000), 0), undefined)
})

for (const [answer, ms] of [
  [[], 5000],
  [[['Set-Cookie', 'a=b']], 0],
  [[['Vary', 'Cookie, *']], 0],
  [[['Vary', 'Cookie']], 5000],
  ...['no-cache', 'no-store', 'Private, max-age=9', 'max-age=0', 'max-age=x'].map(
    (text) => [[['Cache-Control', text]], 0] as const,
  ),
  [[['Cache-Control', 'public, max-age=9']], 9000],
  [[['Cache-Control', 's-maxage=8, max-age=9']], 8000],
  [[['Cache-Control', 'public']], 5000],
  [[['Expires', 'Thu, 01 Jan 1970 00:00:11 GMT']], 1000],
  [[['Expires', '0']], 0],
  [
    [
      ['Expires', '0'],
      ['Cache-Control', 'max-age=9'],
    ],
    9000,
  ],
  [
    [
      ['Cache-Control', 'no-cache'],
      ['X-Accel-Expires', '7'],
    ],
    7000,
  ],
  [[['X-Accel-Expires', '0']], 0],
  [[['X-Accel-Expires', '@12']], 2000],
] as readonly (readonly [readonly (readonly [string, string])[], number])[]) {
  test(`an answer with ${JSON.stringify(answer)} is kept for ${ms} ms`, () => {
    const { fields } = new ResponseHead()
    for (const [name, value] of answer) fields.append(name, value)
    assert.equal(freshMs(fields, 5000, 10_000), ms)
  })
}

const spaceOf = (fields: string) =>
  configOf({
    'auth-url': 'http://auth.example',
    'auth-cache-key': 'fixed',
    'auth-response-headers': fields,
  }).config.cache?.space

test('what is kept of an answer is what is asked of it: another list of fields begins anew', () => {
  assert.notEqual(spaceOf('X-User'), spaceOf('X-User,X-Role'))
  assert.equal(spaceOf('X-User'), spaceOf('X-User'))
})

test('what another worker got counts, unless an own answer holds longer', () => {
  const cache = new AnswerCache()
  const told: string[] = []
  cache.onAnswer = (key, { status }, until) => told.push(`${key} ${status} ${until}`)
  const own = { status: 200, fields: [], cookies: [], challenge: '' }
  const other = { ...own, status: 403 }
  cache.set('a', own, 1000)
  cache.take('a', other, 900)
  cache.take('b', other, 900)
  assert.equal(cache.get('a', 0), own)
  assert.equal(cache.get('b', 0), other)
  cache.take('a', other, 1100)
  assert.equal(cache.get('a', 0), other)
  assert.deepEqual(told, ['a 200 1000'])
})

test('auth-signin-redirect-param and auth-request-redirect name where the client wanted to go', () => {
  const texts = {
    'auth-signin': 'https://login.example',
    'auth-signin-redirect-param': 'back',
    'auth-request-redirect': 'https://b.example$request_uri',
  }
  const { after, asked } = run(texts, 401, { target: '/x?y' })
  const fields = asked[0]?.fields ?? []
  assert.equal(fields[fields.indexOf('X-Auth-Request-Redirect') + 1], 'https://b.example/x?y')
  assert.equal(after[0]?.fields?.[1], 'https://login.example?back=http://a.example%2Fx%3Fy')
})

for (const [always, judged, status, expected] of [
  ['false', 200, 200, 'a=1, b=2'],
  ['false', 200, 503, undefined],
  ['true', 200, 503, 'a=1, b=2'],
  // The redirect to sign in.
  ['false', 401, 302, 'a=1, b=2'],
  ['false', 401, 401, undefined],
  ['true', 401, 401, 'a=1, b=2'],
  ['true', 403, 403, 'a=1, b=2'],
  ['true', 500, 500, 'a=1, b=2'],
] as const) {
  test(`auth-always-set-cookie ${always}: the cookies of a ${judged} beside a ${status}: ${expected ?? 'none'}`, () => {
    const texts = { 'auth-url': 'http://auth.example/check', 'auth-always-set-cookie': always }
    const cookies = [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ] as const
    const { exchange } = run(texts, judged, { answer: cookies })
    const response = new ResponseHead()
    response.status = status
    const answered = Object.assign(exchange, { response })
    externalAuth.start(configOf(texts).config).responseHead?.(answered)
    assert.equal(response.fields.getJoined('set-cookie'), expected)
  })
}

test('where another policy let the client in, it does not say who it is in place of the service', () => {
  const { asked, request, verdict } = run({ 'auth-response-headers': 'X-User, X-Groups' }, 200, {
    accessGranted: true,
    fields: { 'x-user': 'root', 'X-GROUPS': 'all', 'x-other': 'stays' },
  })
  assert.equal(verdict, CONTINUE)
  assert.equal(asked.length, 0)
  assert.deepEqual(fieldsOf(request.fields), [['x-other', 'stays']])
})
