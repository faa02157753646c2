import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { after, test } from 'node:test'
import { flag, frameType, preface } from '#src/http2/protocol.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import {
  data,
  frame,
  FrameLog,
  headers,
  reset,
  settings,
  settingsAck,
} from '#test/http2/support/frames.ts'
import { Client } from '#test/support/http-peers.ts'
import { TestPlane } from '#test/support/plane.ts'

// An upstream made of bytes, which goes away amid requests or refuses them.

const stops: (() => void | Promise<void>)[] = []
after(async () => {
  for (const stop of stops.toReversed()) await stop()
})

/** One connection of the upstream, and the requests that came on it. */
class Connection {
  readonly streams: number[] = []
  readonly socket: Socket
  readonly #log = new FrameLog()
  #skip = preface.length
  #seen = 0

  constructor(socket: Socket, onRequest: (one: Connection, id: number) => void) {
    this.socket = socket
    socket.on('error', () => undefined)
    socket.write(Buffer.concat([settings(), settingsAck]))
    socket.on('data', (chunk: Buffer) => {
      const from = Math.min(this.#skip, chunk.length)
      this.#skip -= from
      this.#log.add(chunk.subarray(from))
      const heads = this.#log.of(frameType.headers)
      for (; this.#seen < heads.length; this.#seen++) {
        const id = heads[this.#seen]?.streamId ?? 0
        this.streams.push(id)
        onRequest(this, id)
      }
    })
  }

  /** PINGs of the proxy, all of them: no answer is sent. */
  get pings(): number {
    return this.#log.of(frameType.ping).length
  }

  answer(id: number): void {
    this.socket.write(
      Buffer.concat([headers(id, [[':status', '200']], flag.endHeaders), data(id, 'ok')]),
    )
  }

  goaway(last: number): void {
    const payload = Buffer.alloc(8)
    payload.writeUInt32BE(last)
    this.socket.write(frame(frameType.goaway, 0, 0, payload))
  }

  refuse(id: number): void {
    this.socket.write(reset(id, 7))
  }
}

/** A client before the proxy before one upstream that does as the test says. */
async function scripted(
  onRequest: (connection: Connection, id: number) => void,
  options: Partial<GlobalOptions> = {},
): Promise<{ client: Client; connections: Connection[] }> {
  const connections: Connection[] = []
  const server = createServer((socket) => {
    connections.push(new Connection(socket, onRequest))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const plane = await TestPlane.start({ upstreams: [port], protocol: 'http2', options })
  const client = new Client('http2', plane.httpPort)
  stops.push(
    () => {
      for (const { socket } of connections) socket.destroy()
      server.close()
    },
    async () => await plane.stop(),
    () => client.stop(),
  )
  return { client, connections }
}

async function post(client: Client, path: string): Promise<string> {
  const call = client.call(path, { method: 'POST' })
  call.body.end('body')
  const { status, body } = await call.answer
  return `${status} ${body.toString()}`
}

test('GOAWAY: what the upstream has not taken goes to a new connection, POST too', async () => {
  const { client, connections } = await scripted((connection, id) => {
    if (connection !== connections[0]) connection.answer(id)
    else if (connection.streams.length === 4) {
      connection.goaway(3)
      connection.answer(1)
      connection.answer(3)
    }
  })
  const answers = await Promise.all(Array.from({ length: 4 }, async () => await post(client, '/')))
  assert.deepEqual(
    answers,
    Array.from({ length: 4 }, () => '200 ok'),
  )
  assert.deepEqual(
    connections.map(({ streams }) => streams),
    [
      [1, 3, 5, 7],
      [1, 3],
    ],
  )
})

test('GOAWAY in two steps: streams under way are answered, later ones go elsewhere', async () => {
  const { client, connections } = await scripted((connection, id) => {
    if (connection !== connections[0]) connection.answer(id)
    else connection.goaway(2 ** 31 - 1)
  })
  const first = post(client, '/1')
  while ((connections[0]?.streams.length ?? 0) === 0) await new Promise(setImmediate)
  assert.equal(await post(client, '/1').then(() => connections.length), 2)
  connections[0]?.goaway(1)
  connections[0]?.answer(1)
  assert.equal(await first, '200 ok')
})

test('a refused stream is tried once more, then it is the answer', async () => {
  let refused = 0
  const { client, connections } = await scripted((connection, id) => {
    if (refused++ === 0) connection.refuse(id)
    else connection.answer(id)
  })
  assert.equal(await post(client, '/'), '200 ok')
  const always = await scripted((connection, id) => connection.refuse(id))
  assert.match(await post(always.client, '/'), /^502 /)
  assert.deepEqual([connections.length, always.connections.length], [1, 1])
  assert.deepEqual(always.connections[0]?.streams, [1, 3])
})

test('a connection that breaks: what may be repeated is, on one new connection', async () => {
  const { client, connections } = await scripted((connection, id) => {
    if (connection !== connections[0] || id === 1) connection.answer(id)
    else if (connection.streams.length === 11) connection.socket.destroy()
  })
  assert.equal((await client.get('/')).status, 200)
  const answers = await Promise.all(
    Array.from({ length: 10 }, async () => (await client.get('/')).status),
  )
  assert.deepEqual(
    answers,
    Array.from({ length: 10 }, () => 200),
  )
  assert.equal(connections.length, 2)
})

test('a silent upstream is sent PINGs when the option says so', async () => {
  const { client, connections } = await scripted(() => undefined, { upstreamPingIntervalMs: 1 })
  const call = client.call('/', { bodyless: true })
  call.body.end()
  while ((connections[0]?.pings ?? 0) === 0) await new Promise(setImmediate)
  call.cancel()
  await call.answer
})

test('the limit of streams is announced and holds', async () => {
  const held: [Connection, number][] = []
  const { client } = await scripted((...one) => held.push(one), { http2ConcurrentStreams: 2 })
  await once(client.session, 'remoteSettings')
  assert.equal(client.session.remoteSettings.maxConcurrentStreams, 2)
  const answers = Array.from({ length: 4 }, async () => (await client.get('/')).status)
  // The others wait at the client until one of these is done.
  while (held.length < 2) await new Promise(setImmediate)
  for (let done = 0; done < 4;) {
    const next = held.shift()
    if (next === undefined) await new Promise(setImmediate)
    else {
      next[0].answer(next[1])
      done++
    }
  }
  assert.deepEqual(await Promise.all(answers), [200, 200, 200, 200])
})
