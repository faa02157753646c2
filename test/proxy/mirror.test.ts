import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Client, Upstream, versions } from '#test/support/http-peers.ts'
import type { CallOptions, Headers } from '#test/support/http-peers.ts'
import type { TestPlane } from '#test/support/plane.ts'
import { localService, serve, webIngress } from '#test/support/served.ts'

// `web` is the real service and echoes the length of the body; `shadow` gets the copies.

interface Copy {
  readonly method: string
  readonly target: string
  readonly headers: Headers
  readonly body: string
}

let web: Upstream
let shadow: Upstream
let copies: Copy[]
/** What the mirror does with a copy once it is read. */
let answerCopy: (respond: (status: number) => void) => void

before(async () => {
  web = await Upstream.start('http1')
  shadow = await Upstream.start('http1')
  web.listener = (request, response) => {
    let bytes = 0
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => response.end(`${bytes}`))
  }
  shadow.listener = (request, response) => {
    const { method = '', url: target = '', headers } = request
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')))
    request.on('end', () => {
      copies.push({ method, target, headers, body })
      answerCopy((status) =>
        response.writeHead(status, { 'set-cookie': 'of=shadow' }).end('shadow'),
      )
    })
  }
})

after(() => {
  web.stop()
  shadow.stop()
})

async function start(
  t: TestContext,
  annotations: Readonly<Record<string, string>>,
  findings: readonly string[] = [],
  options: Readonly<Record<string, string>> = {},
): Promise<TestPlane> {
  copies = []
  answerCopy = (respond) => {
    respond(500)
  }
  const objects = [...webIngress(annotations, options), ...localService('web', web.port)]
  const served = await serve(objects, { resolved: { 'shadow.test': ['127.0.0.1'] } })
  t.after(async () => {
    await served.plane.stop()
  })
  assert.deepEqual(served.findings, findings)
  return served.plane
}

/** Waits for a copy's fate, a bounded number of times. */
async function fate(plane: TestPlane, name: Fate, count = 1): Promise<void> {
  for (let i = 0; i < 500 && plane.metric(`mirrored_requests_total:${name}`) < count; i++)
    await pause(10)
  assert.equal(plane.metric(`mirrored_requests_total:${name}`), count)
}
type Fate = 'answered' | 'failed' | 'too-large' | 'too-many' | 'cut'

interface Case {
  readonly name: string
  /** `PORT` is the mirror's. */
  readonly annotations: Readonly<Record<string, string>>
  readonly path?: string
  readonly call?: CallOptions
  readonly body?: string
  /** What the copy must hold. */
  readonly copy: Partial<Omit<Copy, 'headers'>> & { readonly headers?: Headers }
}

const cases: readonly Case[] = [
  {
    name: 'method, target and fields are those of the request',
    annotations: { 'mirror-target': 'http://127.0.0.1:PORT$request_uri' },
    path: '/a?b=c',
    call: { method: 'DELETE', headers: { 'x-k': 'v', authorization: 'Basic YTpi' } },
    copy: {
      method: 'DELETE',
      target: '/a?b=c',
      body: '',
      headers: { 'x-k': 'v', authorization: 'Basic YTpi', host: '127.0.0.1' },
    },
  },
  {
    name: 'the body goes along',
    annotations: { 'mirror-target': 'http://127.0.0.1:PORT/mirror' },
    path: '/post?x=1',
    call: { method: 'POST', headers: { 'content-type': 'text/plain' } },
    body: 'payload',
    copy: {
      method: 'POST',
      target: '/mirror?x=1',
      body: 'payload',
      headers: { 'content-type': 'text/plain', 'content-length': '7' },
    },
  },
  {
    name: 'or not',
    annotations: { 'mirror-target': 'http://127.0.0.1:PORT', 'mirror-request-body': 'off' },
    path: '/post?x=1',
    call: { method: 'POST', headers: { 'content-type': 'text/plain' } },
    body: 'payload',
    copy: { target: '/post?x=1', body: '', headers: { 'content-type': undefined } },
  },
  {
    name: 'mirror-host is its Host',
    annotations: { 'mirror-target': 'http://shadow.test:PORT/', 'mirror-host': 'test.example:81' },
    copy: { target: '/', headers: { host: 'test.example:81' } },
  },
  {
    name: 'without it the host of the target is',
    annotations: { 'mirror-target': 'http://shadow.test:PORT/x?y=1' },
    path: '/?z=2',
    copy: { target: '/x?y=1&z=2', headers: { host: 'shadow.test' } },
  },
  {
    name: 'the copy is made before the request is rewritten',
    annotations: {
      'mirror-target': 'http://127.0.0.1:PORT$request_uri',
      'rewrite-target': '/other',
    },
    path: '/asked',
    copy: { target: '/asked' },
  },
  {
    name: 'control characters of a decoded path are no line ends',
    annotations: { 'mirror-target': 'http://127.0.0.1:PORT$uri' },
    path: '/a%0D%0AX-Evil:%201',
    copy: { target: '/a%0D%0AX-Evil:%201', headers: { 'x-evil': undefined } },
  },
]

