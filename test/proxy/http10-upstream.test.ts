import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Client } from '#test/support/http-peers.ts'
import { TestPlane } from '#test/support/plane.ts'
import type { PlaneSettings } from '#test/support/plane.ts'

// proxy-http-version 1.0: there are no chunks, so that every body needs a length.

/** An upstream of HTTP/1.0 that gives back what it read, and a plane before it. */
async function start(t: TestContext, settings: PlaneSettings['settings'] = {}) {
  const seen: string[] = []
  const server = createServer((socket) => {
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s)
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (!text.includes('\r\n\r\n') || body.length < length) return
      seen.push(head)
      socket.end(`HTTP/1.0 200 OK\r\n\r\n${body.length}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const plane = await TestPlane.start({ upstreams: [port], protocol: 'http1.0', settings })
  t.after(async () => {
    await plane.stop()
    server.close()
  })
  return { plane, seen }
}

for (const version of ['http1', 'http2'] as const) {
  test(`${version}: a body of unknown length gets one`, async (t) => {
    const { plane, seen } = await start(t)
    const client = new Client(version, plane.httpPort)
    t.after(() => {
      client.stop()
    })
    for (const size of [0, 5, 300_000]) {
      const call = client.call('/', { method: 'POST' })
      call.body.write('x'.repeat(size >> 1))
      call.body.end('x'.repeat(size - (size >> 1)))
      const { status, body } = await call.answer
      assert.deepEqual([status, body.toString()], [200, String(size)])
    }
    assert.equal(seen.length, 3)
    for (const head of seen) {
      assert.match(head, /^POST \/ HTTP\/1\.0\r\n/)
      assert.doesNotMatch(head, /transfer-encoding/i)
    }
    assert.match(seen[2] ?? '', /content-length: 300000/i)
  })

  test(`${version}: what is larger than the route allows is 413, and nobody is asked`, async (t) => {
    const { plane, seen } = await start(t, { bodyBytesMax: 1000 })
    const client = new Client(version, plane.httpPort)
    t.after(() => {
      client.stop()
    })
    const call = client.call('/', { method: 'POST' })
    call.body.on('error', () => {})
    call.body.write('x'.repeat(2000))
    const { status } = await call.answer
    assert.equal(status, 413)
    assert.deepEqual(seen, [])
  })
}

test('a client that waits for 100 (Continue) is asked for its body', async (t) => {
  const { plane, seen } = await start(t)
  const socket = connect(plane.httpPort, '127.0.0.1')
  t.after(() => {
    socket.destroy()
  })
  const fields = 'Host: a.example\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked'
  socket.write(`POST / HTTP/1.1\r\n${fields}\r\nConnection: close\r\n\r\n`)
  const [interim] = (await once(socket, 'data')) as [Buffer]
  assert.match(interim.toString(), /^HTTP\/1\.1 100 /)
  let received = ''
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString()
  })
  socket.write('5\r\nhello\r\n0\r\n\r\n')
  await once(socket, 'end')
  assert.match(received, /^HTTP\/1\.1 200 [^]*5/)
  assert.match(seen[0] ?? '', /content-length: 5$/im)
  assert.doesNotMatch(seen[0] ?? '', /expect/i)
})
