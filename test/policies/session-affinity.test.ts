import assert from 'node:assert/strict'
import { test } from 'node:test'
import { complete } from '#src/annotations/schema.ts'
import { Fields } from '#src/exchange/fields.ts'
import type { PolicyExchange } from '#src/policies/policy.ts'
import { mishandlesSameSiteNone } from '#src/policies/same-site.ts'
import { sessionAffinity } from '#src/policies/session-affinity.ts'
import type { SessionAffinityConfig } from '#src/policies/session-affinity.ts'
import { contextOf } from './exchanges.ts'

const config: SessionAffinityConfig = {
  cookie: 'sid',
  balanced: true,
  path: '/app',
  domain: '',
  sameSite: '',
  conditionalNone: false,
  secure: false,
  expires: undefined,
  maxAge: undefined,
  changeOnFailure: false,
}

function cookieFor(
  changes: Partial<SessionAffinityConfig>,
  { value = 'v', scheme = 'http', agent = '' } = {},
): string | undefined {
  const request = { fields: new Fields() }
  request.fields.append('User-Agent', agent)
  request.fields.markSent()
  const response = { fields: new Fields() }
  const exchange = {
    request,
    response,
    scheme,
    newSession: () => value,
    wallClock: () => Date.UTC(2026, 0, 1),
  } as unknown as PolicyExchange
  sessionAffinity.start({ ...config, ...changes }).responseHead?.(exchange)
  return response.fields.get('set-cookie')
}

const safari12 = 'Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15'
const none = { sameSite: 'None', conditionalNone: true } as const

type Row = readonly [
  Partial<SessionAffinityConfig>,
  Parameters<typeof cookieFor>[1],
  string | undefined,
]
const rows: readonly Row[] = [
  [{}, {}, 'sid=v; Path=/app; HttpOnly'],
  [{}, { value: '' }, undefined],
  [{}, { scheme: 'https' }, 'sid=v; Path=/app; HttpOnly; Secure'],
  [{ secure: true }, {}, 'sid=v; Path=/app; HttpOnly; Secure'],
  [{ domain: 'foo.bar' }, {}, 'sid=v; Path=/app; Domain=foo.bar; HttpOnly'],
  [{ maxAge: 60 }, {}, 'sid=v; Path=/app; Max-Age=60; HttpOnly'],
  [{ expires: 60 }, {}, 'sid=v; Path=/app; HttpOnly; Expires=Thu, 01 Jan 2026 00:01:00 GMT'],
  [{ sameSite: 'Lax' }, {}, 'sid=v; Path=/app; HttpOnly; SameSite=Lax'],
  [none, { agent: safari12 }, 'sid=v; Path=/app; HttpOnly'],
  [none, { agent: 'Firefox' }, 'sid=v; Path=/app; HttpOnly; SameSite=None'],
  [
    { ...none, conditionalNone: false },
    { agent: safari12 },
    'sid=v; Path=/app; HttpOnly; SameSite=None',
  ],
]

for (const [changes, given, expected] of rows) {
  test(`session cookie of ${JSON.stringify(changes)} for ${JSON.stringify(given)}`, () => {
    assert.equal(cookieFor(changes, given), expected)
  })
}

const agents: readonly (readonly [string, boolean])[] = [
  [safari12, true],
  [safari12.replace('12_1', '13_0'), false],
  ['Mozilla/5.0 (X11) Chrome/50.0 Safari/537.36', false],
  ['Mozilla/5.0 (X11) Chrome/51.0 Safari/537.36', true],
  ['Mozilla/5.0 (X11) Chromium/66.0', true],
  ['Mozilla/5.0 (X11) Chrome/67.0', false],
  ['Mozilla/5.0 (Linux) UCBrowser/12.13.1.9 Mobile', true],
  ['Mozilla/5.0 (Linux) Chrome/57.0 UCBrowser/12.13.2.1 Mobile', false],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Safari/605.1.15',
    true,
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, like Gecko)',
    true,
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13 Safari/605',
    false,
  ],
]

for (const [agent, expected] of agents) {
  test(`SameSite=None and ${agent}: ${expected ? 'mishandled' : 'fine'}`, () => {
    assert.equal(mishandlesSameSiteNone(agent), expected)
  })
}

test('session affinity is off without the annotation, and the path of the route is that of the cookie', () => {
  assert.equal(sessionAffinity.annotations.affinity.default, 'none')
  assert.equal(sessionAffinity.annotations.affinity.type.parse('cookie'), 'cookie')
  assert.equal(
    sessionAffinity.annotations['session-cookie-domain'].type.parse('.a.example'),
    'a.example',
  )
  const { type } = sessionAffinity.annotations['session-cookie-path']
  for (const text of ['/a;b', '/a?b', '/a b', '/\u010a', 'a'])
    assert.equal(type.parse(text), undefined)
  assert.equal(type.parse('/%C4%8D'), '/%C4%8D')
})

const cookiePaths: readonly (readonly [rule: string, cookie: string])[] = [
  ['/app', '/app'],
  ['', '/'],
  ['/a%20b', '/a%20b'],
  ['/a b', '/a%20b'],
  ['/\u010d\u010a', '/%C4%8D%C4%8A'],
  ['/a;b', '/'],
]
for (const [path, expected] of cookiePaths) {
  test(`the cookie of a route at ${JSON.stringify(path)} has the path ${expected}`, () => {
    const values = { ...complete(sessionAffinity.annotations, {}), affinity: 'cookie' as const }
    assert.equal(sessionAffinity.configure(values, contextOf({}, { path }))?.path, expected)
  })
}
