import assert from 'node:assert/strict'
import { createServer as createTlsServer } from 'node:https'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { issue } from '#test/transport/certificates.ts'
import { call } from '../call.ts'
import { createFolder, freePorts, manifest, startServing, startUpstream } from '../instance.ts'

const prefix = 'nginx.ingress.kubernetes.io'

interface Report {
  readonly compared: number
  readonly planned: number
  readonly leftOut: Record<string, number>
  readonly counts: Record<string, number>
  readonly differing: readonly Row[]
  readonly unsteady: readonly Row[]
}

interface Row {
  readonly method: string
  readonly host: string
  readonly target: string
  readonly fields: readonly string[]
  readonly differences: readonly { what: string; old: string; new: string }[]
}

const asks = (port: number): string => `http://127.0.0.1:${port}`

async function compare(
  old: number,
  now: number,
  ...args: string[]
): Promise<{ code: number; report: Report; err: string }> {
  const { code, out, err } = await call(
    'compare',
    `--old=${asks(old)}`,
    `--new=${asks(now)}`,
    '--output=json',
    ...args,
  )
  return { code, report: JSON.parse(out) as Report, err }
}

const ok: RequestListener = (_, response) => {
  response.end('ok')
}

test('two that answer alike: 0, each request once to each, with the Host of its rule', async (t) => {
  const asked: [string[], string[]] = [[], []]
  const [old = 0, now = 0] = await Promise.all(
    asked.map((list) =>
      startUpstream(t, (request, response) => {
        list.push(`${request.method} ${request.headers.host} ${request.url}`)
        response.end('ok')
      }),
    ),
  )
  const folder = createFolder(t, { 'a.yaml': manifest('a.example', 80) })
  const { code, report } = await compare(old, now, folder)
  assert.equal(code, 0)
  assert.deepEqual(report.differing, [])
  assert.ok(report.compared > 5)
  assert.equal(report.compared, report.planned)
  assert.deepEqual(asked[0].toSorted(), asked[1].toSorted())
  assert.equal(new Set(asked[0]).size, asked[0].length)
  assert.ok(asked[0].includes('GET a.example /'))
  assert.ok(asked[0].includes('HEAD a.example /'))
  assert.ok(asked[0].every((line) => /^(?:GET|HEAD|OPTIONS) /.test(line)))
})

const annotated: readonly (readonly [
  annotations: string,
  expected: readonly (readonly [method: string, host: string, target: string, fields: string])[],
])[] = [
  [
    `${prefix}/enable-cors: "true", ${prefix}/cors-allow-origin: "https://*.b.example"`,
    [
      ['GET', 'a.example', '/', 'Origin https://headgate-compare.b.example'],
      [
        'OPTIONS',
        'a.example',
        '/',
        'Origin https://other.invalid Access-Control-Request-Method POST',
      ],
    ],
  ],
  [
    `${prefix}/canary: "true", ${prefix}/canary-by-header: X-C, headgate.dev/canary-by-cookie: c`,
    [
      ['GET', 'a.example', '/', 'X-C always'],
      ['GET', 'a.example', '/', 'Cookie c=never'],
    ],
  ],
  [
    `${prefix}/server-alias: "b.example, *.c.example"`,
    [
      ['GET', 'b.example', '/headgate-compare?a=1', ''],
      ['GET', 'headgate-compare.c.example', '/headgate-compare?a=1', ''],
    ],
  ],
  [
    `${prefix}/from-to-www-redirect: "true"`,
    [['GET', 'www.a.example', '/headgate-compare?a=1', '']],
  ],
]

for (const [annotations, expected] of annotated) {
  test(`requests that ${annotations} reacts to`, async (t) => {
    const port = await startUpstream(t, (request, response) => {
      const { host = '', connection, accept, ...headers } = request.headers
      assert.ok(connection !== undefined && accept === '*/*')
      const fields = Object.entries(headers).flat().join(' ').toLowerCase()
      response.setHeader('allow', `${request.method} ${host} ${request.url} ${fields}`.trim())
      response.end()
    })
    const other = await startUpstream(t, ok)
    const folder = createFolder(t, { 'a.yaml': manifest('a.example', 80, annotations) })
    const { report } = await compare(port, other, folder)
    const seen = report.differing.flatMap(({ differences }) => differences.map(({ old }) => old))
    for (const [method, host, target, fields] of expected) {
      const line = `${method} ${host} ${target} ${fields.toLowerCase()}`.trim()
      assert.ok(seen.includes(line), `${line} is not among\n${seen.join('\n')}`)
    }
  })
}

test('a regular expression is asked for by a path that it matches', async (t) => {
  const paths: string[] = []
  const port = await startUpstream(t, (request, response) => {
    paths.push(request.url ?? '')
    response.end()
  })
  const text = manifest('a.example', 80, `${prefix}/rewrite-target: /$2`).replace(
    'path: /, pathType: Prefix',
    'path: "/shop(/|$)([a-z]+)", pathType: ImplementationSpecific',
  )
  await compare(port, port, createFolder(t, { 'a.yaml': text }))
  assert.ok(paths.includes('/shop/a'))
})

