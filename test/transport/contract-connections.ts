import assert from 'node:assert/strict'
import { connect as connectNode } from 'node:net'
import type { Socket } from 'node:net'
import type { Connection, Listener, Transport } from '#src/transport/transport.ts'
import { digest, finish, waitUntil } from './contract-streams.ts'
import { closeLater, connectPair, listenFor, pattern, Recorder, socketTest } from './recorder.ts'

const megabyte = 1024 * 1024

/** How connections come and go, and what is told of it. */
export function connectionContract(name: string, transport: Transport): void {
  const contract = (title: string, run: () => Promise<void>): void => {
    socketTest(`${name}: ${title}`, run)
  }

  contract('a refused connection is told as such, later', async () => {
    const { client, server, port } = await connectPair(transport)
    await finish(client, server)
    const end = new Recorder()
    const connection = transport.connect({ address: '127.0.0.1', port, tls: undefined }, end)
    assert.equal(end.closed, undefined)
    await end.until(() => end.closed !== undefined)
    assert.equal(end.closed, 'refused')
    assert.equal(connection.problem, 'ECONNREFUSED')
    assert.equal(end.connected, false)
    // All calls on it are harmless.
    connection.resume()
    connection.pause()
    connection.setBulk(true)
    assert.equal(connection.writeText('x'), true)
    assert.equal(connection.writeBytes('x', Buffer.from('y'), 0, 1), true)
    connection.end()
    connection.reset()
    connection.destroy()
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
    assert.deepEqual(end.faults, [])
  })

  contract('a connection can be given up while it is being made', async () => {
    const listener = await listenFor(transport, (server) => {
      server.connection?.resume()
      server.react = (event) => {
        if (event === 'end') server.connection?.end()
      }
    })
    for (const way of ['destroy', 'reset'] as const) {
      const end = new Recorder()
      const connection = transport.connect(
        { address: '127.0.0.1', port: listener.port, tls: undefined },
        end,
      )
      connection[way]()
      await end.until(() => end.closed !== undefined)
      assert.equal(end.closed, '')
      assert.equal(end.connected, false)
      assert.deepEqual(end.faults, [])
    }
    listener.destroy()
  })

  contract('reading may be asked for before the connection is there', async () => {
    const listener = await listenFor(transport, (server) => {
      server.connection?.writeText('welcome')
      server.connection?.end()
      server.connection?.resume()
    })
    const target = { address: '127.0.0.1', port: listener.port, tls: undefined }
    const client = new Recorder()
    transport.connect(target, client).resume()
    await client.until((end) => end.ended)
    assert.equal(client.text, 'welcome')
    await finish(client)

    const undecided = new Recorder()
    const connection = transport.connect(target, undecided)
    connection.resume()
    connection.pause()
    await undecided.until((end) => end.connected)
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    assert.equal(undecided.bytes, 0)
    connection.resume()
    await undecided.until((end) => end.ended)
    await finish(undecided)
  })

  contract('a reset reaches the other end as one', async () => {
    const { client, server } = await connectPair(transport)
    client.connection?.resume()
    server.connection?.writeText('half an answ')
    await client.until((end) => end.bytes > 0)
    server.call((connection) => {
      connection.reset()
    })
    await client.until((end) => end.closed !== undefined)
    assert.equal(client.closed, 'reset')
    assert.equal(client.ended, false)
    assert.equal(client.connection?.problem, 'ECONNRESET')
    await server.until((end) => end.closed !== undefined)
    assert.equal(server.closed, '')
    assert.deepEqual([client.faults, server.faults], [[], []])
  })

  contract('a reset cuts even what waits to be sent', async () => {
    const { client, server } = await connectPair(transport)
    const body = pattern(10 * megabyte, 1)
    server.connection?.writeBytes('', body, 0, body.length)
    server.connection?.end()
    server.connection?.reset()
    await server.until((end) => end.closed !== undefined)
    client.connection?.resume()
    await client.until((end) => end.closed !== undefined)
    assert.equal(client.closed, 'reset')
    assert.equal(client.ended, false)
  })

  contract('writing to a peer that is gone ends in a reset', async () => {
    const { client, server } = await connectPair(transport)
    server.connection?.destroy()
    await server.until((end) => end.closed !== undefined)
    // The first write is answered by a RST, a later one finds it.
    while (client.closed === undefined) {
      client.call((connection) => connection.writeText('anybody there?'))
      await new Promise(setImmediate)
    }
    assert.equal(client.closed, 'reset')
    assert.deepEqual(client.faults, [])
  })

  for (const event of ['connected', 'data', 'drain', 'end'] as const) {
    for (const way of ['destroy', 'reset'] as const) {
      contract(`${way} within ${event}`, async () => {
        const client = new Recorder()
        const servers: Recorder[] = []
        const listener = await listenFor(transport, (server) => {
          servers.push(server)
          server.connection?.resume()
          server.connection?.writeText('welcome')
          server.connection?.end()
        })
        const body = pattern(10 * megabyte, 2)
        let happened = 0
        client.react = (current) => {
          if (current === 'connected') client.connection?.resume()
          if (current === 'connected' && event === 'drain') {
            client.connection?.writeBytes('', body, 0, body.length)
          }
          if (current !== event) return
          happened++
          client.connection?.[way]()
          // Calls on a dead connection are harmless.
          client.connection?.writeText('x')
          client.connection?.resume()
          client.connection?.end()
        }
        transport.connect({ address: '127.0.0.1', port: listener.port, tls: undefined }, client)
        await client.until((end) => end.closed !== undefined)
        assert.equal(happened, 1)
        assert.equal(client.closed, '')
        assert.deepEqual(client.faults, [])
        await waitUntil(() => servers.length > 0)
        const server = servers[0] as Recorder
        server.connection?.resume()
        await server.until((end) => end.closed !== undefined || end.ended)
        assert.deepEqual(server.faults, [])
        server.connection?.destroy()
        listener.destroy()
      })
    }
  }

  contract('a thousand connections at once, and none is left behind', async () => {
    const before = handles()
    const listener = await listenFor(transport, (server) => {
      server.react = (event) => {
        if (event === 'data') server.connection?.writeText(server.text)
        if (event === 'end') server.connection?.end()
      }
      server.connection?.resume()
    })
    const clients = Array.from({ length: 1000 }, (_, i) => {
      const client = new Recorder()
      client.react = (event) => {
        if (event !== 'connected') return
        client.connection?.resume()
        client.connection?.writeText(`number ${i}`)
      }
      transport.connect({ address: '127.0.0.1', port: listener.port, tls: undefined }, client)
      return client
    })
    await Promise.all(clients.map((client, i) => client.until((end) => end.text === `number ${i}`)))
    await finish(...clients)
    listener.destroy()
    await waitUntil(() => handles() <= before)
  })

  contract('peers are known by address and port', async () => {
    const { client, server } = await connectPair(transport)
    const near = client.connection?.peer
    const far = server.connection?.peer
    assert.equal(far?.address, '127.0.0.1')
    assert.equal(far.socketAddress, '127.0.0.1')
    assert.equal(far.port, near?.localPort)
    assert.equal(far.localPort, near?.port)
    assert.equal(far.localAddress, '127.0.0.1')
    assert.deepEqual([far.scheme, far.tls], ['http', undefined])
    await finish(client, server)
    // Asked for in time, they are known afterwards as well.
    assert.equal(far.address, '127.0.0.1')
  })

  contract('a dual-stack listener shows clients of IPv4 as such', async () => {
    const accepted = Promise.withResolvers<Recorder>()
    const listener = await listenFor(transport, accepted.resolve, '::')
    const client = new Recorder()
    transport.connect({ address: '127.0.0.1', port: listener.port, tls: undefined }, client)
    const server = await accepted.promise
    await client.until((end) => end.connected)
    assert.equal(server.connection?.peer.address, '127.0.0.1')
    assert.equal(server.connection.peer.localAddress, '127.0.0.1')
    await finish(client, server)
    listener.destroy()
  })

  contract('a port in use is one clear line', async () => {
    const listener = await listenFor(transport, () => undefined)
    await assert.rejects(
      transport.listen({
        address: '127.0.0.1',
        port: listener.port,
        reusePort: false,
        backlog: 10,
        onConnection: () => undefined,
      }),
      {
        message: `cannot listen on 127.0.0.1:${listener.port}: address already in use (EADDRINUSE)`,
        code: 'EADDRINUSE',
      },
    )
    listener.destroy()
  })

  contract('listeners share a port when they ask for it', async () => {
    const counts = [0, 0]
    const listeners: Listener[] = []
    for (const i of [0, 1]) {
      const listener = closeLater(
        await transport.listen({
          address: '127.0.0.1',
          port: listeners[0]?.port ?? 0,
          reusePort: true,
          backlog: 511,
          onConnection: (connection) => {
            counts[i] = (counts[i] as number) + 1
            connection.destroy()
          },
        }),
      )
      listeners.push(listener)
    }
    const [first, second] = listeners
    assert.equal(first?.port, second?.port)
    const ends = await connectMany(transport, first?.port as number, 64)
    await Promise.all(ends.map((end) => end.until(() => end.closed !== undefined || end.connected)))
    await waitUntil(() => (counts[0] as number) + (counts[1] as number) === 64)
    assert.ok(
      counts.every((count) => count > 0),
      `spread ${counts.join(' and ')}`,
    )
    for (const end of ends) end.connection?.destroy()
    for (const listener of listeners) listener.destroy()
  })

  contract('a closed listener has accepted all that the kernel had', async () => {
    let served = 0
    const listener = closeLater(
      await transport.listen({
        address: '127.0.0.1',
        port: 0,
        reusePort: true,
        backlog: 2000,
        onConnection: (connection) => {
          served++
          connection.handler = echoTo(connection)
          connection.resume()
        },
      }),
    )
    const { sockets, answered } = storm(listener.port, 600)
    // All are in the kernel's queue before this thread accepts a single one.
    await Promise.all(sockets.map((socket) => new Promise((done) => socket.once('connect', done))))
    await listener.close()
    await answered
    assert.equal(served, 600)
    await listener.close()
    const end = new Recorder()
    transport.connect({ address: '127.0.0.1', port: listener.port, tls: undefined }, end)
    await end.until(() => end.closed !== undefined)
    assert.equal(end.closed, 'refused')
  })

  contract('connections go on when their listener is gone', async () => {
    const accepted = Promise.withResolvers<Recorder>()
    const listener = await listenFor(transport, accepted.resolve)
    const client = new Recorder()
    transport.connect({ address: '127.0.0.1', port: listener.port, tls: undefined }, client)
    const server = await accepted.promise
    await client.until((end) => end.connected)
    await listener.close()
    server.connection?.resume()
    client.connection?.writeText('still here')
    await server.until((end) => end.text === 'still here')
    await finish(client, server)
  })

  contract(
    'bytes of a peer that resets after its answer are lost only with the reset',
    async () => {
      const { client, server } = await connectPair(transport)
      const body = pattern(megabyte, 3)
      client.connection?.resume()
      server.connection?.writeBytes('', body, 0, body.length)
      await client.until((end) => end.bytes === body.length)
      server.connection?.reset()
      await client.until((end) => end.closed !== undefined)
      assert.equal(digest(client.content), digest(body))
      assert.equal(client.closed, 'reset')
    },
  )
}

