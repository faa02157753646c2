import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { localService, serve, webIngress } from '#test/support/served.ts'
import { Client, Upstream, versions } from '#test/support/http-peers.ts'
import type { Answer, CallOptions, Headers } from '#test/support/http-peers.ts'

// `web` answers with the status that the request asks for in X-Want; `errs` makes pages: it answers
// with the status in X-Code, or another one if the request has X-Page.

let web: Upstream
let errs: Upstream
let asked: { readonly method: string; readonly target: string; readonly headers: Headers }[]

before(async () => {
  web = await Upstream.start('http1')
  errs = await Upstream.start('http1')
  web.listener = (request, response) => {
    const status = Number(request.headers['x-want'] ?? 200)
    response.writeHead(status, {
      'www-authenticate': 'Bearer',
      'set-cookie': 'of=web',
      'x-from': 'web',
    })
    response.end(status === 204 ? undefined : 'web'.repeat(Number(request.headers['x-size'] ?? 1)))
  }
  errs.listener = (request, response) => {
    const { method = '', url: target = '', headers } = request
    asked.push({ method, target, headers })
    response.writeHead(Number(headers['x-page'] ?? headers['x-code'] ?? 200), { 'x-from': 'errs' })
    response.end('page')
  }
})

after(() => {
  web.stop()
  errs.stop()
})

interface Case {
  readonly name: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly options?: Readonly<Record<string, string>>
  /** --default-backend-service names errs. */
  readonly last?: true
  readonly web?: 'none' | 'refuses'
  readonly errs?: 'none' | 'refuses'
  readonly call?: CallOptions
  readonly path?: string
  /** The status, and who made the answer. */
  readonly answer: readonly [status: number, from: string | undefined]
  readonly findings?: readonly string[]
  readonly check?: (answer: Answer) => void
}

const own = { 'custom-http-errors': '404,502,503', 'default-backend': 'errs' }
const key = 'nginx.ingress.kubernetes.io/'

const cases: readonly Case[] = [
  {
    name: 'a listed status of the upstream is replaced',
    annotations: own,
    path: '/a/b?c=d',
    call: { headers: { 'x-want': '404', accept: 'text/html', 'x-request-id': 'seven' } },
    answer: [404, 'errs'],
    check(answer) {
      assert.equal(answer.body.toString(), 'page')
      assert.equal(answer.headers['set-cookie'], undefined)
      assert.equal(answer.headers['www-authenticate'], undefined)
      const { method, target, headers } = asked[0] ?? assert.fail()
      assert.deepEqual([method, target], ['GET', '/?c=d'])
      const told = ['code', 'format', 'original-uri', 'namespace', 'ingress-name', 'service-name']
      assert.deepEqual(
        [...told, 'service-port', 'request-id'].map((name) => headers[`x-${name}`]),
        ['404', 'text/html', '/a/b?c=d', 'shop', 'one', 'web', '80', 'seven'],
      )
      assert.equal(headers['x-forwarded-for'], '127.0.0.1')
      assert.equal(headers['host'], 'app.test')
    },
  },
  {
    name: 'any other status is passed on',
    annotations: own,
    call: { headers: { 'x-want': '500' } },
    answer: [500, 'web'],
  },
  {
    name: "the page's own status is the answer's",
    annotations: own,
    call: { headers: { 'x-want': '404', 'x-page': '200' } },
    answer: [200, 'errs'],
  },
  {
    name: 'a page with a listed status is not replaced again',
    annotations: own,
    call: { headers: { 'x-want': '404', 'x-page': '503' } },
    answer: [503, 'errs'],
    check: () => assert.equal(asked.length, 1),
  },
  {
    name: 'our own 502 is replaced',
    annotations: own,
    web: 'refuses',
    answer: [502, 'errs'],
  },
  {
    name: 'who stands in for a Service without endpoints is asked once',
    annotations: own,
    web: 'none',
    path: '/x',
    answer: [503, 'errs'],
    check: () =>
      assert.deepEqual(
        asked.map(({ target }) => target),
        ['/x'],
      ),
  },
  {
    name: 'the 503 of a Service without endpoints is replaced by the page of the default backend',
    options: { 'custom-http-errors': '503' },
    last: true,
    web: 'none',
    answer: [503, 'errs'],
    check: () => assert.equal(asked[0]?.headers['x-service-name'], 'web'),
  },
  {
    name: 'the ConfigMap lists statuses for all routes',
    options: { 'custom-http-errors': '418' },
    last: true,
    call: { headers: { 'x-want': '418' } },
    answer: [418, 'errs'],
  },
  {
    name: 'an Ingress has a list of its own, which replaces that of the ConfigMap',
    annotations: own,
    options: { 'custom-http-errors': '418' },
    last: true,
    call: { headers: { 'x-want': '418' } },
    answer: [418, 'web'],
  },
  {
    name: 'without interception the answers of upstreams are passed on',
    annotations: { ...own, 'disable-proxy-intercept-errors': 'true' },
    call: { headers: { 'x-want': '404' } },
    answer: [404, 'web'],
  },
  {
    name: 'and our own are replaced still',
    annotations: own,
    options: { 'disable-proxy-intercept-errors': 'true' },
    web: 'refuses',
    answer: [502, 'errs'],
  },
  {
    name: 'without any default backend the page is a 404',
    annotations: { 'custom-http-errors': '500' },
    call: { headers: { 'x-want': '500' } },
    answer: [404, undefined],
    findings: [`warning annotation-differs ${key}custom-http-errors`],
  },
  {
    name: 'a default backend without endpoints counts as none',
    annotations: own,
    errs: 'none',
    call: { headers: { 'x-want': '502' } },
    answer: [404, undefined],
  },
  {
    name: 'a default backend that fails is answered for with our own page',
    annotations: own,
    errs: 'refuses',
    call: { headers: { 'x-want': '404' } },
    answer: [502, undefined],
  },
  {
    name: 'a HEAD request asks for the head of the page',
    annotations: own,
    call: { method: 'HEAD', headers: { 'x-want': '404' } },
    answer: [404, 'errs'],
    check(answer) {
      assert.equal(answer.body.length, 0)
      assert.equal(asked[0]?.method, 'HEAD')
    },
  },
  {
    name: 'a conditional or partial request asks for the whole page',
    annotations: own,
    call: { headers: { 'x-want': '404', 'if-none-match': '"a"', range: 'bytes=0-1' } },
    answer: [404, 'errs'],
    check() {
      assert.equal(asked[0]?.headers['if-none-match'], undefined)
      assert.equal(asked[0]?.headers['range'], undefined)
    },
  },
  {
    name: 'the page of a 401 still tells how to authenticate',
    annotations: { ...own, 'custom-http-errors': '401' },
    call: { headers: { 'x-want': '401' } },
    answer: [401, 'errs'],
    check: (answer) => assert.equal(answer.headers['www-authenticate'], 'Bearer'),
  },
  {
    name: 'a refusal by a policy is replaced',
    annotations: { ...own, 'custom-http-errors': '403', 'denylist-source-range': '127.0.0.0/8' },
    answer: [403, 'errs'],
  },
  {
    name: 'fields that a policy adds to answers are added to the page',
    annotations: { ...own, 'enable-cors': 'true' },
    call: { headers: { 'x-want': '404', origin: 'http://b.test' } },
    answer: [404, 'errs'],
    check: (answer) => assert.equal(answer.headers['access-control-allow-origin'], '*'),
  },
  {
    name: 'a long answer is replaced, too',
    annotations: own,
    call: { headers: { 'x-want': '404', 'x-size': '500000' } },
    answer: [404, 'errs'],
  },
  {
    name: 'a status that cannot be replaced is reported, and the default holds',
    annotations: { ...own, 'custom-http-errors': '404,302' },
    call: { headers: { 'x-want': '404' } },
    answer: [404, 'web'],
    findings: [`error annotation-invalid ${key}custom-http-errors`],
  },
]

