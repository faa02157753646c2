import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import { createServer } from 'node:net'
import test from 'node:test'
import { takeResponseHead, releaseResponseHead } from '#src/exchange/heads.ts'
import { serverLimits } from '#src/http2/limits.ts'
import { webSocketAccept } from '#src/http2/messages/web-socket.ts'
import { Http2ServerSession } from '#src/http2/server-session.ts'
import { realEnvironment } from './support/environment.ts'
import { fieldsOf, responseHead } from './support/heads.ts'
import { Recorder } from './support/recorder.ts'
import type { RecordedRequest } from './support/recorder.ts'
import { SocketConnection, listen, until } from './support/socket-connection.ts'

// node:http2 as a client of ours.

interface Ours {
  readonly recorder: Recorder
  readonly session: ClientHttp2Session
  readonly sessions: readonly Http2ServerSession[]
  readonly close: () => Promise<void>
}

async function ours(answer: 'ok' | 'hold' = 'ok'): Promise<Ours> {
  const { environment, stop } = realEnvironment()
  const recorder = new Recorder(answer)
  const sessions: Http2ServerSession[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = new SocketConnection(socket)
    sessions.push(new Http2ServerSession(connection, recorder, serverLimits, environment))
  })
  const port = await listen(server)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  await once(session, 'remoteSettings')
  const close = async (): Promise<void> => {
    if (!session.destroyed) {
      session.close()
      await new Promise((resolve) => session.once('close', resolve))
    }
    server.close()
    stop()
  }
  return { recorder, session, sessions, close }
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
function sendPieces(request: RecordedRequest, total: number): void {
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
  for (const request of recorder.requests) sendPieces(request, 500_000)
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

test('node as client: a drained session ends by itself, after what is open', async () => {
  const { recorder, session, sessions, close } = await ours('hold')
  const answer = answerOf(session.request({ ':path': '/' }))
  await until(() => recorder.requests.length === 1)
  sessions[0]?.drain()
  await once(session, 'goaway')
  recorder.request.respond(200, 'late')
  assert.equal((await answer).body.toString(), 'late')
  await until(() => session.closed)
  await close()
})
