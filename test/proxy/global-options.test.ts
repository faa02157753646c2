import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:tls'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { GlobalOptions } from '#src/table/table.ts'
import { ask, startUpstream } from '#test/commands/instance.ts'
import { TestPlane, certificateFor } from '#test/support/plane.ts'

const certificate = await certificateFor('a.example')

/** A plane with these options before an upstream that says what it saw. */
async function start(t: TestContext, options: Partial<GlobalOptions>): Promise<TestPlane> {
  const port = await startUpstream(t, (request, response) => {
    response.setHeader('server', 'upstream/1')
    response.end(JSON.stringify(request.headers))
  })
  const plane = await TestPlane.start({ upstreams: [port], options, certificate })
  t.after(async () => {
    await plane.stop()
  })
  return plane
}

async function seen(
  plane: TestPlane,
  fields: Record<string, string>,
): Promise<IncomingHttpHeaders> {
  const { body } = await ask(plane.httpPort, '/', { headers: { host: 'a.example', ...fields } })
  return JSON.parse(body) as IncomingHttpHeaders
}

for (const [backendServerHeader, expected] of [
  [false, undefined],
  [true, 'upstream/1'],
] as const) {
  test(`allow-backend-server-header ${backendServerHeader}`, async (t) => {
    const plane = await start(t, { backendServerHeader })
    const { headers } = await ask(plane.httpPort, '/', { headers: { host: 'a.example' } })
    assert.equal(headers['server'], expected)
  })
}

const identities: readonly (readonly [
  options: Partial<GlobalOptions>,
  address: string,
  host: string,
  proto: string,
])[] = [
  [{}, '127.0.0.1', 'a.example', 'http'],
  [{ realIp: true }, '198.51.100.9', 'a.example', 'http'],
  [{ useForwardedHeaders: true }, '198.51.100.9', 'b.example', 'https'],
  [{ realIp: true, trustedPeers: ['10.0.0.0/8'] }, '127.0.0.1', 'a.example', 'http'],
]

for (const [options, address, host, proto] of identities) {
  test(`who the client is, with ${JSON.stringify(options)}`, async (t) => {
    const trustedPeers = ['127.0.0.0/8']
    const plane = await start(t, { trustedPeers, ...options })
    const headers = await seen(plane, {
      'x-forwarded-for': '198.51.100.9',
      'x-forwarded-host': 'b.example',
      'x-forwarded-proto': 'https',
      'x-original-forwarded-host': 'forged.example',
    })
    assert.equal(headers['x-real-ip'], address)
    assert.equal(headers['x-forwarded-for'], address)
    assert.equal(headers['x-forwarded-host'], host)
    assert.equal(headers['host'], host)
    assert.equal(headers['x-forwarded-proto'], proto)
    // What was sent, whoever sent it, as ingress-nginx passes it on.
    assert.equal(headers['x-original-forwarded-for'], '198.51.100.9')
    assert.equal(headers['x-original-forwarded-host'], 'b.example')
  })
}

for (const [sent, port] of [
  ['8443', '8443'],
  ['65535', '65535'],
  ['65536', '443'],
  ['0', '443'],
  ['080', '443'],
  ['x', '443'],
] as const) {
  test(`X-Forwarded-Port ${sent} of a trusted peer: ${port}`, async (t) => {
    const options = { trustedPeers: ['127.0.0.0/8'], useForwardedHeaders: true }
    const plane = await start(t, options)
    const fields = { 'x-forwarded-proto': 'https', 'x-forwarded-port': sent }
    assert.equal((await seen(plane, fields))['x-forwarded-port'], port)
  })
}

for (const [sent, host] of [
  ['b.example:8443', 'b.example:8443'],
  ['[2001:db8::1]:81', '[2001:db8::1]:81'],
  ['b..example', 'a.example'],
  ['b.example:99999', 'a.example'],
  ['::', 'a.example'],
  ['[', 'a.example'],
] as const) {
  test(`X-Forwarded-Host ${sent} of a trusted peer: ${host}`, async (t) => {
    const options = { trustedPeers: ['127.0.0.0/8'], useForwardedHeaders: true }
    const plane = await start(t, options)
    const fields = await seen(plane, { 'x-forwarded-host': sent })
    assert.deepEqual([fields['host'], fields['x-forwarded-host']], [host, host])
  })
}

test('forwarded-for-header on several lines is one list, of which the end is believed', async (t) => {
  const trustedPeers = ['127.0.0.0/8']
  const options = { trustedPeers, realIp: true, forwardedForHeader: 'X-Clients' }
  const plane = await start(t, options)
  const headers = await seen(plane, { 'x-clients': '198.51.100.9', 'X-Clients': '198.51.100.7' })
  assert.equal(headers['x-real-ip'], '198.51.100.7')
})

test('what only the proxy says of forwarding is never the word of a client', async (t) => {
  const plane = await start(t, {})
  const headers = await seen(plane, {
    'x-original-forwarded-for': '198.51.100.9',
    'x-original-forwarded-host': 'forged.example',
  })
  assert.equal(headers['x-original-forwarded-for'], undefined)
  assert.equal(headers['x-original-forwarded-host'], undefined)
})

test('HSTS is for TLS of our own, not for what a trusted peer says', async (t) => {
  const trusted = { trustedPeers: ['127.0.0.0/8'], useForwardedHeaders: true }
  const plane = await start(t, { ...trusted, hsts: 'max-age=60' })
  const sent = { host: 'a.example', 'x-forwarded-proto': 'https' }
  const { status, headers } = await ask(plane.httpPort, '/', { headers: sent })
  assert.deepEqual([status, headers['strict-transport-security']], [200, undefined])
})

const skipped: readonly (readonly [urls: string[], sent: string[], logged: string[]])[] = [
  [
    ['/healthz', '/a?b'],
    ['/healthz', '/HealthZ', '/healthz?x', '/a', '/a?b', '/b'],
    ['/healthz?x', '/a', '/b'],
  ],
  [
    ['~^/status(/|$)', '~*\\.ico\\?v='],
    ['/status', '/status/a', '/statusx', '/Status', '/A.ICO?V=1', '/a.ico'],
    ['/statusx', '/Status', '/a.ico'],
  ],
]

for (const [skipAccessLogUrls, sent, logged] of skipped) {
  test(`skip-access-log-urls: ${skipAccessLogUrls.join()}`, async (t) => {
    const plane = await start(t, { skipAccessLogUrls })
    for (const target of sent) await ask(plane.httpPort, target, { headers: { host: 'a.example' } })
    assert.deepEqual(
      plane.lines.map((line) => (JSON.parse(line) as { target: string }).target),
      logged,
    )
  })
}

for (const [http2, protocol] of [
  [true, 'h2'],
  [false, 'http/1.1'],
] as const) {
  test(`use-http2 ${http2}`, async (t) => {
    const plane = await start(t, { http2 })
    const socket = connect({
      host: '127.0.0.1',
      port: plane.httpsPort,
      servername: 'a.example',
      ALPNProtocols: ['h2', 'http/1.1'],
      rejectUnauthorized: false,
    })
    await once(socket, 'secureConnect')
    assert.equal(socket.alpnProtocol, protocol)
    socket.destroy()
  })
}
