import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import test from 'node:test'
import type { ConnectionHandler } from '#src/transport/transport.ts'
import { takeResponseHead, releaseResponseHead } from '#src/exchange/heads.ts'
import { Http2ClientSession } from '#src/http2/client-session.ts'
import { clientLimits, serverLimits } from '#src/http2/limits.ts'
import { Http2ServerSession } from '#src/http2/server-session.ts'
import { realEnvironment } from './support/environment.ts'
import { fieldsOf, responseHead } from './support/heads.ts'
import { RecordedResponse, requestHead } from './support/linked.ts'
import type { RequestParts } from './support/linked.ts'
import { Recorder } from './support/recorder.ts'
import type { RecordedRequest } from './support/recorder.ts'
import { SocketConnection } from './support/socket-connection.ts'

const silent: ConnectionHandler = {
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
}

// node:http2 as a client of ours.

interface Ours {
  readonly recorder: Recorder
  readonly session: ClientHttp2Session
  readonly close: () => Promise<void>
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function ours(answer: 'ok' | 'hold' = 'ok'): Promise<Ours> {
  const { environment, stop } = realEnvironment()
  const recorder = new Recorder(answer)
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = new SocketConnection(socket, silent)
    new Http2ServerSession(connection, recorder, serverLimits, environment)
  })
  const port = await listen(server)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  await once(session, 'remoteSettings')
  const close = async (): Promise<void> => {
    session.close()
    await once(session, 'close')
    server.close()
    stop()
  }
  return { recorder, session, close }
}

interface Answered {
  readonly status: number
  readonly headers: http2.IncomingHttpHeaders
  readonly body: Buffer
  readonly trailers: http2.IncomingHttpHeaders
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answered> {
  let headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {}
  let trailers: http2.IncomingHttpHeaders = {}
  const chunks: Buffer[] = []
  stream.on('response', (one) => (headers = one))
  stream.on('trailers', (one) => (trailers = one))
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(stream, 'close')
  return { status: headers[':status'] ?? 0, headers, body: Buffer.concat(chunks), trailers }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

test('node as client: a hundred requests at once, with bodies', async () => {
  const { recorder, session, close } = await ours()
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => {
      const stream = session.request({ ':method': 'POST', ':path': `/${i}`, 'x-n': String(i) })
      stream.end('b'.repeat(i * 100))
      return answerOf(stream)
    }),
  )
  assert.ok(answers.every(({ status, body }) => status === 200 && body.toString() === 'ok'))
  assert.equal(recorder.requests.length, 100)
  for (const request of recorder.requests) {
    const n = Number(request.target.slice(1))
    assert.equal(request.body.length, n * 100)
    assert.equal(request.fields[request.fields.indexOf('x-n') + 1], String(n))
  }
  await close()
})

test('node as client: repeated and odd fields, cookies, long values', async () => {
  const { recorder, session, close } = await ours()
  const headers: OutgoingHttpHeaders = {
    cookie: ['a=1', 'b=2'],
    'x-many': ['1', '2'],
    'x-long': 'v'.repeat(20_000),
    'x-latin': 'caf\u00e9',
    'x-empty': '',
  }
  for (let i = 0; i < 3; i++) {
    const { status } = await answerOf(session.request(headers))
    assert.equal(status, 200)
  }
  for (const { fields } of recorder.requests) {
    assert.deepEqual(fields.slice(-2), ['cookie', 'a=1; b=2'])
    assert.equal(fields.filter((field, i) => i % 2 === 0 && field === 'x-many').length, 2)
    assert.equal(fields[fields.indexOf('x-long') + 1]?.length, 20_000)
    assert.equal(fields[fields.indexOf('x-empty') + 1], '')
  }
  await close()
})

