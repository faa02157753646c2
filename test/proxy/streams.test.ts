import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { streamLogFormat, streamLogVariables } from '#src/policies/log-variables.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { PortableTransport } from '#src/transport/portable.ts'
import { RawTransport } from '#src/transport/raw.ts'
import { certificateFor, TestPlane } from '#test/support/plane.ts'
import type { PlaneSettings } from '#test/support/plane.ts'

// What a server gets and sends, byte for byte, through a plane that knows nothing of it.

const transports = {
  raw: () => new RawTransport(),
  portable: () => new PortableTransport('for the test'),
}

async function serve(t: TestContext, onSocket: (socket: Socket) => void): Promise<number> {
  return await listen(t, createServer({ allowHalfOpen: true }, onSocket))
}

async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function planeFor(
  t: TestContext,
  transport: keyof typeof transports,
  settings: PlaneSettings,
): Promise<TestPlane> {
  const plane = await TestPlane.start({ ...settings, transport: transports[transport]() })
  t.after(() => plane.stop())
  return plane
}

function dial(t: TestContext, port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  t.after(() => socket.destroy())
  return socket
}

/** All that comes, and how it ends. */
async function readAll(socket: Socket): Promise<{ bytes: Buffer; error: string }> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  return await new Promise((resolve) => {
    const done = (error: string): void => {
      resolve({ bytes: Buffer.concat(chunks), error })
    }
    socket.once('end', () => {
      done('')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      done(error.code ?? '')
    })
    socket.once('close', () => {
      done('closed')
    })
  })
}

/** A port that nobody listens at. */
async function deadPort(t: TestContext): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  t.diagnostic(`nobody listens at ${port}`)
  return port
}

function counted(plane: TestPlane, name: string): number {
  return plane.worker.get(0, workerCell(name as Parameters<typeof workerCell>[0]))
}

function parseFormat(text: string): GlobalOptions['streamLogFormat'] {
  return streamLogFormat.parse(text) ?? assert.fail(streamLogFormat.explain?.(text))
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}

