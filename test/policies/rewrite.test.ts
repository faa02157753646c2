import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policies } from '#src/policies/index.ts'
import { contextOf, fakeExchange, fieldsOf } from './exchanges.ts'

const {
  rewrite,
  'rewrite-away': rewriteAway,
  'upstream-host': upstreamHost,
  redirect,
  'app-root': appRoot,
} = policies
const targetType = rewrite.annotations['rewrite-target'].type

function rewriteOf(path: string, target: string, prefix = '') {
  const values = {
    'rewrite-target': targetType.parse(target) ?? [],
    'use-regex': true,
    'x-forwarded-prefix': prefix,
  }
  const context = contextOf({}, { path })
  const config = rewrite.configure(values, context) ?? rewriteAway.configure(values, context)
  return config === undefined ? undefined : rewrite.start(structuredClone(config))
}

const targets: readonly (readonly [path: string, target: string, asked: string, sent: string])[] = [
  ['/foo/bar/(.+)', '/new/backend/$1', '/foo/bar/x/y', '/new/backend/x/y'],
  ['/v1/(.*)', '/v2/$1', '/v1/a?x=1&y=%2F', '/v2/a?x=1&y=%2F'],
  ['/v1/(.*)', '/v2/$1', '/v1/?q', '/v2/?q'],
  ['/v1/(.*)', '/v2/$1', '/V1/A', '/v2/A'],
  ['/api(/v1)?', '/base$1', '/api', '/base'],
  ['/something', '/', '/something/else', '/'],
  ['/x', '/y?fixed=1', '/x?z=2', '/y?fixed=1&z=2'],
  ['/x', '/y?fixed=1?', '/x?z=2', '/y?fixed=1'],
  ['/(.*)', '/$host/$1', '/a', '/a.example/a'],
  ['/p(.*)', '$1', '/pq', '/q'],
]

for (const [path, target, asked, sent] of targets) {
  test(`${path} to ${target}: ${asked} becomes ${sent}`, () => {
    const { exchange, request } = fakeExchange({ target: asked })
    rewriteOf(path, target)?.requestHead?.(exchange)
    assert.equal(request.target, sent)
  })
}

test('decoded bytes are escaped again', () => {
  const { exchange, request } = fakeExchange({ target: '/e/a%20b', path: '/e/a b\u00c3\u00a9?#%' })
  rewriteOf('/e/(.*)', '/$1')?.requestHead?.(exchange)
  assert.equal(request.target, '/a%20b%C3%A9%3F%23%25')
})

test('a target that equals the path is no rewrite', () => {
  assert.equal(rewriteOf('/same', '/same'), undefined)
})

test('a URL as target is a redirect', () => {
  const { exchange, replies } = fakeExchange({ target: '/a?b' })
  rewriteOf('/', 'https://other.example/x')?.requestHead?.(exchange)
  assert.deepEqual(replies, [{ status: 302, fields: ['Location', 'https://other.example/x?b'] }])
})

test('what a client sends makes no redirect of a rewrite', () => {
  const { exchange, request, replies } = fakeExchange({
    target: '/a',
    path: '/http://evil.example/',
  })
  rewriteOf('/(.*)', '$1')?.requestHead?.(exchange)
  assert.deepEqual([replies, request.target], [[], '/http://evil.example/'])
})

test('x-forwarded-prefix replaces what the client sent', () => {
  const { exchange, request } = fakeExchange({ fields: { 'X-Forwarded-Prefix': '/evil' } })
  rewriteOf('/', '/x', '/shop')?.requestHead?.(exchange)
  assert.deepEqual(fieldsOf(request.fields), [['x-forwarded-prefix', '/shop']])
})

test('an unknown variable, a group elsewhere than in a rewrite, a bare $ are refused', () => {
  for (const text of ['/$nonsense', '/$', 'relative', '/a b']) {
    assert.equal(targetType.parse(text), undefined, text)
  }
  assert.equal(redirect.annotations['permanent-redirect'].type.parse('/$1'), undefined)
})

test('upstream-vhost never makes an authority of what is none', () => {
  const { type } = upstreamHost.annotations['upstream-vhost']
  const phases = upstreamHost.start({ host: type.parse('$http_x') ?? [] })
  for (const [sent, expected] of [
    ['b.example:80', 'b.example:80'],
    ['b.example evil', 'a.example'],
    ['', 'a.example'],
  ] as const) {
    const { exchange, request } = fakeExchange({ fields: { 'X-X': sent, X: sent } })
    phases.requestHead?.(exchange)
    assert.equal(request.authority, expected)
  }
})

const locations: readonly (readonly [string, boolean, string])[] = [
  ['http://redirect.example.com', false, 'http://redirect.example.com'],
  ['/new', false, 'https://a.example/new'],
  ['/new', true, '/new'],
  ['//other.example', false, 'https://a.example//other.example'],
  ['https://$host$request_uri', false, 'https://a.example/p?q'],
]

for (const [target, relative, expected] of locations) {
  test(`permanent-redirect ${target}${relative ? ', relative' : ''}`, () => {
    const parsed = redirect.annotations['permanent-redirect'].type.parse(target) ?? []
    const { exchange, replies } = fakeExchange({
      target: '/p?q',
      publicHost: 'A.example:8443',
      scheme: 'https',
    })
    redirect.start({ status: 301, target: parsed, relative }).requestHead?.(exchange)
    assert.deepEqual(replies, [{ status: 301, fields: ['Location', expected] }])
  })
}

test('app-root answers the root alone', () => {
  const phases = appRoot.start({ target: [{ text: '/app' }] })
  const root = fakeExchange({ target: '/?x', publicHost: 'a.example:8080' })
  phases.requestHead?.(root.exchange)
  assert.deepEqual(root.replies, [
    { status: 302, fields: ['Location', 'http://a.example:8080/app'] },
  ])
  const other = fakeExchange({ target: '/x' })
  phases.requestHead?.(other.exchange)
  assert.deepEqual(other.replies, [])
})

for (const [target, location] of [
  ['/a?b', 'http://x.example/a?b'],
  ['/a/', 'http://x.example/a'],
  ['/', 'http://x.example'],
] as const) {
  test(`between www and not, without a slash at the end: ${target}`, () => {
    const { exchange, replies } = fakeExchange({ target })
    const phases = policies['host-redirect'].start({ host: 'x.example', status: 308 })
    phases.requestHead?.(exchange)
    assert.deepEqual(replies, [{ status: 308, fields: ['Location', location] }])
  })
}
