import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Fields } from '#src/exchange/fields.ts'
import { releaseRequestHead, takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestAcceptor, ServerStream, ServerStreamHandler } from '#src/exchange/streams.ts'
import { Http1ServerContext } from '#src/http1/server-context.ts'
import { Http1ServerSession } from '#src/http1/server-session.ts'
import { Exchange } from '#src/proxy/exchange.ts'
import { defaultGlobalOptions } from '#src/table/defaults.ts'
import { createTransport } from '#src/transport/select.ts'
import type { UpstreamConnector } from '#src/upstream/pool.ts'
import { ProxyHarness } from '#test/support/proxy-harness.ts'
import { ToyClientSession } from '#test/support/toy-client.ts'
import { ToyServerSession } from '#test/support/toy-server.ts'

// Clients speak HTTP/1.1, upstreams a multiplexed protocol of the tests: many exchanges of many client
// connections share one upstream connection, through the same proxy as ever.

const transport = await createTransport()
const upstreamSessions: ToyServerSession[] = []

/** The upstream: answers by path. */
const answers: RequestAcceptor = {
  onRequest(stream, head, ended) {
    const { target } = head
    releaseRequestHead(head)
    const answer = new Answer(stream, target)
    if (ended) answer.onRequestEnd()
    return answer
  },
  onRejected: () => '',
}

class Answer implements ServerStreamHandler {
  readonly #stream: ServerStream
  readonly #target: string
  #body = ''

  constructor(stream: ServerStream, target: string) {
    this.#stream = stream
    this.#target = target
    if (target === '/early') this.#reply(403, 'early')
    if (target === '/reset') stream.reset('cancel')
    if (target === '/goaway') upstreamSessions.at(-1)?.goAway()
    if (target.startsWith('/get')) this.#reply(200, target)
  }

  #reply(status: number, body: string, trailers?: Fields): void {
    const head = takeResponseHead()
    if (this.#target === '/get/hints') {
      head.status = 103
      this.#stream.sendInterim(head)
    }
    head.status = status
    head.contentLength = trailers === undefined ? body.length : -1
    this.#stream.sendHead(head, false)
    this.#stream.sendText(body)
    this.#stream.sendEnd(trailers)
    this.#stream.flush()
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    this.#body += buffer.latin1Slice(start, end)
  }

  onRequestEnd(): void {
    const trailers = new Fields()
    trailers.append('X-Sum', String(this.#body.length))
    const own =
      this.#target === '/goaway' || this.#target === '/trailers' || this.#target === '/echo'
    if (own) this.#reply(200, this.#body, this.#target === '/trailers' ? trailers : undefined)
  }

  onRequestReset(): void {}
  onRequestFlush(): void {}
  onClientWritable(): void {}
}

const upstream = await transport.listen({
  address: '127.0.0.1',
  port: 0,
  reusePort: false,
  backlog: 16,
  onConnection(connection) {
    upstreamSessions.push(new ToyServerSession(connection, answers))
    connection.resume()
  },
})

/** A pool of toy connections: one at a time, another when it goes away. */
let current: ToyClientSession | undefined
const pool: ToyClientSession[] = []
const connector: UpstreamConnector = {
  open(_endpoint, _settings, handler) {
    if (current === undefined || current.closed || current.goingAway) {
      const connection = transport.connect(
        { address: '127.0.0.1', port: upstream.port, tls: undefined },
        {
          onConnected() {},
          onData() {},
          onEnd() {},
          onDrain() {},
          onClose() {},
        },
      )
      const session = new ToyClientSession(connection)
      current = session
      pool.push(session)
      session.ready = false
      connection.handler = Object.assign(session, {
        onConnected() {
          session.ready = true
          session.flush()
          connection.resume()
        },
      })
    }
    return current.open(handler)
  },
}

const harness = new ProxyHarness(3)
const services = { ...harness.services, connector }
const rule = harness.rule([])
const acceptor: RequestAcceptor = {
  onRequest(stream, head, ended) {
    const exchange = new Exchange(services, stream, head, ended)
    exchange.begin(rule)
    return exchange
  },
  onRejected: () => '',
}
const context = new Http1ServerContext(acceptor, defaultGlobalOptions, services.wheel, Date.now)
const listener = await transport.listen({
  address: '127.0.0.1',
  port: 0,
  reusePort: false,
  backlog: 16,
  onConnection(connection) {
    new Http1ServerSession(connection, context).start()
  },
})
const agent = new Agent({ keepAlive: true, maxSockets: 20 })

after(async () => {
  agent.destroy()
  await listener.close()
  await upstream.close()
  context.shutdown()
  // The wheel stands still unless it is turned; lingering connections wait for it.
  while (context.sessions.size > 0) {
    harness.advance(1000)
    await setImmediate()
  }
  for (const { connection } of pool) connection.destroy()
})

interface Answered {
  readonly status: number
  readonly body: string
  readonly trailers: NodeJS.Dict<string>
  readonly interims: readonly number[]
}

async function ask(path: string, body?: string): Promise<Answered> {
  const interims: number[] = []
  const outgoing = httpRequest({
    host: '127.0.0.1',
    port: listener.port,
    path,
    agent,
    method: body === undefined ? 'GET' : 'PUT',
  })
  outgoing.on('information', ({ statusCode }) => interims.push(statusCode))
  outgoing.end(body)
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return {
    status: incoming.statusCode ?? 0,
    body: Buffer.concat(chunks).toString('latin1'),
    trailers: incoming.trailers,
    interims,
  }
}

test('100 exchanges of many clients share one upstream connection', async () => {
  const bodies = Array.from({ length: 100 }, (_, i) => `${i} `.repeat(i * 30))
  const all = await Promise.all(bodies.map((body) => ask('/echo', body)))
  assert.deepEqual(
    all.map(({ body }) => body),
    bodies,
  )
  assert.equal(upstreamSessions.length, 1)
})

test('one stream reset is one 502, after a try at each endpoint', async () => {
  const [reset, ...others] = await Promise.all([
    ask('/reset'),
    ...Array.from({ length: 10 }, (_, i) => ask(`/get/${i}`)),
  ])
  assert.equal(reset.status, 502)
  for (const [i, { body }] of others.entries()) assert.equal(body, `/get/${i}`)
})

test('GOAWAY lets streams finish and sends new ones elsewhere', async () => {
  const before = upstreamSessions.length
  const [going] = await Promise.all([ask('/goaway', 'finishes'), ask('/echo', 'beside it')])
  assert.deepEqual([going.status, going.body], [200, 'finishes'])
  assert.equal((await ask('/get/next')).status, 200)
  assert.equal(upstreamSessions.length, before + 1)
})

test('trailers, interim responses and early answers come through', async () => {
  const trailers = await ask('/trailers', 'abc')
  assert.deepEqual([trailers.body, trailers.trailers['x-sum']], ['abc', '3'])
  const hints = await ask('/get/hints')
  assert.deepEqual([hints.status, hints.interims], [200, [103]])
  const socket = connect(listener.port, '127.0.0.1')
  socket.write('PUT /early HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\nbegin')
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('latin1')
  assert.match(text, /^HTTP\/1\.1 403 .*\r\nConnection: close\r\n/s)
  assert.ok(text.endsWith('\r\n\r\nearly'))
})

test('per-stream windows and backpressure reach the client', async () => {
  const body = 'z'.repeat(900_000)
  const [large, small] = await Promise.all([ask('/echo', body), ask('/get/small')])
  assert.equal(large.body.length, body.length)
  assert.equal(small.status, 200)
})
