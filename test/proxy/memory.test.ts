import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { TestPlane } from '#test/support/plane.ts'

// What an exchange may hold (issue: 64 KiB for a slow request, 512 KiB for a stalled reader), added up
// over many of them. The upstream writes one buffer over and over, so it holds nothing itself.

const exchanges = 60

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function held(): number {
  collectGarbage()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

/** Waits until a count has stood still for a while. */
async function standstill(count: () => number): Promise<void> {
  let last = -1
  for (let still = 0; still < 10; still = count() === last ? still + 1 : 0) {
    last = count()
    await pause(20)
  }
}

test('stalled readers hold a bounded amount each, and the upstream is stopped', async () => {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  let written = 0
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n')
      const pump = (): void => {
        do written += chunk.length
        while (socket.write(chunk) && !socket.destroyed)
      }
      socket.on('drain', pump)
      pump()
    })
  })
  const plane = await TestPlane.start({ upstreams: [await listening(server)] })
  const before = held()
  const clients = await openClients(plane.httpPort, 'GET /big HTTP/1.1\r\nHost: a.test\r\n\r\n')
  await standstill(() => written)
  const each = (held() - before) / exchanges
  assert.ok(written < exchanges * 16 * 1024 * 1024, `${written} bytes were taken from the upstream`)
  assert.ok(each < 512 * 1024, `${Math.round(each / 1024)} KiB for each stalled reader`)
  await end(plane, server, clients)
})

test('slow requests hold a bounded amount each, and the client is stopped', async () => {
  // An upstream that never reads.
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.pause()
  })
  const plane = await TestPlane.start({
    upstreams: [await listening(server)],
    settings: { bodyBytesMax: 0 },
  })
  const before = held()
  const clients = await openClients(
    plane.httpPort,
    'POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000000\r\n\r\n',
  )
  const chunk = Buffer.alloc(64 * 1024, 'y')
  let sent = 0
  for (const client of clients) {
    const pump = (): void => {
      do sent += chunk.length
      while (client.write(chunk) && !client.destroyed)
    }
    client.on('drain', pump)
    pump()
  }
  await standstill(() => sent)
  // What the kernel would not take of one chunk waits in the client, which is this process, too.
  const each = (held() - before) / exchanges - chunk.length
  assert.ok(sent < exchanges * 16 * 1024 * 1024, `${sent} bytes were taken from the clients`)
  assert.ok(each < 512 * 1024, `${Math.round(each / 1024)} KiB for each slow upload`)
  await end(plane, server, clients)
})

test('requests that come slowly hold less than 64 KiB each', async () => {
  const server = createServer()
  const plane = await TestPlane.start({ upstreams: [await listening(server)] })
  const before = held()
  const head = `GET / HTTP/1.1\r\nHost: a.test\r\nX-Long: ${'z'.repeat(7000)}\r\n`
  const clients = await openClients(plane.httpPort, head)
  await standstill(() => plane.plane.connectionCount)
  const each = (held() - before) / exchanges
  assert.ok(each < 64 * 1024, `${Math.round(each / 1024)} KiB for each unfinished head`)
  await end(plane, server, clients)
})

async function openClients(port: number, text: string): Promise<Socket[]> {
  const clients = Array.from({ length: exchanges }, () => {
    const client = connect(port, '127.0.0.1')
    client.on('error', () => {})
    client.pause()
    return client
  })
  await Promise.all(clients.map((client) => once(client, 'connect')))
  for (const client of clients) client.write(text)
  return clients
}

async function end(plane: TestPlane, server: Server, clients: readonly Socket[]): Promise<void> {
  for (const client of clients) client.destroy()
  await plane.stop()
  server.close()
}
