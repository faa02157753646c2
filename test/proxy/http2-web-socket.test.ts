import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import type { ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { after, test } from 'node:test'
import { versions } from '#test/support/http-peers.ts'
import type { Version } from '#test/support/http-peers.ts'
import { TestPlane } from '#test/support/plane.ts'

// WebSocket handshakes in every version before and behind the proxy (RFC 6455, RFC 8441).

const key = 'dGhlIHNhbXBsZSBub25jZQ=='
const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

interface Upstream {
  readonly port: number
  stop(): void
}

/** Accepts at /chat and sends back in upper case, refuses at /no, and answers 200 at /page. */
async function startUpstream(version: Version, extended = true): Promise<Upstream> {
  const server = version === 'http1' ? http.createServer() : http2.createServer(settings(extended))
  const sockets = new Set<Duplex>()
  server.on('connection', (socket: Duplex) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  server.on('upgrade', (request: http.IncomingMessage, socket: Duplex) => {
    const told = request.headers['sec-websocket-key'] ?? ''
    const digest = createHash('sha1').update(`${told}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    if (request.url === '/no') socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    else if (request.url === '/page') socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
    else {
      const lines = [
        'HTTP/1.1 101 Switching Protocols',
        'Connection: Upgrade',
        'Upgrade: websocket',
        `Sec-WebSocket-Accept: ${digest.digest('base64')}`,
        `Sec-WebSocket-Protocol: ${request.headers['sec-websocket-protocol']}`,
      ]
      socket.write(`${lines.join('\r\n')}\r\n\r\n`)
      echo(socket)
    }
  })
  server.on('stream', (stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
    stream.on('error', () => undefined)
    if (headers[':path'] === '/no') stream.respond({ ':status': 403, 'content-length': 2 })
    else if (headers[':protocol'] !== 'websocket') stream.respond({ ':status': 200 })
    else {
      const protocol = headers['sec-websocket-protocol']
      stream.respond({ ':status': 200, 'sec-websocket-protocol': protocol })
      echo(stream)
      return
    }
    stream.end(headers[':path'] === '/no' ? 'no' : 'hi')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = (): void => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, stop }
}

function settings(enableConnectProtocol: boolean): http2.ServerOptions {
  return { settings: { enableConnectProtocol } }
}

function echo(stream: Duplex): void {
  stream.on('error', () => undefined)
  stream.on('data', (chunk: Buffer) => stream.write(chunk.toString().toUpperCase()))
  stream.on('end', () => stream.end('bye'))
}

interface Handshake {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  /** The tunnel, or the body of a refusal. */
  readonly stream: Duplex | http.IncomingMessage
}

async function handshake(version: Version, port: number, path: string): Promise<Handshake> {
  const fields = { 'sec-websocket-version': '13', 'sec-websocket-protocol': 'chat' }
  if (version === 'http2') {
    const session = http2.connect(`http://127.0.0.1:${port}`)
    stops.push(() => session.destroy())
    await once(session, 'remoteSettings')
    const own = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': path, ...fields }
    const stream = session.request({ ...own, ':authority': 'app.test' }, { endStream: false })
    stream.on('error', () => undefined)
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
    return { status: Number(headers[':status']), headers, stream }
  }
  const own = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': key, ...fields }
  const request = http.request({ host: '127.0.0.1', port, path, agent: false, headers: own })
  request.end()
  return await new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('upgrade', ({ statusCode = 0, headers }, stream) => {
      stops.push(() => void stream.destroy())
      resolve({ status: statusCode, headers, stream })
    })
    request.on('response', (response) => {
      const { statusCode = 0, headers } = response
      stops.push(() => void response.destroy())
      resolve({ status: statusCode, headers, stream: response })
    })
  })
}

async function textOf(stream: Handshake['stream']): Promise<string> {
  let text = ''
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(stream, 'end')
  return text
}

const stops: (() => void | Promise<void>)[] = []
after(async () => {
  for (const stop of stops.toReversed()) await stop()
})

async function planeBefore(upstream: Upstream, protocol: Version): Promise<TestPlane> {
  const plane = await TestPlane.start({ upstreams: [upstream.port], protocol })
  stops.push(
    () => upstream.stop(),
    async () => await plane.stop(),
  )
  return plane
}

/** Before any test, so that none is over while another is made. */
const planes = {
  http1: await planeBefore(await startUpstream('http1'), 'http1'),
  http2: await planeBefore(await startUpstream('http2'), 'http2'),
}

for (const down of versions) {
  for (const up of versions) {
    const { httpPort } = planes[up]

    test(`${down} to ${up}: bytes both ways until each side has ended`, async () => {
      const { status, headers, stream } = await handshake(down, httpPort, '/chat')
      assert.equal(status, down === 'http1' ? 101 : 200)
      assert.equal(headers['sec-websocket-protocol'], 'chat')
      assert.equal(headers['sec-websocket-accept'], down === 'http1' ? accept : undefined)
      const socket = stream as Duplex
      socket.write('ping')
      const [first] = (await once(socket, 'data')) as [Buffer]
      assert.equal(first.toString(), 'PING')
      const big = 'x'.repeat(1_000_000)
      const rest = textOf(socket)
      socket.end(big)
      assert.equal(await rest, `${big.toUpperCase()}bye`)
    })

    test(`${down} to ${up}: a refusal is an answer like any other`, async () => {
      const { status, stream } = await handshake(down, httpPort, '/no')
      assert.equal(status, 403)
      assert.equal(await textOf(stream), 'no')
    })
  }
}

test('a 200 of an HTTP/1.1 upstream is not an accepted WebSocket over HTTP/2', async () => {
  const { httpPort } = planes.http1
  assert.equal((await handshake('http1', httpPort, '/page')).status, 200)
  assert.equal((await handshake('http2', httpPort, '/page')).status, 502)
})

test('an upstream without extended CONNECT gets the request without Upgrade', async () => {
  const plane = await planeBefore(await startUpstream('http2', false), 'http2')
  const plain = await handshake('http1', plane.httpPort, '/chat')
  assert.deepEqual([plain.status, await textOf(plain.stream)], [200, 'hi'])
  assert.equal((await handshake('http2', plane.httpPort, '/chat')).status, 502)
})
