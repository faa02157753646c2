import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Client, Upstream } from '#test/support/http-peers.ts'
import { TestPlane } from '#test/support/plane.ts'

test('connection-proxy-header close: each request has a connection of its own, and says so', async (t) => {
  const upstream = await Upstream.start('http1')
  const ports = new Set<number>()
  upstream.listener = (request, response) => {
    ports.add(request.socket.remotePort ?? 0)
    response.end(String(request.headers.connection))
  }
  const plane = await TestPlane.start({ upstreams: [upstream.port], connection: 'close' })
  const client = new Client('http1', plane.httpPort)
  t.after(async () => {
    client.stop()
    await plane.stop()
    upstream.stop()
  })
  for (let i = 0; i < 3; i++) {
    const call = client.call('/')
    call.body.end()
    const { status, body } = await call.answer
    assert.deepEqual([status, body.toString()], [200, 'close'])
  }
  assert.equal(ports.size, 3)
})

test('connection-proxy-header keep-alive is said, and the connection kept', async (t) => {
  const upstream = await Upstream.start('http1')
  const ports = new Set<number>()
  upstream.listener = (request, response) => {
    ports.add(request.socket.remotePort ?? 0)
    response.end(String(request.headers.connection))
  }
  const plane = await TestPlane.start({ upstreams: [upstream.port], connection: 'keep-alive' })
  const client = new Client('http1', plane.httpPort)
  t.after(async () => {
    client.stop()
    await plane.stop()
    upstream.stop()
  })
  for (let i = 0; i < 3; i++) {
    const call = client.call('/')
    call.body.end()
    const { body } = await call.answer
    assert.equal(body.toString(), 'keep-alive')
  }
  assert.equal(ports.size, 1)
})

test('connection-proxy-header close: an upgrade passes all the same', async (t) => {
  const upstream = await Upstream.start('http1')
  upstream.server.on(
    'upgrade',
    (_request, socket: NodeJS.WritableStream & NodeJS.ReadableStream) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n',
      )
      socket.pipe(socket)
    },
  )
  const plane = await TestPlane.start({ upstreams: [upstream.port], connection: 'close' })
  const socket = connect(plane.httpPort, '127.0.0.1')
  t.after(async () => {
    socket.destroy()
    await plane.stop()
    upstream.stop()
  })
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  const [head] = (await once(socket, 'data')) as [Buffer]
  assert.match(head.toString(), /^HTTP\/1\.1 101 /)
  socket.write('through')
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  assert.equal(bytes.toString(), 'through')
})

for (const target of ['/a%00b', '/../b', '/%2e%2e/b', '//..//../b']) {
  test(`a path that means nothing ends its connection behind the answer: ${target}`, async (t) => {
    const upstream = await Upstream.start('http1')
    const plane = await TestPlane.start({ upstreams: [upstream.port] })
    const socket = connect(plane.httpPort, '127.0.0.1')
    t.after(async () => {
      socket.destroy()
      await plane.stop()
      upstream.stop()
    })
    let received = ''
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1')
    })
    const next = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n'
    socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n${next}`)
    await once(socket, 'end')
    assert.match(received, /^HTTP\/1\.1 400 [^]*\r\nConnection: close\r\n/)
    assert.equal(received.split('HTTP/1.1').length, 2, 'one answer')
  })
}