for (const version of versions) {
  for (const one of cases) {
    test(`${version}: ${one.name}`, async (t) => {
      const annotations = Object.fromEntries(
        Object.entries(one.annotations).map(([key, text]) => [
          key,
          text.replace('PORT', String(shadow.port)),
        ]),
      )
      const plane = await start(t, annotations)
      const client = new Client(version, plane.httpPort)
      t.after(() => {
        client.stop()
      })
      const call = client.call(one.path ?? '/', { bodyless: one.body === undefined, ...one.call })
      call.body.end(one.body)
      const answer = await call.answer
      assert.equal(answer.status, 200)
      assert.equal(answer.body.toString(), String(one.body?.length ?? 0))
      assert.equal(answer.headers['set-cookie'], undefined)
      await fate(plane, 'answered')
      const { headers = {}, ...rest } = one.copy
      const copy = copies[0] ?? assert.fail('no copy came')
      for (const [name, value] of Object.entries(rest)) assert.equal(copy[name as 'body'], value)
      for (const [name, value] of Object.entries(headers)) assert.equal(copy.headers[name], value)
    })
  }
}

test('a mirror that never answers delays nothing, is bounded, and is given up', async (t) => {
  const plane = await start(t, { 'mirror-target': `http://127.0.0.1:${shadow.port}/` })
  answerCopy = () => {}
  const client = new Client('http2', plane.httpPort)
  t.after(() => {
    client.stop()
  })
  const answers = await Promise.all(Array.from({ length: 100 }, async () => await client.get('/')))
  const more = await Promise.all(Array.from({ length: 100 }, async () => await client.get('/')))
  const rest = await Promise.all(Array.from({ length: 100 }, async () => await client.get('/')))
  for (const { status } of [...answers, ...more, ...rest]) assert.equal(status, 200)
  assert.equal(plane.metric('mirrored_requests_total:too-many'), 44)
})

test('a mirror that is not there, or has no address, is counted and does no harm', async (t) => {
  for (const url of ['http://127.0.0.1:1/', 'http://shadow.test:1/']) {
    const plane = await start(t, { 'mirror-target': url })
    const client = new Client('http1', plane.httpPort)
    assert.equal((await client.get('/')).status, 200)
    await fate(plane, 'failed')
  }
})

test('a name that cannot be resolved is reported, and the route is served', async (t) => {
  const plane = await start(t, { 'mirror-target': 'http://no-such.invalid/' }, [
    'error name-unresolved spec.externalName',
  ])
  assert.equal((await new Client('http1', plane.httpPort).get('/')).status, 200)
  await fate(plane, 'failed')
})

for (const [text, code] of [
  ['ftp://127.0.0.1/', 'annotation-invalid'],
  ['http://$arg_host/', 'annotation-invalid'],
  ['http://user@127.0.0.1/', 'annotation-invalid'],
  ['http://127.0.0.1/$nothing', 'reference-unusable'],
] as const) {
  test(`mirror-target ${text}: ${code}, and no copies`, async (t) => {
    const field = 'nginx.ingress.kubernetes.io/mirror-target'
    const plane = await start(t, { 'mirror-target': text }, [`error ${code} ${field}`])
    assert.equal((await new Client('http1', plane.httpPort).get('/')).status, 200)
  })
}

