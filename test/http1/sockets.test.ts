import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { IncomingMessage, RequestOptions, Server, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { seededRandom } from '#algorithms/random.ts'
import { TimerWheel } from '#src/exchange/timer-wheel.ts'
import { Http1ClientSession } from '#src/http1/client-session.ts'
import { Http1ServerContext } from '#src/http1/server-context.ts'
import { Http1ServerSession } from '#src/http1/server-session.ts'
import { PortableTransport } from '#src/transport/portable.ts'
import { RawTransport } from '#src/transport/raw.ts'
import type { Listener, Transport } from '#src/transport/transport.ts'
import { Forwarder } from './forwarder.ts'
import { clientOptions, serverOptions } from './relay.ts'

/** The codec in both roles between Node's own client and server, over real sockets. */
class SocketRelay {
  readonly upstream: Server
  readonly idle: Http1ClientSession[] = []
  port = 0
  opened = 0
  #listener: Listener | undefined
  #clock: NodeJS.Timeout | undefined
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
    this.upstream = createServer()
  }

  async start(): Promise<void> {
    this.upstream.listen(0, '127.0.0.1')
    await once(this.upstream, 'listening')
    const wheel = new TimerWheel(performance.now())
    this.#clock = setInterval(() => wheel.advance(performance.now()), 50)
    const forwarder = new Forwarder(wheel, (handler) => {
      const kept = this.idle.pop()
      if (kept !== undefined) return kept.open(handler)
      this.opened++
      const session = new Http1ClientSession(this, clientOptions)
      const stream = session.open(handler)
      const { port } = this.upstream.address() as AddressInfo
      session.attach(
        this.#transport.connect({ address: '127.0.0.1', port, tls: undefined }, session),
      )
      return stream
    })
    const context = new Http1ServerContext(forwarder, serverOptions, wheel, Date.now)
    this.#listener = await this.#transport.listen({
      address: '127.0.0.1',
      port: 0,
      reusePort: false,
      backlog: 128,
      onConnection: (connection) => new Http1ServerSession(connection, context).start(),
    })
    this.port = this.#listener.port
  }

  async stop(): Promise<void> {
    clearInterval(this.#clock)
    await this.#listener?.close()
    this.upstream.closeAllConnections()
    this.upstream.close()
  }

  onIdle(session: Http1ClientSession): void {
    this.idle.push(session)
  }

  onGone(session: Http1ClientSession): void {
    const place = this.idle.indexOf(session)
    if (place >= 0) this.idle.splice(place, 1)
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** The upstream's answer to most requests: what it got. */
async function echo(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(incoming)
  if (incoming.url !== '/chunked') response.setHeader('Content-Length', body.length)
  response.setHeader('X-Method', incoming.method ?? '')
  for (let at = 0; at < body.length; at += 70_000) response.write(body.subarray(at, at + 70_000))
  response.end()
}

interface Answer {
  readonly message: IncomingMessage
  readonly body: Buffer
}

async function ask(options: RequestOptions, pieces: readonly Buffer[] = []): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', ...options })
  sent.setHeader('host', 'a.test')
  // After the response has come, the message tells of errors too.
  sent.on('error', () => undefined)
  for (const piece of pieces) sent.write(piece)
  sent.end()
  const [message] = (await once(sent, 'response')) as [IncomingMessage]
  return { message, body: await bodyOf(message) }
}

for (const transport of [new RawTransport(), new PortableTransport('for the test')]) {
  describe(`between Node's client and server, ${transport.name}`, () => {
    const relay = new SocketRelay(transport)
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    before(() => relay.start())
    after(async () => {
      agent.destroy()
      await relay.stop()
    })

    test('bodies of all sizes come back as they went, on few connections', async () => {
      const random = seededRandom(1)
      relay.upstream.on('request', (incoming, response) => void echo(incoming, response))
      const asks = Array.from({ length: 120 }, async (_, i) => {
        const size = Math.floor(random() ** 4 * 400_000)
        const body = Buffer.alloc(size, `${i} `)
        const half = Math.floor(size * random())
        const pieces = size === 0 ? [] : [body.subarray(0, half), body.subarray(half)]
        const headers = random() < 0.5 ? {} : { 'content-length': String(size) }
        const path = random() < 0.5 ? '/chunked' : '/'
        const method = size === 0 ? 'GET' : 'POST'
        const answer = await ask({ port: relay.port, agent, path, method, headers }, pieces)
        assert.equal(answer.message.statusCode, 200)
        assert.equal(answer.message.headers['x-method'], method)
        assert.ok(answer.body.equals(body), `body ${i} of ${size} bytes`)
      })
      await Promise.all(asks)
      assert.ok(relay.opened <= 16, `${relay.opened} upstream connections`)
      relay.upstream.removeAllListeners('request')
    })

    test('HEAD, 204, 304 and interim responses', async () => {
      relay.upstream.on('request', (incoming, response) => {
        if (incoming.url === '/hints') response.writeEarlyHints({ link: '</x>; rel=preload' })
        response.statusCode = Number(incoming.headers['x-status'])
        if (response.statusCode === 200) response.setHeader('Content-Length', 5)
        response.end(incoming.method === 'HEAD' ? '' : 'hello')
      })
      for (const [method, status, text] of [
        ['HEAD', '200', ''],
        ['GET', '204', ''],
        ['GET', '304', ''],
        ['GET', '200', 'hello'],
      ] as const) {
        const answer = await ask({
          port: relay.port,
          agent,
          method,
          headers: { 'x-status': status },
        })
        assert.equal(answer.message.statusCode, Number(status))
        assert.equal(answer.body.toString(), text)
      }
      const sent = request({
        host: '127.0.0.1',
        port: relay.port,
        path: '/hints',
        agent,
        headers: { host: 'a.test', 'x-status': '200' },
      })
      const hints = once(sent, 'information')
      const response = once(sent, 'response')
      sent.end()
      assert.equal(((await hints) as [{ statusCode: number }])[0].statusCode, 103)
      const [message] = (await response) as [IncomingMessage]
      assert.equal((await bodyOf(message)).toString(), 'hello')
      relay.upstream.removeAllListeners('request')
    })

    test('the body waits for 100', async () => {
      relay.upstream.on('checkContinue', (incoming: IncomingMessage, response) => {
        response.writeContinue()
        void echo(incoming, response)
      })
      const sent = request({
        host: '127.0.0.1',
        port: relay.port,
        method: 'PUT',
        agent,
        headers: { host: 'a.test', expect: '100-continue', 'content-length': '5' },
      })
      sent.flushHeaders()
      await once(sent, 'continue')
      sent.end('hello')
      const [message] = (await once(sent, 'response')) as [IncomingMessage]
      assert.equal((await bodyOf(message)).toString(), 'hello')
      relay.upstream.removeAllListeners('checkContinue')
    })

    test('an upgrade passes bytes both ways and each end by itself', async () => {
      relay.upstream.on('upgrade', (_incoming, socket: Socket, early: Buffer) => {
        socket.write('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
        socket.write(early)
        socket.on('data', (bytes) => socket.write(bytes))
        socket.on('end', () => socket.end(' bye'))
      })
      const client = connect({ port: relay.port, host: '127.0.0.1', allowHalfOpen: true })
      client.write(
        'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly',
      )
      let received = ''
      client.on('data', (bytes) => {
        received += bytes.toString('latin1')
        if (received.endsWith('early')) client.end(' late')
      })
      await once(client, 'end')
      assert.match(received, /^HTTP\/1\.1 101 .*\r\n\r\nearly late bye$/s)
      relay.upstream.removeAllListeners('upgrade')
    })

    test('a cut answer never looks whole', async () => {
      relay.upstream.on('request', (_incoming, response) => {
        response.write('part', () => response.destroy())
      })
      await assert.rejects(ask({ port: relay.port, agent }), { code: 'ECONNRESET' })
      relay.upstream.removeAllListeners('request')
    })

    test('a client that leaves is told to the upstream', async () => {
      const gone = new Promise((resolve) => {
        relay.upstream.on('request', (incoming, response) => {
          response.on('close', () => resolve(response.writableFinished))
          incoming.resume()
          client.destroy()
        })
      })
      const client = connect(relay.port, '127.0.0.1')
      client.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
      assert.equal(await gone, false)
      relay.upstream.removeAllListeners('request')
    })
  })
}