test('differences are told with both sides; what differs by chance does not fail', async (t) => {
  const old = await startUpstream(t, (request, response) => {
    if (request.url?.startsWith('/moved') === true) {
      response.writeHead(302, { location: 'http://a.example/old' })
    }
    response.end()
  })
  let odd = 0
  const now = await startUpstream(t, (request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: 'http://a.example/new' })
    if (request.url === '/gone') response.writeHead(404)
    if (request.url === '/odd' && odd++ === 0) response.writeHead(503)
    response.end()
  })
  const lines = ['/same', '/moved', '/gone', '/odd'].map((target) =>
    JSON.stringify({ method: 'GET', host: 'a.example', target }),
  )
  const folder = createFolder(t, { 'access.log': `${lines.join('\n')}\n` })
  const { code, report } = await compare(old, now, `--access-log=${folder}/access.log`)
  assert.equal(code, 1)
  assert.equal(report.compared, 4)
  assert.deepEqual(
    report.differing.map(({ target, differences }) => [target, ...differences]),
    [
      ['/moved', { what: 'location', old: 'http://a.example/old', new: 'http://a.example/new' }],
      ['/gone', { what: 'status', old: '200', new: '404' }],
    ],
  )
  assert.deepEqual(
    report.unsteady.map(({ target }) => target),
    ['/odd'],
  )
  const { out } = await call(
    'compare',
    `--old=${asks(old)}`,
    `--new=${asks(now)}`,
    `--access-log=${folder}/access.log`,
  )
  assert.match(out, /^GET http:\/\/a\.example\/gone {2}# line 3\n {2}status: 200 -> 404$/m)
  assert.match(out, /^4 requests compared: 2 differ$/m)
})

function logLine(method: string, target: string): string {
  return JSON.stringify({ method, host: 'a.example', target })
}

test('a log: safe methods only, each request once, until there are enough', async (t) => {
  const methods: string[] = []
  const port = await startUpstream(t, (request, response) => {
    methods.push(`${request.method} ${request.url}`)
    response.end()
  })
  const log = [
    logLine('POST', '/a'),
    logLine('GET', '/a'),
    logLine('GET', '/a'),
    'nonsense',
    logLine('DELETE', '/b'),
    logLine('GET', '/b'),
    logLine('GET', '/c'),
  ]
  const folder = createFolder(t, { 'access.log': log.join('\n') })
  const flag = `--access-log=${folder}/access.log`
  const { report } = await compare(port, port, flag)
  assert.equal(report.compared, 3)
  assert.deepEqual(Object.values(report.leftOut), [1, 1, 1, 1])
  assert.deepEqual([...new Set(methods)].toSorted(), ['GET /a', 'GET /b', 'GET /c'])
  assert.equal((await compare(port, port, flag, '--unsafe')).report.compared, 5)
  assert.ok(methods.includes('DELETE /b'))
  assert.equal((await compare(port, port, flag, '--count=1')).report.compared, 1)
})

test('a combined log gets its hosts from --host, or from the Ingresses', async (t) => {
  const hosts: string[] = []
  const port = await startUpstream(t, (request, response) => {
    hosts.push(request.headers.host ?? '')
    response.end()
  })
  const logged = `::1 - - [29/Nov/2026:10:00:00 +0000] "GET /x HTTP/1.1" 200 1 "-" "curl/8" 80 0.001 [test-web-80] [] - - - - id`
  const folder = createFolder(t, { 'access.log': logged })
  const manifests = createFolder(t, { 'a.yaml': manifest('a.example', 80) })
  const flag = `--access-log=${folder}/access.log`
  assert.equal((await compare(port, port, flag)).report.compared, 0)
  await compare(port, port, flag, '--host=b.example')
  await compare(port, port, flag, manifests)
  assert.deepEqual(hosts, ['b.example', 'b.example', 'a.example', 'a.example'])
})

test('--header goes with every request and is never shown', async (t) => {
  const old = await startUpstream(t, (request, response) => {
    response.writeHead(request.headers.authorization === 'Bearer s3cret' ? 200 : 401)
    response.end()
  })
  const now = await startUpstream(t, (_, response) => {
    response.writeHead(500)
    response.end()
  })
  const folder = createFolder(t, { 'a.yaml': manifest('a.example', 80) })
  const args = [`--old=${asks(old)}`, `--new=${asks(now)}`, '--header=Authorization: Bearer s3cret']
  for (const form of ['text', 'json']) {
    const { code, out } = await call('compare', ...args, `--output=${form}`, folder)
    assert.equal(code, 1)
    assert.doesNotMatch(out, /s3cret/)
    assert.doesNotMatch(out, /401/)
  }
})