test('node as client: trailers both ways and interim responses', async () => {
  const { recorder, session, close } = await ours('hold')
  const stream = session.request({ ':method': 'POST' }, { waitForTrailers: true })
  const informed: number[] = []
  stream.on('headers', (headers: http2.IncomingHttpStatusHeader) =>
    informed.push(headers[':status'] ?? 0),
  )
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }))
  stream.end('body')
  const answer = answerOf(stream)
  await until(() => recorder.requests[0]?.ended === true)
  const { request } = recorder
  assert.deepEqual(request.trailers, ['x-sum', '1'])
  request.stream.sendInterim(responseHead(103, -1, 'link', '</a>'))
  request.stream.sendHead(responseHead(200, -1, 'content-type', 'a/b'), false)
  request.stream.sendText('answer')
  request.stream.sendEnd(fieldsOf('grpc-status', '0'))
  request.stream.flush()
  const { body, trailers, headers } = await answer
  assert.deepEqual(informed, [103])
  assert.equal(body.toString(), 'answer')
  assert.equal(trailers['grpc-status'], '0')
  assert.equal(headers['content-type'], 'a/b')
  await close()
})

/** Sends `total` bytes in pieces as the client takes them. */
function stream(request: RecordedRequest, total: number): void {
  const piece = Buffer.alloc(65_536, 0x61)
  const head = takeResponseHead()
  head.status = 200
  head.contentLength = total
  request.stream.sendHead(head, false)
  releaseResponseHead(head)
  let left = total
  const more = (): void => {
    while (left > 0) {
      const bytes = Math.min(left, piece.length)
      left -= bytes
      if (!request.stream.sendData(piece, 0, bytes)) break
    }
    if (left === 0) request.stream.sendEnd(undefined)
    request.stream.flush()
  }
  request.onClientWritable = () => {
    if (left > 0) more()
  }
  more()
}

test('node as client: 5 MB down on ten streams at once', async () => {
  const { recorder, session, close } = await ours('hold')
  const answers = Array.from({ length: 10 }, () => answerOf(session.request({ ':path': '/' })))
  await until(() => recorder.requests.length === 10)
  for (const request of recorder.requests) stream(request, 500_000)
  for (const { body } of await Promise.all(answers)) assert.equal(body.length, 500_000)
  await close()
})

test('node as client: 5 MB up, with pauses', async () => {
  const { recorder, session, close } = await ours()
  const request = session.request({ ':method': 'POST' })
  const answer = answerOf(request)
  request.end(Buffer.alloc(5_000_000, 0x62))
  await until(() => recorder.requests.length === 1)
  for (let i = 0; i < 20; i++) {
    recorder.request.stream.pauseBody()
    await new Promise((resolve) => setImmediate(resolve))
    recorder.request.stream.resumeBody()
  }
  assert.equal((await answer).status, 200)
  assert.equal(recorder.request.body.length, 5_000_000)
  await close()
})

test('node as client: resets both ways', async () => {
  const { recorder, session, close } = await ours('hold')
  const first = session.request({ ':path': '/first' })
  const second = session.request({ ':path': '/second' })
  second.on('error', () => undefined)
  await until(() => recorder.requests.length === 2)
  first.close(http2.constants.NGHTTP2_CANCEL)
  await until(() => recorder.requests[0]?.resetReason === 'cancel')
  recorder.requests[1]?.stream.reset('upstream-failed')
  await new Promise((resolve) => second.once('close', resolve))
  assert.equal(second.rstCode, http2.constants.NGHTTP2_INTERNAL_ERROR)
  await close()
})

test('node as client: WebSocket by extended CONNECT', async () => {
  const { recorder, session, close } = await ours('hold')
  assert.equal(session.remoteSettings.enableConnectProtocol, true)
  const socket = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
  })
  await until(() => recorder.requests.length === 1)
  const { request } = recorder
  assert.equal(request.upgrade, 'websocket')
  const { webSocketAccept } = await import('#src/http2/messages/web-socket.ts')
  const key = request.fields[request.fields.indexOf('sec-websocket-key') + 1] as string
  request.stream.sendHead(
    responseHead(101, -1, 'sec-websocket-accept', webSocketAccept(key)),
    false,
  )
  request.stream.flush()
  const [headers] = (await once(socket, 'response')) as [http2.IncomingHttpHeaders]
  assert.equal((headers as Record<string, unknown>)[':status'], 200)
  socket.write('ping')
  await until(() => request.body === 'ping')
  request.stream.sendText('pong')
  request.stream.flush()
  assert.equal(String((await once(socket, 'data'))[0]), 'pong')
  socket.end()
  await until(() => request.ended)
  request.stream.sendEnd(undefined)
  request.stream.flush()
  await once(socket, 'close')
  await close()
})

// node:http2 as an upstream of ours.

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
  const connection = new SocketConnection(socket, silent)
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