test('a body that is too long reaches the service alone', async (t) => {
  const target = `http://127.0.0.1:${shadow.port}/`
  const plane = await start(t, { 'mirror-target': target, 'proxy-body-size': '4m' })
  const call = new Client('http1', plane.httpPort).call('/', { method: 'POST' })
  call.body.end(Buffer.alloc(1024 * 1024 + 1, 'x'))
  assert.equal((await call.answer).body.toString(), '1048577')
  await fate(plane, 'too-large')
  assert.equal(copies.length, 0)
})

test('a client that leaves before its body is whole leaves no copy', async (t) => {
  const plane = await start(t, { 'mirror-target': `http://127.0.0.1:${shadow.port}/` })
  const reached = once(web.server, 'request')
  const call = new Client('http1', plane.httpPort).call('/', { method: 'POST' })
  call.body.write('a part')
  await reached
  call.cancel()
  await fate(plane, 'cut')
  assert.equal(copies.length, 0)
})

test('what is refused is not mirrored', async (t) => {
  const target = `http://127.0.0.1:${shadow.port}/`
  const plane = await start(t, { 'mirror-target': target, 'denylist-source-range': '127.0.0.1' })
  assert.equal((await new Client('http1', plane.httpPort).get('/')).status, 403)
  assert.equal(plane.metric('mirrored_requests_total:answered'), 0)
  assert.equal(copies.length, 0)
})

for (const method of ['GET', 'POST', 'PUT']) {
  test(`${method}: a snippet and a mirror keep out of each other's way`, async (t) => {
    const annotations = {
      'mirror-target': `http://127.0.0.1:${shadow.port}/`,
      'configuration-snippet': `set $kind copied;
        if ($request_method = PUT) { return 409 no; }
        more_set_headers "X-Kind: $kind";`,
    }
    const allowed = {
      'allow-snippet-annotations': 'true',
      'annotations-risk-level': 'Critical',
    }
    const translated = 'info snippet-translated nginx.ingress.kubernetes.io/configuration-snippet'
    const plane = await start(t, annotations, [translated], allowed)
    const client = new Client('http1', plane.httpPort)
    t.after(() => {
      client.stop()
    })
    const call = client.call('/', { method, bodyless: method === 'GET' })
    call.body.end(method === 'GET' ? undefined : 'payload')
    const { status, headers } = await call.answer
    assert.equal(status, method === 'PUT' ? 409 : 200)
    if (method === 'PUT') return
    assert.equal(headers['x-kind'], 'copied')
    await fate(plane, 'answered')
    assert.equal(copies[0]?.body, method === 'GET' ? '' : 'payload')
  })
}

for (const version of versions) {
  test(`${version}: a body that comes while the client is authenticated is mirrored, too`, async (t) => {
    const auth = await Upstream.start('http1')
    t.after(() => {
      auth.stop()
    })
    const plane = await start(t, {
      'mirror-target': `http://127.0.0.1:${shadow.port}/`,
      'auth-url': `http://127.0.0.1:${auth.port}/`,
    })
    const client = new Client(version, plane.httpPort)
    t.after(() => {
      client.stop()
    })
    for (const [first, rest] of [
      ['early', ''],
      ['early', ' and late'],
    ] as const) {
      const call = client.call('/', { method: 'POST' })
      auth.listener = (_request, response) => {
        // Long after the first bytes of the body are there.
        setImmediate(() => response.writeHead(204).end())
        if (rest !== '') call.body.end(rest)
      }
      if (rest === '') call.body.end(first)
      else call.body.write(first)
      const { body } = await call.answer
      assert.equal(body.toString(), String(first.length + rest.length))
    }
    await fate(plane, 'answered', 2)
    assert.deepEqual(
      copies.map(({ body }) => body),
      ['early', 'early and late'],
    )
  })
}
