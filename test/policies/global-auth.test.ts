import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client, Upstream } from '#test/support/http-peers.ts'
import type { Answer, Headers } from '#test/support/http-peers.ts'
import { localService, serve, webIngress } from '#test/support/served.ts'

// `auth` lets a request through whose X-Pass says so, and tells whose it is; `own` always refuses.

let web: Upstream
let auth: Upstream
let own: Upstream
let seen: Headers[]
let asked: { readonly method: string; readonly target: string; readonly tenant?: string }[]

before(async () => {
  web = await Upstream.start('http1')
  auth = await Upstream.start('http1')
  own = await Upstream.start('http1')
  web.listener = ({ headers }, response) => {
    seen.push(headers)
    response.end('web')
  }
  auth.listener = ({ headers, method = '', url: target = '' }, response) => {
    const tenant = headers['x-tenant']
    asked.push({ method, target, ...(tenant !== undefined && { tenant: String(tenant) }) })
    response.setHeader('x-user', 'ann')
    response.writeHead(headers['x-pass'] === undefined ? 401 : 204).end()
  }
  own.listener = (_request, response) => response.writeHead(403).end()
})

after(() => {
  web.stop()
  auth.stop()
  own.stop()
})

interface Case {
  readonly name: string
  readonly options: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly pass?: true
  readonly path?: string
  /** The request is sent again, and answered alike. */
  readonly twice?: true
  readonly status: number
  readonly findings?: readonly string[]
  readonly check?: (answer: Answer) => void
}

const url = { 'global-auth-url': 'http://127.0.0.1:AUTH/check' }

const cases: readonly Case[] = [
  { name: 'who is refused', options: url, status: 401 },
  {
    name: 'who may pass, with the fields of the answer',
    options: { ...url, 'global-auth-response-headers': 'X-User', 'global-auth-method': 'POST' },
    pass: true,
    status: 200,
    check() {
      assert.equal(seen[0]?.['x-user'], 'ann')
      assert.deepEqual(asked, [{ method: 'POST', target: '/check' }])
    },
  },
  {
    name: 'who is sent to sign in',
    options: {
      ...url,
      'global-auth-signin': 'http://sso.test/start',
      'global-auth-signin-redirect-param': 'back',
    },
    path: '/a',
    status: 302,
    check: ({ headers }) =>
      assert.equal(headers['location'], 'http://sso.test/start?back=http://app.test%2Fa'),
  },
  {
    name: 'an Ingress that opts out',
    options: url,
    annotations: { 'enable-global-auth': 'false' },
    status: 200,
    check: () => assert.deepEqual(asked, []),
  },
  {
    name: 'an Ingress that opts out in words that are none is protected',
    options: url,
    annotations: { 'enable-global-auth': 'nope' },
    status: 401,
    findings: ['error annotation-invalid nginx.ingress.kubernetes.io/enable-global-auth'],
  },
  {
    name: 'an auth-url of its own takes its place',
    options: url,
    annotations: { 'auth-url': 'http://127.0.0.1:OWN/' },
    pass: true,
    status: 403,
    check: () => assert.deepEqual(asked, []),
  },
  {
    name: 'paths that need no authentication',
    options: { ...url, 'no-auth-locations': '/' },
    status: 200,
  },
  {
    name: 'a URL that is none closes the routes',
    options: { 'global-auth-url': 'ftp://auth.test/' },
    pass: true,
    status: 503,
    findings: ['error reference-denied global-auth-url'],
  },
  {
    name: 'and so does a list of fields that is none',
    options: { ...url, 'global-auth-response-headers': 'X User' },
    pass: true,
    status: 503,
    findings: ['error reference-denied global-auth-response-headers'],
  },
  {
    name: 'a snippet tells the service more',
    options: {
      ...url,
      'global-auth-snippet': 'proxy_set_header X-Tenant "of $host";',
      'allow-snippet-annotations': 'true',
      'annotations-risk-level': 'Critical',
    },
    // A snippet of the Ingress goes with an auth-url of its own.
    annotations: { 'auth-snippet': 'proxy_set_header X-Tenant mine;' },
    pass: true,
    status: 200,
    findings: ['info snippet-translated nginx.ingress.kubernetes.io/auth-snippet'],
    check: () =>
      assert.deepEqual(asked, [{ method: 'GET', target: '/check', tenant: 'of app.test' }]),
  },
  {
    name: 'a snippet that cannot be translated closes the routes',
    options: { ...url, 'global-auth-snippet': 'return 200;' },
    pass: true,
    status: 503,
    findings: ['error reference-denied global-auth-snippet'],
  },
  {
    name: 'a service that is not there lets nobody pass',
    options: { 'global-auth-url': 'http://127.0.0.1:1/' },
    pass: true,
    status: 500,
  },
  {
    name: 'answers are kept by a key',
    options: {
      ...url,
      'global-auth-cache-key': '$http_x_pass',
      'global-auth-cache-duration': '204 1m',
    },
    pass: true,
    twice: true,
    status: 200,
    check: () => assert.equal(asked.length, 1),
  },
]

/** With the ports of the services in place. */
function placed(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [
      key,
      text.replace('AUTH', String(auth.port)).replace('OWN', String(own.port)),
    ]),
  )
}

for (const one of cases) {
  const { name, options, annotations = {}, pass, path = '/', twice, status, findings, check } = one
  test(`global authentication: ${name}`, async (t) => {
    seen = []
    asked = []
    const objects = webIngress(placed(annotations), placed(options))
    const served = await serve([...objects, ...localService('web', web.port)])
    t.after(async () => {
      await served.plane.stop()
    })
    assert.deepEqual(served.findings, findings ?? [])
    const client = new Client('http1', served.plane.httpPort)
    const fields: Headers = pass === true ? { 'x-pass': 'yes' } : {}
    const first = await client.get(path, fields)
    assert.equal(first.status, status)
    if (twice === true) assert.equal((await client.get(path, fields)).status, status)
    check?.(first)
  })
}