function portOf(state: Case['web'], port: number): number {
  if (state === 'none') return 0
  return state === 'refuses' ? 1 : port
}

for (const version of versions) {
  for (const one of cases) {
    test(`${version}: ${one.name}`, async (t) => {
      asked = []
      const objects = [
        ...webIngress(one.annotations ?? {}, one.options),
        ...localService('web', portOf(one.web, web.port)),
        ...localService('errs', portOf(one.errs, errs.port)),
      ]
      const last = one.last && { namespace: 'shop', name: 'errs' }
      const { plane, findings } = await serve(objects, { defaultBackendService: last })
      const client = new Client(version, plane.httpPort)
      t.after(async () => {
        client.stop()
        await plane.stop()
      })
      const call = client.call(one.path ?? '/', { bodyless: true, ...one.call })
      call.body.end()
      const answer = await call.answer
      assert.deepEqual([answer.status, answer.headers['x-from']], one.answer)
      assert.equal(answer.cut, false)
      one.check?.(answer)
      assert.deepEqual(findings, one.findings ?? [])
    })
  }

  test(`${version}: what is left of the request body is thrown away`, async (t) => {
    asked = []
    const objects = [
      ...webIngress(own),
      ...localService('web', web.port),
      ...localService('errs', errs.port),
    ]
    const { plane } = await serve(objects)
    const client = new Client(version, plane.httpPort)
    t.after(async () => {
      client.stop()
      await plane.stop()
    })
    const call = client.call('/', { method: 'POST', headers: { 'x-want': '404' } })
    call.body.write('the first part')
    assert.equal(await call.head, 404)
    call.body.end('and the second')
    const answer = await call.answer
    assert.equal(answer.body.toString(), 'page')
    const { method, headers } = asked[0] ?? assert.fail()
    assert.equal(method, 'GET')
    assert.equal(headers['content-length'], undefined)
    assert.equal(headers['transfer-encoding'], undefined)
  })
}

test('a gRPC call gets the answer as it is', async (t) => {
  asked = []
  const objects = [
    ...webIngress(own),
    ...localService('web', web.port),
    ...localService('errs', errs.port),
  ]
  const { plane } = await serve(objects)
  const client = new Client('http2', plane.httpPort)
  t.after(async () => {
    client.stop()
    await plane.stop()
  })
  const answer = await client.get('/', { 'x-want': '404', 'content-type': 'application/grpc' })
  assert.deepEqual([answer.status, answer.headers['x-from']], [404, 'web'])
})

test('the connection of a replaced answer is used again', async (t) => {
  asked = []
  const ports = new Set<number | undefined>()
  const listener = web.listener
  web.listener = (request, response) => {
    ports.add(request.socket.remotePort)
    listener(request, response)
  }
  const objects = [
    ...webIngress(own),
    ...localService('web', web.port),
    ...localService('errs', errs.port),
  ]
  const { plane } = await serve(objects)
  const client = new Client('http1', plane.httpPort)
  t.after(async () => {
    web.listener = listener
    await plane.stop()
  })
  for (let i = 0; i < 5; i++) {
    assert.equal((await client.get('/', { 'x-want': '404' })).body.toString(), 'page')
  }
  assert.equal(ports.size, 1)
})