for (const transport of ['raw', 'portable'] as const) {
  const each = (title: string, run: (t: TestContext) => Promise<void>): void => {
    test(`${transport}: ${title}`, run)
  }

  each('bytes go to an endpoint and back, and each end is told', async (t) => {
    const port = await serve(t, (socket) => socket.pipe(socket))
    const plane = await planeFor(t, transport, { upstreams: [port], stream: {} })
    const socket = dial(t, plane.tcpPort)
    const answer = readAll(socket)
    socket.end('hello')
    assert.deepEqual(await answer, { bytes: Buffer.from('hello'), error: '' })
    await until(() => counted(plane, 'streams_total:served') === 1)
    assert.equal(counted(plane, 'stream_bytes_total:received'), 5)
    assert.equal(counted(plane, 'stream_bytes_total:sent'), 5)
    assert.equal(counted(plane, 'connections_accepted_total:tcp'), 1)
    const line = JSON.parse(plane.lines[0] ?? '') as Record<string, unknown>
    assert.partialDeepStrictEqual(line, {
      protocol: 'tcp',
      remote_addr: '127.0.0.1',
      request_bytes: 5,
      response_bytes: 5,
      service: 'app',
      upstream_addr: `127.0.0.1:${port}`,
      tries: 1,
      failure: '',
    })
  })

  each('the lines of the log in a format of their own', async (t) => {
    const text = '[$remote_addr] $protocol $status $bytes_sent $bytes_received $upstream_addr'
    const format = parseFormat(`headed by $proxy_upstream_name: ${text}`)
    const options = { streamLogFormat: format }
    const port = await serve(t, (socket) => socket.end('answer'))
    const dead = await deadPort(t)
    const served = await planeFor(t, transport, { upstreams: [port], stream: {}, options })
    const refused = await planeFor(t, transport, { upstreams: [dead], stream: {}, options })
    const socket = dial(t, served.tcpPort)
    socket.end('ask')
    await readAll(socket)
    await readAll(dial(t, refused.tcpPort))
    await until(() => served.lines.length + refused.lines.length === 2)
    assert.match(
      served.lines[0] ?? '',
      /^headed by tcp-\S+: \[127\.0\.0\.1\] TCP 200 6 3 127\.0\.0\.1:\d+$/,
    )
    assert.match(refused.lines[0] ?? '', / TCP 502 0 0 127\.0\.0\.1:\d+$/)
  })

  each('a server that speaks first is heard', async (t) => {
    const port = await serve(t, (socket) => socket.write('220 ready\r\n'))
    const plane = await planeFor(t, transport, { upstreams: [port], stream: {} })
    const [greeting] = (await once(dial(t, plane.tcpPort), 'data')) as [Buffer]
    assert.equal(greeting.toString(), '220 ready\r\n')
  })

  each('much is passed on whole while both sides are slow', async (t) => {
    const body = randomBytes(8 * 1024 * 1024)
    const port = await serve(t, (socket) => {
      socket.on('data', () => {
        socket.pause()
        setImmediate(() => socket.resume())
      })
      socket.pipe(socket)
    })
    const plane = await planeFor(t, transport, { upstreams: [port], stream: {} })
    const socket = dial(t, plane.tcpPort)
    const answer = readAll(socket)
    socket.end(body)
    const { bytes, error } = await answer
    assert.equal(error, '')
    assert.equal(digest(bytes), digest(body))
  })

  each('an endpoint that refuses is given up for another, then kept away from', async (t) => {
    const port = await serve(t, (socket) => socket.end('here'))
    const dead = await deadPort(t)
    const plane = await planeFor(t, transport, { upstreams: [dead, port], stream: {} })
    for (let i = 0; i < 8; i++) {
      const { bytes } = await readAll(dial(t, plane.tcpPort))
      assert.equal(bytes.toString(), 'here')
    }
    assert.equal(counted(plane, 'upstream_retries_total'), 3)
    assert.equal(counted(plane, 'upstream_ejections_total'), 1)
  })

  each('where nobody can be reached the client is cut off', async (t) => {
    const dead = [await deadPort(t), await deadPort(t)]
    const plane = await planeFor(t, transport, { upstreams: dead, stream: { triesMax: 1 } })
    assert.equal((await readAll(dial(t, plane.tcpPort))).error, 'ECONNRESET')
    assert.equal(counted(plane, 'streams_total:unreachable'), 1)
    assert.equal(counted(plane, 'upstream_retries_total'), 0)
    await plane.apply([])
    assert.equal((await readAll(dial(t, plane.tcpPort))).error, 'ECONNRESET')
    assert.equal(counted(plane, 'streams_total:no-endpoint'), 1)
  })

  each('a reset on one side is one on the other', async (t) => {
    const ends: string[] = []
    const port = await serve(t, (socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''))
      socket.on('data', (bytes: Buffer) => {
        if (bytes.toString() === 'reset') socket.resetAndDestroy()
        else socket.write(bytes)
      })
    })
    const plane = await planeFor(t, transport, { upstreams: [port], stream: {} })
    const first = dial(t, plane.tcpPort)
    const answer = readAll(first)
    first.write('reset')
    assert.equal((await answer).error, 'ECONNRESET')
    const second = dial(t, plane.tcpPort)
    second.write('x')
    await once(second, 'data')
    second.resetAndDestroy()
    await until(() => ends.length > 0)
    assert.deepEqual(ends, ['ECONNRESET'])
    assert.equal(counted(plane, 'streams_total:reset'), 2)
  })

  each('a connection counts as work of its endpoint while it lives, and no longer', async (t) => {
    const port = await serve(t, (socket) => socket.pipe(socket))
    const plane = await planeFor(t, transport, { upstreams: [port], stream: {} })
    const sockets = [dial(t, plane.tcpPort), dial(t, plane.tcpPort)]
    for (const socket of sockets) {
      socket.write('x')
      await once(socket, 'data')
    }
    const inFlight = (): number => plane.endpoints.inFlight.reduce((sum, one) => sum + one, 0)
    assert.equal(inFlight(), 2)
    assert.equal(plane.plane.connectionCount, 2)
    for (const socket of sockets) socket.destroy()
    await until(() => inFlight() === 0)
    assert.equal(plane.plane.connectionCount, 0)
  })

  each('the least busy endpoint is chosen by open connections', async (t) => {
    const ports = [await serve(t, echo), await serve(t, echo)]
    const balance = { algorithm: 'least-requests', options: {}, hashKey: [] }
    const plane = await planeFor(t, transport, { upstreams: ports, stream: { balance } })
    const socketsOf = async (): Promise<string> => {
      const socket = dial(t, plane.tcpPort)
      socket.write('?')
      const [bytes] = (await once(socket, 'data')) as [Buffer]
      return bytes.toString()
    }
    const seen = [await socketsOf(), await socketsOf(), await socketsOf(), await socketsOf()]
    assert.deepEqual(seen.toSorted(), ports.flatMap((port) => [`${port}`, `${port}`]).toSorted())
  })

  each('silence ends a connection', async (t) => {
    const port = await serve(t, (socket) => socket.pipe(socket))
    const stream = { idleTimeoutMs: 300 }
    const plane = await planeFor(t, transport, { upstreams: [port], stream })
    const socket = dial(t, plane.tcpPort)
    const answer = readAll(socket)
    socket.write('x')
    assert.equal((await answer).error, 'ECONNRESET')
    assert.equal(counted(plane, 'streams_total:idle'), 1)
  })

  each('PROXY headers are believed and sent on', async (t) => {
    const port = await serve(t, (socket) => socket.pipe(socket))
    const settings = { upstreams: [port], proxyProtocol: true, stream: { sendProxyHeader: true } }
    const plane = await planeFor(t, transport, settings)
    const socket = dial(t, plane.tcpPort)
    const answer = readAll(socket)
    socket.end('PROXY TCP4 192.0.2.7 192.0.2.8 4000 5000\r\npayload')
    const { bytes } = await answer
    assert.equal(bytes.toString(), 'PROXY TCP4 192.0.2.7 192.0.2.8 4000 5000\r\npayload')
    const without = dial(t, plane.tcpPort)
    const refused = readAll(without)
    without.write('payload without a header')
    assert.notEqual((await refused).bytes.toString(), 'payload without a header')
  })

  each('a PROXY header has its time on TCP ports, too', async (t) => {
    const port = await serve(t, (socket) => socket.pipe(socket))
    const options = { proxyHeaderTimeoutMs: 50 }
    const settings = { upstreams: [port], proxyProtocol: true, stream: {}, options }
    const plane = await planeFor(t, transport, settings)
    const startedAt = performance.now()
    const { bytes } = await readAll(dial(t, plane.tcpPort))
    assert.equal(bytes.length, 0)
    assert.ok(performance.now() - startedAt < 4000)
  })

  each('the header that is sent names the client', async (t) => {
    const port = await serve(t, (socket) => socket.pipe(socket))
    const stream = { sendProxyHeader: true }
    const plane = await planeFor(t, transport, { upstreams: [port], stream })
    const socket = dial(t, plane.tcpPort)
    const answer = readAll(socket)
    await once(socket, 'connect')
    const { localPort } = socket
    socket.end('x')
    const expected = `PROXY TCP4 127.0.0.1 127.0.0.1 ${localPort} ${plane.tcpPort}\r\nx`
    assert.equal((await answer).bytes.toString(), expected)
  })

  each('draining waits for connections, and cuts what is left', async (t) => {
    const port = await serve(t, (socket) => socket.pipe(socket))
    const plane = await planeFor(t, transport, { upstreams: [port], stream: {} })
    const [polite, stubborn] = [dial(t, plane.tcpPort), dial(t, plane.tcpPort)]
    for (const socket of [polite, stubborn]) {
      socket.write('x')
      await once(socket, 'data')
    }
    const cut = readAll(stubborn)
    const drained = plane.plane.drain(700)
    const answer = readAll(polite)
    polite.end('late')
    assert.deepEqual(await answer, { bytes: Buffer.from('late'), error: '' })
    await drained
    assert.equal((await cut).error, 'ECONNRESET')
    assert.equal(counted(plane, 'streams_total:draining'), 1)
  })

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    each(`${maxVersion} ends at the endpoint where the name says so`, async (t) => {
      const own = await certificateFor('pass.test')
      const server = createTlsServer({ cert: own.certificatePem, key: own.keyPem }, (socket) =>
        socket.pipe(socket),
      )
      const port = await listen(t, server)
      const plane = await planeFor(t, transport, {
        upstreams: [port],
        hosts: ['pass.test', 'here.test'],
        certificate: await certificateFor('here.test'),
        passthrough: { 'pass.test': {} },
        proxyProtocol: true,
      })
      const talk = async (servername: string): Promise<string> => {
        const plain = dial(t, plane.httpsPort)
        // In pieces, as a network may deliver it.
        plain.write('PROXY TCP4 192.0.2.7 192.0.2.8 4000 443\r\n')
        const socket = connectTls({
          socket: plain,
          servername,
          maxVersion,
          rejectUnauthorized: false,
        })
        await once(socket, 'secureConnect')
        const { subject } = socket.getPeerCertificate()
        return String(subject.CN)
      }
      assert.equal(await talk('pass.test'), 'pass.test')
      assert.equal(await talk('PASS.test'), 'pass.test')
      assert.equal(await talk('here.test'), 'here.test')
      await until(() => counted(plane, 'tls_handshakes_total:full') === 1)
      // Without the header nobody gets this far.
      const socket = connectTls({
        socket: dial(t, plane.httpsPort),
        servername: 'pass.test',
        rejectUnauthorized: false,
      })
      const refused = Promise.withResolvers<void>()
      socket.on('secureConnect', () => {
        refused.reject(new Error('a connection without PROXY header was taken'))
      })
      socket.on('error', () => {
        refused.resolve()
      })
      await refused.promise
    })
  }
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function echo(socket: Socket): void {
  socket.on('data', () => socket.write(String(socket.localPort)))
}

test('every variable of lines of TCP connections has a value, or a dash', async (t) => {
  const port = await serve(t, (socket) => socket.end())
  const format = streamLogVariables.map((name) => `${name}=$${name}`).join('|')
  const options = { streamLogFormat: parseFormat(format) }
  const plane = await planeFor(t, 'raw', { upstreams: [port], stream: {}, options })
  const socket = dial(t, plane.tcpPort)
  socket.end()
  await readAll(socket)
  await until(() => plane.lines.length === 1)
  const values = (plane.lines[0] ?? '').split('|').map((pair) => pair.split('='))
  assert.deepEqual(
    values.map(([name]) => name),
    [...streamLogVariables],
  )
  for (const [name, value] of values) assert.ok(value !== '' && value !== 'undefined', String(name))
})

test('a variable of requests is none of TCP connections', () => {
  assert.equal(streamLogFormat.parse('$request'), undefined)
  assert.match(streamLogFormat.explain?.('$request') ?? '', /\$request is not a variable/)
})
