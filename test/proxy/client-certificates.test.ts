import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { after, test } from 'node:test'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { PortableTransport } from '#src/transport/portable.ts'
import { RawTransport } from '#src/transport/raw.ts'
import { Upstream } from '#test/support/http-peers.ts'
import { certificateFor, TestPlane } from '#test/support/plane.ts'
import type { PlaneClients } from '#test/support/plane.ts'
import { issue, revoke } from '#test/transport/certificates.ts'
import type { Issued } from '#test/transport/certificates.ts'

const root = await issue({ commonName: 'Root', ca: true })
const otherRoot = await issue({ commonName: 'Other root', ca: true })
const first = await issue({ commonName: 'First', ca: true, issuer: root })
const second = await issue({ commonName: 'Second', ca: true, issuer: first })
const alice = await issue({ commonName: 'alice', issuer: root })
const bob = await issue({ commonName: 'bob', organization: 'A, B', issuer: otherRoot })
const mallory = await issue({ commonName: 'mallory' })
const revoked = await issue({ commonName: 'revoked', issuer: root })
const expired = await issue({
  commonName: 'expired',
  issuer: root,
  notAfter: new Date(Date.now() - 3_600_000),
})
const below = await issue({ commonName: 'below', issuer: first })
const deep = await issue({ commonName: 'deep', issuer: second })

/** What a client shows: its certificate, and those between it and the root. */
const shows: Readonly<Record<string, readonly Issued[]>> = {
  nothing: [],
  alice: [alice],
  bob: [bob],
  mallory: [mallory],
  revoked: [revoked],
  expired: [expired],
  below: [below, first],
  deep: [deep, second, first],
}

const ca = root.certificatePem
const crl = await revoke(root, [revoked])
const hosts: Readonly<Record<string, PlaneClients>> = {
  'on.test': { ca, config: {} },
  'optional.test': { ca, config: { verify: 'optional' } },
  'any.test': { ca, config: { verify: 'optional_no_ca', passCertificate: true } },
  'off.test': { ca, config: { verify: 'off' } },
  'deep.test': { ca, config: { depth: 2 } },
  'two.test': { secret: 'two', ca: `${ca}\n${otherRoot.certificatePem}`, config: {} },
  'list.test': { secret: 'list', ca, crl, config: {} },
  'page.test': { ca, config: { errorPage: 'https://www.test/no' } },
  'name.test': { ca, config: { subject: 'CN=(alice|carol)(,|$)' } },
  'closed.test': { ca, config: { closed: true } },
  'rotated.test': { secret: 'rotated', ca, config: {} },
}

/** Host, what is shown, and the status; with it what the upstream hears of the client, by field. */
const cases: readonly (readonly [string, string, number, Readonly<Record<string, string>>?])[] = [
  ['on.test', 'nothing', 400],
  [
    'on.test',
    'alice',
    200,
    { verify: 'SUCCESS', 'subject-dn': 'CN=alice', 'issuer-dn': 'CN=Root' },
  ],
  ['on.test', 'mallory', 400],
  ['on.test', 'bob', 400],
  ['on.test', 'expired', 400],
  ['on.test', 'below', 200],
  ['on.test', 'deep', 400],
  ['deep.test', 'deep', 200, { verify: 'SUCCESS', 'subject-dn': 'CN=deep' }],
  ['optional.test', 'nothing', 200, { verify: 'NONE' }],
  ['optional.test', 'alice', 200, { verify: 'SUCCESS' }],
  ['optional.test', 'mallory', 400],
  ['any.test', 'nothing', 200, { verify: 'NONE' }],
  [
    'any.test',
    'bob',
    200,
    {
      verify: 'FAILED:unable to verify the first certificate',
      'subject-dn': String.raw`CN=bob,O=A\, B`,
      'issuer-dn': 'CN=Other root',
      cert: encodeURIComponent(`${bob.certificatePem}\n`),
    },
  ],
  ['any.test', 'mallory', 200, { verify: 'FAILED:self-signed certificate' }],
  ['any.test', 'expired', 400],
  ['any.test', 'deep', 400],
  ['off.test', 'mallory', 200, { verify: 'NONE' }],
  ['two.test', 'alice', 200],
  ['two.test', 'bob', 200],
  ['list.test', 'alice', 200],
  ['list.test', 'revoked', 400],
  ['on.test', 'revoked', 200],
  ['page.test', 'nothing', 302],
  ['page.test', 'mallory', 302],
  ['page.test', 'alice', 200],
  ['name.test', 'alice', 200],
  ['name.test', 'revoked', 403],
  ['name.test', 'nothing', 400],
  ['closed.test', 'alice', 403],
  ['free.test', 'mallory', 200, {}],
]