test('https: SNI and Host are those of the rule, whatever address is asked', async (t) => {
  const names = new Set<string>()
  const { certificatePem, keyPem } = await issue({ commonName: 'a' })
  const server = createTlsServer({ cert: certificatePem, key: keyPem }, (request, response) => {
    names.add(`${(request.socket as TLSSocket).servername} ${request.headers.host}`)
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const url = `https://127.0.0.1:${port}`
  const folder = createFolder(t, { 'a.yaml': manifest('a.example', 80) })
  const { code } = await call('compare', `--old=${url}`, `--new=${url}`, folder)
  assert.equal(code, 0)
  assert.deepEqual([...names].toSorted(), [
    'a.example a.example',
    'headgate-compare.invalid headgate-compare.invalid',
  ])
})

test('a server that does not answer in time, or drops the connection, is a difference', async (t) => {
  const good = await startUpstream(t, ok)
  const mute = await startUpstream(t, () => {})
  const rude = await startUpstream(t, (request) => request.socket.destroy())
  const folder = createFolder(t, { 'a.yaml': manifest('a.example', 80) })
  const late = await compare(good, mute, '--count=1', '--request-timeout=200ms', folder)
  assert.equal(late.code, 1)
  assert.equal(late.report.differing[0]?.differences[0]?.new, 'timeout')
  const cut = await compare(good, rude, '--count=1', folder)
  assert.equal(cut.report.differing[0]?.differences[0]?.new, 'ECONNRESET')
})

test('a protocol that nobody asked for is an answer like any other', async (t) => {
  const good = await startUpstream(t, ok)
  for (const fields of ['', 'Upgrade: x\r\nConnection: upgrade\r\n']) {
    const switching = await startUpstream(t, (request) => {
      request.socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`)
    })
    const folder = createFolder(t, { 'a.yaml': manifest('a.example', 80) })
    const { code, report } = await compare(good, switching, '--count=1', folder)
    assert.equal(code, 1)
    assert.equal(report.differing[0]?.differences[0]?.new, '101')
  }
})

test('called wrongly: 2; nobody there, nothing to read: 1; always one line', async (t) => {
  const port = await startUpstream(t, ok)
  const [free = 0] = await freePorts(1)
  const folder = createFolder(t, { 'a.yaml': manifest('a.example', 80), 'b.yaml': '{ no' })
  const both = [`--old=${asks(port)}`, `--new=${asks(port)}`]
  const rows: readonly (readonly [code: number, pattern: RegExp, ...args: string[]])[] = [
    [2, /needs --old URL and --new URL/, folder],
    [2, /needs the files of the Ingresses, or --access-log/, ...both],
    [2, /--old must be http/, '--old=127.0.0.1:80', `--new=${asks(port)}`, folder],
    [2, /--old must be http/, '--old=http://a/path', `--new=${asks(port)}`, folder],
    [2, /--concurrency must be/, ...both, '--concurrency=0', folder],
    [
      1,
      /--new http.* cannot be reached: ECONNREFUSED/,
      both[0] ?? '',
      `--new=${asks(free)}`,
      `${folder}/a.yaml`,
    ],
    [1, /b\.yaml/, ...both, folder],
    [1, /--access-log cannot be read/, ...both, '--access-log=/nonexistent'],
  ]
  for (const [code, pattern, ...args] of rows) {
    const result = await call('compare', ...args)
    assert.equal(result.code, code, args.join(' '))
    assert.match(result.err, pattern)
    assert.equal(result.err.trimEnd().split('\n').length, 1)
  }
})

async function startEcho(t: TestContext): Promise<number> {
  return await startUpstream(t, (request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({ method: request.method, path: request.url, headers: request.headers }),
    )
  })
}

test('two Headgates: alike on the same manifests, and each difference is found', async (t) => {
  const echo = await startEcho(t)
  const before = createFolder(t, { 'a.yaml': manifest('a.example', echo) })
  const after = createFolder(t, {
    'a.yaml': manifest('a.example', echo, `${prefix}/app-root: /home, ${prefix}/upstream-vhost: b`),
  })
  const [old, same, other] = await Promise.all([
    startServing(t, before),
    startServing(t, before),
    startServing(t, after),
  ])
  const alike = await compare(old.ports.http, same.ports.http, '--echo', before)
  assert.deepEqual(alike.report.differing, [])
  assert.equal(alike.code, 0)
  const { code, report } = await compare(old.ports.http, other.ports.http, '--echo', before)
  assert.equal(code, 1)
  const root = report.differing.find(({ method, target }) => method === 'GET' && target === '/')
  assert.deepEqual(root?.differences, [
    { what: 'status', old: '200', new: '302' },
    { what: 'location', old: '', new: 'http://a.example/home' },
    ...(root?.differences.slice(2) ?? []),
  ])
  const deep = report.differing.find(({ target }) => target === '/headgate-compare')
  assert.deepEqual(deep?.differences, [
    { what: 'upstream headers.host', old: 'a.example', new: 'b' },
  ])
})