async function connectMany(transport: Transport, port: number, count: number): Promise<Recorder[]> {
  return Array.from({ length: count }, () => {
    const end = new Recorder()
    end.react = (event) => {
      if (event === 'connected') end.connection?.resume()
      if (event === 'end') end.connection?.end()
    }
    transport.connect({ address: '127.0.0.1', port, tls: undefined }, end)
    return end
  })
}

/** Sockets of the system's own that connect, ask, and want an answer. */
export function storm(
  port: number,
  count: number,
): { readonly sockets: readonly Socket[]; readonly answered: Promise<unknown> } {
  const sockets = Array.from({ length: count }, () => connectNode(port, '127.0.0.1'))
  const answers = sockets.map(
    (socket) =>
      new Promise<void>((resolve, reject) => {
        let text = ''
        socket.on('connect', () => socket.write('ping'))
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1')
          if (text !== 'ping') return
          socket.destroy()
          resolve()
        })
        socket.on('error', reject)
        socket.on('end', () => {
          reject(new Error('ended without an answer'))
        })
      }),
  )
  return { sockets, answered: Promise.all(answers) }
}

function echoTo(connection: Connection): Recorder {
  const server = new Recorder()
  server.connection = connection
  server.react = (event) => {
    if (event === 'data') connection.writeText(server.text)
    if (event === 'end') connection.end()
  }
  return server
}

function handles(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length
}