const upstream = await Upstream.start('http1')
upstream.listener = (request, response) => response.end(JSON.stringify(request.headers))
const certificate = await certificateFor('on.test', '*.test')
const planes = {
  raw: await startPlane(new RawTransport()),
  portable: await startPlane(new PortableTransport('for the test')),
}
after(async () => {
  await planes.raw.stop()
  await planes.portable.stop()
  upstream.stop()
})

function startPlane(transport: RawTransport | PortableTransport): Promise<TestPlane> {
  return TestPlane.start({
    upstreams: [upstream.port],
    hosts: [...Object.keys(hosts), 'free.test', ''],
    certificate,
    transport,
    clients: hosts,
  })
}

interface Asked {
  readonly serverName: string
  readonly shown: readonly Issued[]
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3'
}

function tlsOf({ serverName, shown, maxVersion = 'TLSv1.3' }: Asked) {
  const [own] = shown
  return {
    host: '127.0.0.1',
    servername: serverName,
    rejectUnauthorized: false,
    maxVersion,
    ...(own !== undefined && {
      cert: shown.map(({ certificatePem }) => certificatePem).join('\n'),
      key: own.keyPem,
    }),
  }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function ask(
  plane: TestPlane,
  asked: Asked,
  { host = asked.serverName, headers = {}, agent }: AskOptions = {},
): Promise<Answer> {
  const request = https.get({
    ...tlsOf(asked),
    port: plane.httpsPort,
    agent: agent ?? false,
    headers: { ...headers, host },
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const chunks = await response.toArray()
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks as Buffer[]).toString(),
  }
}

interface AskOptions {
  readonly host?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly agent?: https.Agent
}

/** Fields about the client that the upstream got, without their common start. */
function heard({ body }: Answer): Record<string, unknown> {
  const headers = Object.entries(JSON.parse(body) as Record<string, unknown>)
  return Object.fromEntries(
    headers
      .filter(([name]) => /^ssl[-_]client/.test(name))
      .map(([name, value]) => [name.slice('ssl-client-'.length), value]),
  )
}

const forged = {
  'ssl-client-verify': 'SUCCESS',
  'Ssl-Client-Subject-DN': 'CN=admin',
  'ssl-client-issuer-dn': 'CN=Root',
  'ssl-client-cert': 'forged',
}

for (const [name, plane] of Object.entries(planes)) {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const [host, who, status, fields] of cases) {
      test(`${name}, ${maxVersion}: ${host} answers ${status} to ${who}`, async () => {
        const asked = { serverName: host, shown: shows[who] ?? [], maxVersion }
        const answer = await ask(plane, asked, { headers: forged })
        assert.equal(answer.status, status)
        if (status === 302) assert.equal(answer.headers.location, 'https://www.test/no')
        if (status !== 200) return
        const said: Record<string, unknown> = heard(answer)
        if (fields !== undefined) assert.partialDeepStrictEqual(said, fields)
        if (host === 'free.test') assert.deepEqual(said, {})
        if (host !== 'any.test') assert.equal(said['cert'], undefined)
        if (fields?.['verify'] === 'NONE') assert.deepEqual(said, { verify: 'NONE' })
      })
    }

    test(`${name}, ${maxVersion}: no session leads past the check of another host`, async () => {
      const session = await sessionOf(plane, 'free.test', maxVersion)
      const socket = connect({
        ...tlsOf({ serverName: 'on.test', shown: [], maxVersion }),
        port: plane.httpsPort,
        session,
      })
      assert.match(await exchange(socket, 'on.test'), /^HTTP\/1\.1 400 /)
      assert.equal(socket.isSessionReused(), false)
      socket.destroy()
    })

    test(`${name}, ${maxVersion}: a session of a client without certificate is not resumed`, async () => {
      const session = await sessionOf(plane, 'optional.test', maxVersion)
      const asked = { serverName: 'on.test', shown: [alice], maxVersion }
      const socket = connect({ ...tlsOf(asked), port: plane.httpsPort, session })
      assert.match(await exchange(socket, 'on.test'), /^HTTP\/1\.1 200 /)
      socket.destroy()
    })
  }

  test(`${name}: a refusal says why, and no more`, async () => {
    const none = await ask(plane, { serverName: 'on.test', shown: [] })
    assert.equal(none.body, 'No required SSL certificate was sent\n')
    const bad = await ask(plane, { serverName: 'on.test', shown: [mallory] })
    assert.equal(bad.body, 'The SSL certificate error\n')
  })

  test(`${name}: a connection of one host is no good for a host with other demands`, async () => {
    for (const [serverName, host, status] of [
      ['free.test', 'on.test', 421],
      ['on.test', 'free.test', 421],
      ['optional.test', 'on.test', 421],
      ['on.test', 'page.test', 200],
      ['unknown.example', 'on.test', 421],
      ['', 'on.test', 421],
    ] as const) {
      const answer = await ask(plane, { serverName, shown: [alice] }, { host })
      assert.equal(answer.status, status, `${serverName} ${host}`)
    }
  })

  test(`${name}: HTTP/2 is judged stream by stream`, async () => {
    const session = http2.connect(`https://127.0.0.1:${plane.httpsPort}`, {
      ...tlsOf({ serverName: 'on.test', shown: [alice] }),
    })
    const statuses = ['on.test', 'page.test', 'free.test', 'optional.test', 'on.test']
    const all = await Promise.all(statuses.map((host) => statusOf(session, host)))
    assert.deepEqual(all, [200, 200, 421, 421, 200])
    session.destroy()
    const without = http2.connect(`https://127.0.0.1:${plane.httpsPort}`, {
      ...tlsOf({ serverName: 'on.test', shown: [] }),
    })
    assert.equal(await statusOf(without, 'on.test'), 400)
    without.destroy()
  })

  test(`${name}: other CAs or demands end a connection behind its next answer`, async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
    const asked = { serverName: 'rotated.test', shown: [alice] }
    const before = await ask(plane, asked, { agent })
    assert.deepEqual([before.status, before.headers.connection], [200, undefined])
    const rotated = { secret: 'rotated', ca: otherRoot.certificatePem, config: {} }
    await change(plane, { 'rotated.test': rotated })
    // The connection was checked when it was opened; it is not cut, and serves one more request.
    const last = await ask(plane, asked, { agent })
    assert.deepEqual([last.status, last.headers.connection], [200, 'close'])
    assert.equal((await ask(plane, asked, { agent })).status, 400)
    const other = { serverName: 'rotated.test', shown: [bob] }
    assert.equal((await ask(plane, other)).status, 200)
    await change(plane, {})
    agent.destroy()
  })

  test(`${name}: a host that begins to ask serves nobody who was not asked`, async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
    const free = { serverName: 'free.test', shown: [] as Issued[] }
    assert.equal((await ask(plane, free, { agent })).status, 200)
    await change(plane, { 'free.test': { ca, config: {} } })
    const answer = await ask(plane, free, { agent })
    assert.deepEqual([answer.status, answer.headers.connection], [421, 'close'])
    assert.equal((await ask(plane, free, { agent })).status, 400)
    await change(plane, {})
    agent.destroy()
  })
}

