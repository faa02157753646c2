import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policies, policyList, startPolicy } from '#src/policies/index.ts'
import { CONTINUE, REPLY } from '#src/policies/policy.ts'
import type { PolicyExchange, Reply } from '#src/policies/policy.ts'
import { contextOf } from './exchanges.ts'

const sslRedirect = policies['ssl-redirect']
const values = {
  'ssl-redirect': true,
  'force-ssl-redirect': false,
  'preserve-trailing-slash': false,
  'use-port-in-redirects': false,
}
const options = {
  'http-redirect-code': 308 as const,
  'no-tls-redirect-locations': ['/.well-known/acme-challenge'],
}
const context = contextOf(options, { tls: true })

/** An exchange that holds what this policy may look at, and nothing else. */
function exchangeOf(given: Partial<PolicyExchange> & { readonly target?: string }) {
  const replies: Reply[] = []
  const { target = '/', ...more } = given
  const exchange = {
    scheme: 'http',
    publicHost: 'a.example',
    request: { target },
    peer: { localAddress: '192.0.2.1' },
    reply(reply: Reply) {
      replies.push(reply)
      return REPLY
    },
    ...more,
  } as unknown as PolicyExchange
  return { exchange, replies }
}

function locationFor(
  given: Parameters<typeof exchangeOf>[0],
  config = { status: 308, keepTrailingSlash: false, port: 0 },
): string | undefined {
  const { exchange, replies } = exchangeOf(given)
  const verdict = sslRedirect.start(config).requestHead?.(exchange)
  assert.equal(verdict, replies.length === 0 ? CONTINUE : REPLY)
  assert.deepEqual(replies[0]?.fields?.[0] ?? 'Location', 'Location')
  return replies[0]?.fields?.[1]
}

const locations: readonly (readonly [Parameters<typeof exchangeOf>[0], string | undefined])[] = [
  [{ target: '/' }, 'https://a.example'],
  [{ target: '/foo?x=1&y=%2F' }, 'https://a.example/foo?x=1&y=%2F'],
  [{ target: '/foo/' }, 'https://a.example/foo'],
  [{ target: '/?q=1' }, 'https://a.example/?q=1'],
  [{ publicHost: 'a.example:8080', target: '/a' }, 'https://a.example/a'],
  [{ publicHost: 'A.Example', target: '/A' }, 'https://a.example/A'],
  [{ publicHost: '[2001:db8::1]:80', target: '/a' }, 'https://[2001:db8::1]/a'],
  [{ publicHost: '[2001:db8::1]', target: '/a' }, 'https://[2001:db8::1]/a'],
  [{ publicHost: '', target: '/a' }, 'https://192.0.2.1/a'],
  [{ target: '//evil.example/' }, 'https://a.example//evil.example'],
  [{ scheme: 'https' }, undefined],
]

for (const [given, expected] of locations) {
  test(`${JSON.stringify(given)} is sent to ${expected ?? 'nowhere'}`, () => {
    assert.equal(locationFor(given), expected)
  })
}

test('HTTP/1.0 without host, on an IPv6 address', () => {
  const peer = { localAddress: '2001:db8::1' } as PolicyExchange['peer']
  assert.equal(locationFor({ publicHost: '', target: '/a', peer }), 'https://[2001:db8::1]/a')
})

test('preserve-trailing-slash keeps it', () => {
  const config = { status: 301, keepTrailingSlash: true, port: 0 }
  assert.equal(locationFor({ target: '/' }, config), 'https://a.example/')
  assert.equal(locationFor({ target: '/foo/' }, config), 'https://a.example/foo/')
})

test('the status is the one that was configured', () => {
  const { exchange, replies } = exchangeOf({})
  sslRedirect.start({ status: 301, keepTrailingSlash: false, port: 0 }).requestHead?.(exchange)
  assert.equal(replies[0]?.status, 301)
})

const configured: readonly (readonly [
  string,
  Partial<typeof values>,
  Partial<typeof context>,
  boolean,
])[] = [
  ['a host with TLS', {}, {}, true],
  ['a host without TLS', {}, { tls: false }, false],
  ['switched off', { 'ssl-redirect': false }, {}, false],
  ['forced without TLS', { 'force-ssl-redirect': true }, { tls: false }, true],
  ['forced although switched off', { 'ssl-redirect': false, 'force-ssl-redirect': true }, {}, true],
  ['an ACME challenge', {}, { path: '/.well-known/acme-challenge' }, false],
  ['a path below it', {}, { path: '/.well-known/acme-challenge/token' }, false],
  [
    'an ACME challenge although forced',
    { 'force-ssl-redirect': true },
    { path: '/.well-known/acme-challenge/x' },
    false,
  ],
  ['another well-known path', {}, { path: '/.well-known/x' }, true],
  [
    'no exempt paths',
    {},
    {
      path: '/.well-known/acme-challenge',
      options: { ...options, 'no-tls-redirect-locations': [] },
    },
    true,
  ],
]

for (const [title, given, where, expected] of configured) {
  test(`on the route or not: ${title}`, () => {
    const config = sslRedirect.configure({ ...values, ...given }, { ...context, ...where })
    assert.equal(config !== undefined, expected)
  })
}

test('the configuration is plain data, and starts by its name', () => {
  const config = sslRedirect.configure(values, context)
  assert.deepEqual(structuredClone(config), { status: 308, keepTrailingSlash: false, port: 0 })
  const phases = startPolicy({ name: 'ssl-redirect', config: structuredClone(config) as object })
  assert.equal(typeof phases.requestHead, 'function')
  assert.throws(() => startPolicy({ name: 'constructor', config: {} }), /constructor/)
})

test('the list is the record, in its order', () => {
  assert.deepEqual(
    policyList.map(([name]) => name),
    Object.keys(policies),
  )
})
