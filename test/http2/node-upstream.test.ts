import assert from 'node:assert/strict'
import http2 from 'node:http2'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import test from 'node:test'
import { Http2ClientSession } from '#src/http2/client-session.ts'
import { clientLimits } from '#src/http2/limits.ts'
import { realEnvironment } from './support/environment.ts'
import { RecordedResponse, requestHead } from './support/linked.ts'
import type { RequestParts } from './support/linked.ts'
import { SocketConnection, listen, until } from './support/socket-connection.ts'

interface Upstream {
  readonly session: Http2ClientSession
  readonly ask: (parts: RequestParts) => RecordedResponse
  readonly close: () => Promise<void>
}

async function upstream(
  handle: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
): Promise<Upstream> {
  const { environment, stop } = realEnvironment()
  const server = http2.createServer({ settings: { enableConnectProtocol: true } })
  server.on('stream', handle)
  const port = await listen(server)
  const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const connection = new SocketConnection(socket)
  let closed = false
  const owner = {
    onCapacity: () => undefined,
    onDraining: () => undefined,
    onSessionClosed: () => {
      closed = true
    },
  }
  const options = { scheme: 'http', connected: false } as const
  const session = new Http2ClientSession(connection, owner, clientLimits, environment, options)
  socket.on('connect', () => session.onConnected(connection))
  const ask = (parts: RequestParts): RecordedResponse => {
    const response = new RecordedResponse()
    const one = session.open(response)
    response.stream = one
    const hasBody = parts.body !== undefined || parts.open === true
    one.sendHead(requestHead(parts), !hasBody)
    if (parts.body !== undefined) one.sendText(parts.body)
    if (parts.body !== undefined && parts.open !== true) one.sendEnd(undefined)
    one.flush()
    return response
  }
  const close = async (): Promise<void> => {
    session.close()
    await until(() => closed)
    server.close()
    stop()
  }
  return { session, ask, close }
}

function settled(response: RecordedResponse): boolean {
  return response.ended || response.failure !== ''
}

test('node as upstream: many exchanges of all shapes at once', async () => {
  const { ask, close } = await upstream((one, headers) => {
    const size = Number(headers['x-size'] ?? 0)
    let received = 0
    one.on('data', (chunk: Buffer) => (received += chunk.length))
    one.on('end', () => {
      one.respond(
        { ':status': 200, 'x-received': String(received), 'x-path': headers[':path'] ?? '' },
        { waitForTrailers: true },
      )
      one.on('wantTrailers', () => one.sendTrailers({ 'x-done': 'yes' }))
      one.end(Buffer.alloc(size, 0x63))
    })
  })
  const asked = Array.from({ length: 60 }, (_, i) => ({
    response: ask({
      method: 'POST',
      target: `/${i}`,
      body: 'x'.repeat(i * 2000),
      fields: ['X-Size', String(i * 3000)],
    }),
    i,
  }))
  await until(() => asked.every(({ response }) => settled(response)))
  for (const { response, i } of asked) {
    assert.equal(response.failure, '')
    assert.equal(response.status, 200)
    assert.equal(response.body.length, i * 3000)
    assert.equal(response.fields[response.fields.indexOf('x-received') + 1], String(i * 2000))
    assert.equal(response.fields[response.fields.indexOf('x-path') + 1], `/${i}`)
    assert.deepEqual(response.trailers, ['x-done', 'yes'])
  }
  await close()
})

test('node as upstream: interim responses, resets and HEAD', async () => {
  const { ask, close } = await upstream((one, headers) => {
    if (headers[':path'] === '/reset') {
      one.on('error', () => undefined)
      one.close(http2.constants.NGHTTP2_REFUSED_STREAM)
      return
    }
    one.additionalHeaders({ ':status': 103, link: '</a>' })
    one.respond(
      { ':status': 200, 'content-length': '5' },
      { endStream: headers[':method'] === 'HEAD' },
    )
    if (headers[':method'] !== 'HEAD') one.end('hello')
  })
  const plain = ask({})
  const head = ask({ method: 'HEAD' })
  const refused = ask({ target: '/reset' })
  await until(() => [plain, head, refused].every(settled))
  assert.deepEqual([plain.interims, plain.body, plain.contentLength], [[103], 'hello', 5])
  assert.deepEqual([head.ended, head.body, head.contentLength], [true, '', 5])
  assert.equal(refused.failure, 'refused-stream')
  await close()
})

test('node as upstream: a WebSocket', async () => {
  const { ask, close } = await upstream((one, headers) => {
    assert.equal(headers[':protocol'], 'websocket')
    assert.equal(headers['sec-websocket-key'], undefined)
    one.respond({ ':status': 200 })
    one.on('data', (chunk: Buffer) => one.write(chunk))
    one.on('end', () => one.end())
  })
  const key = 'dGhlIHNhbXBsZSBub25jZQ=='
  const socket = ask({
    open: true,
    contentLength: 0,
    upgrade: 'websocket',
    fields: ['Sec-WebSocket-Key', key],
  })
  await until(() => socket.status !== 0)
  assert.equal(socket.status, 101)
  assert.equal(
    socket.fields[socket.fields.indexOf('sec-websocket-accept') + 1],
    's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  )
  socket.stream.sendText('echo')
  socket.stream.flush()
  await until(() => socket.body === 'echo')
  socket.stream.sendEnd(undefined)
  socket.stream.flush()
  await until(() => settled(socket))
  await close()
})

test('node as upstream: a graceful shutdown loses nothing', async () => {
  let first: http2.ServerHttp2Stream | undefined
  const { ask, session, close } = await upstream((one) => {
    first ??= one
    if (one !== first) return
    one.session?.goaway(0)
  })
  const kept = ask({})
  await until(() => session.capacity === 0)
  first?.respond({ ':status': 200 })
  first?.end('kept')
  await until(() => settled(kept))
  assert.deepEqual([kept.body, kept.failure], ['kept', ''])
  await close()
})