async function change(
  plane: TestPlane,
  changed: Readonly<Record<string, PlaneClients>>,
): Promise<void> {
  plane.setClients({ ...hosts, ...changed })
  await plane.apply([upstream.port])
}

async function statusOf(session: http2.ClientHttp2Session, host: string): Promise<number> {
  const stream = session.request({ ':authority': host, ':path': '/' })
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpStatusHeader]
  stream.resume()
  return headers[':status'] ?? 0
}

/** A session that a client without certificate got. */
async function sessionOf(
  plane: TestPlane,
  serverName: string,
  maxVersion: 'TLSv1.2' | 'TLSv1.3',
): Promise<Buffer> {
  const socket = connect({
    ...tlsOf({ serverName, shown: [], maxVersion }),
    port: plane.httpsPort,
  })
  const session = once(socket, 'session') as Promise<[Buffer]>
  assert.match(await exchange(socket, serverName), /^HTTP\/1\.1 200 /)
  const [bytes] = await session
  socket.destroy()
  return bytes
}

async function exchange(socket: TLSSocket, host: string): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return bytes.toString('latin1')
}

test('over plain HTTP nobody is asked, and nobody can pretend', async () => {
  for (const [host, status] of [
    ['on.test', 200],
    ['name.test', 403],
    ['closed.test', 403],
  ] as const) {
    const request = http.get({
      host: '127.0.0.1',
      port: planes.raw.httpPort,
      agent: false,
      headers: { ...forged, host },
    })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const body = Buffer.concat((await response.toArray()) as Buffer[]).toString()
    assert.equal(response.statusCode, status, host)
    if (status === 200) assert.deepEqual(heard({ status, headers: {}, body }), {})
  }
})
