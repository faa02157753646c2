import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { ConnectionContext } from '#src/proxy/connection-context.ts'
import { createTransport } from '#src/transport/select.ts'
import type { Connection } from '#src/transport/transport.ts'
import { TestPlane } from '#test/support/plane.ts'
import { ToyCall } from '#test/support/toy-call.ts'
import { ToyClientSession } from '#test/support/toy-client.ts'
import { ToyServerSession } from '#test/support/toy-server.ts'

// Clients speak a multiplexed protocol of the tests, upstreams HTTP/1.1: the proxy between them is the
// one that serves everybody, unchanged.

/** Upstream: echoes bodies, and does what the path says. */
async function upstream(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? ''
  if (url === '/early') {
    response.writeHead(403, { 'content-length': '5' })
    response.end('early')
    return
  }
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks).toString('latin1')
  if (url === '/hints') response.writeEarlyHints({ link: '</s.css>; rel=preload' })
  if (url === '/cut') {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half')
    setImmediate(() => response.destroy())
    return
  }
  if (url === '/trailers') {
    response.writeHead(200, { trailer: 'x-sum' })
    response.write(body)
    response.addTrailers({ 'x-sum': '42' })
    response.end()
    return
  }
  response.end(url.startsWith('/size/') ? 'x'.repeat(Number(url.slice(6))) : `${url} ${body}`)
}

const server = createServer((request, response) => {
  // Clients of these tests leave in the middle of requests.
  upstream(request, response).catch(() => response.destroy())
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const plane = await TestPlane.start({ upstreams: [(server.address() as AddressInfo).port] })
const transport = await createTransport()
const httpListener = {
  key: 'toy',
  protocol: 'http',
  addresses: [],
  port: 0,
  hostGroup: 'all',
  proxyProtocol: false,
  defaultCertificate: undefined,
} as const
const listener = await transport.listen({
  address: '127.0.0.1',
  port: 0,
  reusePort: false,
  backlog: 16,
  onConnection(connection) {
    connection.peer.context = new ConnectionContext(httpListener, undefined)
    const session = new ToyServerSession(connection, plane.plane)
    session.connection.resume()
  },
})

after(async () => {
  await listener.close()
  await plane.stop()
  server.closeAllConnections()
  server.close()
})

async function client(): Promise<{ session: ToyClientSession; connection: Connection }> {
  return await new Promise((resolve) => {
    const connection = transport.connect(
      { address: '127.0.0.1', port: listener.port, tls: undefined },
      {
        onConnected(connected) {
          const session = new ToyClientSession(connected)
          connected.resume()
          resolve({ session, connection })
        },
        onData() {},
        onEnd() {},
        onDrain() {},
        onClose() {},
      },
    )
  })
}

test('100 exchanges interleave on one connection', async () => {
  const { session, connection } = await client()
  const calls = Array.from({ length: 100 }, (_, i) => {
    const body = i % 3 === 0 ? undefined : String(i).repeat(i * 20)
    return {
      body,
      call: new ToyCall(session, { method: 'PUT', target: `/${i}`, ...(body && { body }) }),
    }
  })
  for (const [i, { call, body }] of calls.entries()) {
    await call.done
    assert.equal(call.failure, undefined)
    assert.equal(call.body, `/${i} ${body ?? ''}`)
  }
  connection.destroy()
})

test('a stream that is reset ends alone', async () => {
  const { session, connection } = await client()
  const lost = new ToyCall(session, { method: 'POST', target: '/lost', open: true })
  const others = Array.from({ length: 10 }, (_, i) => new ToyCall(session, { target: `/${i}` }))
  lost.stream.reset('cancel')
  for (const call of others) assert.equal((await call.done).status, 200)
  const cut = await new ToyCall(session, { target: '/cut' }).done
  assert.deepEqual([cut.status, cut.failure], [200, 'reset'])
  assert.equal((await new ToyCall(session, { target: '/after' }).done).status, 200)
  connection.destroy()
})

test('a window that is closed holds one stream back and no other', async () => {
  const { session, connection } = await client()
  const slow = new ToyCall(session, { target: '/size/300000' })
  slow.stream.pauseBody()
  await slow.answered
  for (let i = 0; i < 20; i++) {
    const quick = await new ToyCall(session, { target: '/size/20000' }).done
    assert.equal(quick.body.length, 20_000)
  }
  assert.ok(slow.body.length < 300_000, 'the window was closed')
  slow.stream.resumeBody()
  assert.equal((await slow.done).body.length, 300_000)
  connection.destroy()
})

test('trailers, interim responses and early answers come through', async () => {
  const { session, connection } = await client()
  const trailers = await new ToyCall(session, { method: 'POST', target: '/trailers', body: 'abc' })
    .done
  assert.deepEqual([trailers.body, trailers.trailers], ['abc', ['x-sum', '42']])
  const hints = await new ToyCall(session, { target: '/hints' }).done
  assert.deepEqual([hints.interims, hints.status], [[103], 200])
  const early = new ToyCall(session, { method: 'POST', target: '/early', open: true })
  assert.equal((await early.done).status, 403)
  assert.equal(early.body, 'early')
  connection.destroy()
})

test('a client that leaves takes all its exchanges with it', async () => {
  const { session, connection } = await client()
  for (let i = 0; i < 5; i++) {
    const { stream } = new ToyCall(session, { method: 'POST', target: '/', open: true })
    assert.equal(stream.sent, true)
  }
  assert.equal((await new ToyCall(session, { target: '/x' }).done).status, 200)
  connection.destroy()
  const other = await client()
  // Its requests came behind the end of the first connection, so that has been seen by now.
  for (let i = 0; i < 3; i++)
    assert.equal((await new ToyCall(other.session, { target: '/y' }).done).status, 200)
  assert.equal(
    plane.endpoints.inFlight.reduce((sum, count) => sum + count, 0),
    0,
  )
  other.connection.destroy()
})
