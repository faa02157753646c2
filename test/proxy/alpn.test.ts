import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { after, test } from 'node:test'
import tls from 'node:tls'
import type { Duplex } from 'node:stream'
import * as grpc from '@grpc/grpc-js'
import { workerCell } from '#src/shared/worker-memory.ts'
import { until } from '#test/http2/support/socket-connection.ts'
import { WordsClient } from '#test/support/grpc-peers.ts'
import { Client, Upstream } from '#test/support/http-peers.ts'
import { certificateFor, TestPlane } from '#test/support/plane.ts'
import type { PlaneSettings } from '#test/support/plane.ts'
import { clientOf } from '#test/transport/tls-sites.ts'

// What endpoints say in the TLS handshake about the versions that they speak (RFC 7301, RFC 9113 3.2).

const { certificatePem: cert, keyPem: key } = await certificateFor('up.test')
const stops: (() => void | Promise<void>)[] = []
after(async () => {
  for (const stop of stops.toReversed()) await stop()
})

interface Endpoint {
  readonly port: number
  readonly versions: string[]
  readonly sockets: Set<Duplex>
}

/** A server that answers with the length of the body, and notes the version of each request. */
async function serve(server: Server): Promise<Endpoint> {
  const versions: string[] = []
  const sockets = new Set<Duplex>()
  server.on('secureConnection', (socket: Duplex) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    versions.push(request.httpVersion)
    let bytes = 0
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => response.end(String(bytes)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stops.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, versions, sockets }
}

const both = (): Server => http2.createSecureServer({ cert, key, allowHTTP1: true })
const onlyHttp2 = (): Server => http2.createSecureServer({ cert, key })
/** Refuses the handshake when HTTP/1.1 is not among what is offered. */
const onlyHttp1 = (): Server => https.createServer({ cert, key })
/** Knows nothing of ALPN. */
function withoutAlpn(): Server {
  const inner = http.createServer()
  const server = tls.createServer({ cert, key }, (socket) => inner.emit('connection', socket))
  inner.on('request', (request, response) => server.emit('request', request, response))
  return server
}

async function before(endpoints: readonly { port: number }[], settings: Partial<PlaneSettings>) {
  const plane = await TestPlane.start({
    upstreams: endpoints.map(({ port }) => port),
    protocol: 'auto',
    upstreamTls: clientOf({ serverName: '', verify: false, alpn: ['h2', 'http/1.1'] }),
    ...settings,
  })
  stops.push(async () => await plane.stop())
  return plane
}

async function post(plane: TestPlane, body: Buffer): Promise<string> {
  const call = new Client('http1', plane.httpPort).call('/', { method: 'POST' })
  call.body.end(body)
  const answer = await call.answer
  return `${answer.status} ${answer.body.toString()}`
}

for (const [name, make, version] of [
  ['an endpoint that can do both', both, '2.0'],
  ['one of HTTP/2 only', onlyHttp2, '2.0'],
  ['one of HTTP/1.1 only', onlyHttp1, '1.1'],
  ['one that knows nothing of ALPN', withoutAlpn, '1.1'],
] as const) {
  test(`auto: ${name} gets HTTP/${version}`, async () => {
    const endpoint = await serve(make())
    const plane = await before([endpoint], {})
    const sizes = [0, 1, 60_000, 900_000]
    // All at once: the first connection is not there yet.
    const answers = await Promise.all(
      sizes.map(async (size) => await post(plane, Buffer.alloc(size))),
    )
    assert.deepEqual(
      answers,
      sizes.map((size) => `200 ${size}`),
    )
    assert.equal(await post(plane, Buffer.alloc(10)), '200 10')
    assert.deepEqual(new Set(endpoint.versions), new Set([version]))
    if (version === '2.0') assert.equal(endpoint.sockets.size, 1)
  })
}

test('auto: a request that asks for an upgrade goes over HTTP/1.1', async () => {
  const server = both()
  server.on('upgrade', (_request: http.IncomingMessage, socket: Duplex) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  const endpoint = await serve(server)
  const plane = await before([endpoint], {})
  assert.equal(await post(plane, Buffer.alloc(1)), '200 1')
  const request = http.request({
    port: plane.httpPort,
    host: '127.0.0.1',
    headers: { Connection: 'Upgrade', Upgrade: 'echo' },
  })
  request.end()
  const [, socket] = (await once(request, 'upgrade')) as [http.IncomingMessage, Duplex]
  socket.write('there and back')
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  assert.equal(chunk.toString(), 'there and back')
  socket.destroy()
})

test('auto: clients without TLS reach endpoints without TLS where the scheme decides', async () => {
  const upstream = await Upstream.start('http1')
  stops.push(() => upstream.stop())
  upstream.listener = (_request, response) => response.end('plain')
  const plane = await before([upstream], { followsScheme: true })
  const answer = await new Client('http1', plane.httpPort).get('/')
  assert.equal(answer.body.toString(), 'plain')
})

test('auto: an endpoint that refuses the connection is passed over', async () => {
  const there = await serve(both())
  const plane = await before([{ port: 1 }, there], {})
  for (let i = 0; i < 4; i++) assert.equal(await post(plane, Buffer.alloc(5)), '200 5')
  assert.ok((plane.endpoints.connectFailures[1] as number) > 0)
})

for (const [name, make] of [
  ['HTTP/2', both],
  ['HTTP/1.1', onlyHttp1],
] as const) {
  test(`auto: a client that leaves before ${name} is agreed on leaves nothing behind`, async () => {
    const inner = make()
    const endpoint = await serve(inner)
    const arrived = Promise.withResolvers<Socket>()
    let held = false
    const outer = createServer((socket) => {
      socket.on('error', () => undefined)
      if (held) inner.emit('connection', socket)
      else arrived.resolve(socket)
      held = true
    })
    outer.listen(0, '127.0.0.1')
    await once(outer, 'listening')
    stops.push(() => void outer.close())
    const plane = await before([outer.address() as AddressInfo], {})
    const call = new Client('http1', plane.httpPort).call('/')
    call.body.on('error', () => undefined)
    call.answer.catch(() => undefined)
    call.head.catch(() => undefined)
    call.body.end()
    const first = await arrived.promise
    call.cancel()
    await until(() => plane.lines.length === 1)
    const secured = once(inner, 'secureConnection')
    inner.emit('connection', first)
    await secured
    // A connection of HTTP/1.1 that nobody wants is closed, one of HTTP/2 kept.
    if (name === 'HTTP/1.1') await until(() => endpoint.sockets.size === 0)
    assert.equal(await post(plane, Buffer.alloc(3)), '200 3')
    assert.equal(endpoint.versions.length, 1)
    await until(() => connectionsOf(plane) === 1)
  })
}

const active = workerCell('upstream_connections:active')
const idle = workerCell('upstream_connections:idle')

function connectionsOf({ worker }: TestPlane): number {
  return worker.get(0, active) + worker.get(0, idle)
}

for (const [name, make, problem] of [
  ['refuses the handshake', onlyHttp1, /no application protocol/],
  ['knows nothing of ALPN', withoutAlpn, /HTTP\/2 was not agreed on/],
] as const) {
  test(`a gRPC call to an endpoint over TLS that ${name} fails as UNAVAILABLE, and the log says why`, async () => {
    const endpoint = await serve(make())
    const plane = await before([endpoint], {
      protocol: 'http2',
      upstreamTls: clientOf({ serverName: '', verify: false, alpn: ['h2'] }),
    })
    const client = new WordsClient(plane.httpPort)
    stops.push(() => client.close())
    for (let i = 0; i < 2; i++) {
      const { code, details } = await client.one('x')
      assert.deepEqual([code, details], [grpc.status.UNAVAILABLE, '502 Bad Gateway'])
    }
    assert.equal(endpoint.versions.length, 0)
    assert.equal(plane.endpoints.connectFailures[1], 2)
    assert.match(plane.lines[0] ?? '', /"failure":"tls-failed"/)
    assert.equal(plane.warnings.length, 1)
    const [said] = plane.warnings as { endpoint: string; problem: string }[]
    assert.equal(said?.endpoint, `127.0.0.1:${endpoint.port}`)
    assert.match(said.problem, problem)
    assert.equal(plane.worker.get(0, workerCell('upstream_connections_opened_total')), 2)
  })
}
