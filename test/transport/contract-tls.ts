import assert from 'node:assert/strict'
import { connect as connectNode } from 'node:net'
import { connect as connectTlsNode } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { Transport } from '#src/transport/transport.ts'
import { digest, finish, send, waitUntil } from './contract-streams.ts'
import {
  connectPair,
  connectTlsPair,
  listenFor,
  listenForTls,
  pattern,
  Recorder,
  relay,
  socketTest,
} from './recorder.ts'
import type { Pair } from './recorder.ts'
import { clientOf, root, serverOf, siteA, versions } from './tls-sites.ts'

/** TLS between two ends, for the contract of streams. */
export function connectSecured(
  version: 'TLSv1.2' | 'TLSv1.3',
): (transport: Transport) => Promise<Pair> {
  return (transport) =>
    connectTlsPair(transport, {
      server: serverOf(siteA),
      client: clientOf({ maxVersion: version }),
    })
}

/** Handshakes, what they tell, and what they refuse. */
export function tlsContract(name: string, transport: Transport): void {
  const contract = (title: string, run: () => Promise<void>): void => {
    socketTest(`${name}: ${title}`, run)
  }

  for (const maxVersion of versions) {
    contract(`${maxVersion} tells both ends what was agreed`, async () => {
      const { client, server } = await connectTlsPair(transport, {
        server: serverOf(siteA, { serverName: 'a.test' }),
        client: clientOf({ maxVersion, alpn: ['http/1.1'] }),
      })
      for (const end of [client, server]) {
        const peer = end.connection?.peer
        assert.equal(peer?.scheme, 'https')
        assert.equal(peer.address, '127.0.0.1')
        const { cipher, ...told } = peer.tls as NonNullable<typeof peer.tls>
        assert.match(cipher, /GCM|CHACHA20/)
        assert.deepEqual(told, {
          serverName: 'a.test',
          protocol: maxVersion,
          alpn: 'http/1.1',
          resumed: false,
          clientCertificate: undefined,
        })
      }
      await finish(client, server)
    })

    contract(
      `${maxVersion} accepts a handshake that was read before, cut at any place`,
      async () => {
        for (const cut of [1, 5, 100, Number.POSITIVE_INFINITY]) {
          const accepted = Promise.withResolvers<Recorder>()
          const listener = await listenFor(transport, (plain) => {
            plain.react = (event) => {
              if (event !== 'data' || plain.bytes < 1) return
              const server = new Recorder()
              plain.react = () => undefined
              const connection = plain.connection as NonNullable<typeof plain.connection>
              server.connection = transport.startTls(
                connection,
                plain.content,
                serverOf(siteA),
                server,
              )
              accepted.resolve(server)
            }
            plain.connection?.resume()
          })
          // Between client and listener, so that the first bytes arrive by themselves.
          const middle = await listenFor(transport, (near) => {
            const far = new Recorder()
            transport.connect({ address: '127.0.0.1', port: listener.port, tls: undefined }, far)
            far.react = (event) => {
              if (event === 'connected') {
                far.connection?.resume()
                near.connection?.resume()
              } else if (event === 'data') {
                near.connection?.writeBytes('', far.content, near.drains, far.bytes)
                near.drains = far.bytes
              } else if (event === 'end') near.connection?.end()
            }
            let sent = 0
            near.react = (event) => {
              if (event === 'end') far.connection?.end()
              if (event !== 'data') return
              const all = near.content
              const to = sent < cut ? Math.min(all.length, cut) : all.length
              far.connection?.writeBytes('', all, sent, to)
              sent = to
              setImmediate(() => {
                far.connection?.writeBytes('', all, to, all.length)
              })
              sent = all.length
            }
          })
          const client = new Recorder()
          transport.connect(
            { address: '127.0.0.1', port: middle.port, tls: clientOf({ maxVersion }) },
            client,
          )
          await client.until((end) => end.connected || end.closed !== undefined)
          assert.equal(client.connection?.problem ?? '', '')
          client.connection?.writeText('through')
          const server = await accepted.promise
          await server.until((end) => end.connected)
          server.connection?.resume()
          await server.until((end) => end.text === 'through')
          await finish(client, server)
          listener.destroy()
          middle.destroy()
        }
      },
    )
  }

  contract('a request that comes with the end of the handshake is not lost', async () => {
    const servers: Recorder[] = []
    const listener = await listenForTls(
      transport,
      () => serverOf(siteA),
      (server) => {
        servers.push(server)
        server.react = (event) => {
          if (event === 'connected') server.connection?.resume()
          if (event === 'end') server.connection?.end()
        }
      },
    )
    for (const maxVersion of versions) {
      const socket = await nodeClient(listener.port, { maxVersion }, (client) => {
        client.end('GET / HTTP/1.1\r\n\r\n')
      })
      const server = servers.at(-1) as Recorder
      await server.until((end) => end.closed !== undefined)
      assert.equal(server.text, 'GET / HTTP/1.1\r\n\r\n')
      assert.deepEqual(server.faults, [])
      socket.destroy()
    }
    listener.destroy()
  })

  contract('a connection that its owner does not read yet keeps what arrived', async () => {
    const servers: Recorder[] = []
    const listener = await listenForTls(
      transport,
      () => serverOf(siteA),
      (server) => servers.push(server),
    )
    const socket = await nodeClient(listener.port, {}, (client) => {
      client.end('early')
    })
    const server = servers[0] as Recorder
    await server.until((end) => end.connected)
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    assert.equal(server.bytes, 0)
    server.connection?.resume()
    await server.until((end) => end.ended)
    assert.equal(server.text, 'early')
    await finish(server)
    socket.destroy()
    listener.destroy()
  })

  for (const bulk of [false, true]) {
    contract(
      `what TLS brings waits whole in a plain connection${bulk ? ', in bulk' : ''}`,
      async () => {
        const secured = await connectSecured('TLSv1.3')(transport)
        const stalled = await connectPair(transport)
        secured.server.connection?.setBulk(bulk)
        relay(secured.server, stalled.client)
        const body = pattern(10 * 1024 * 1024, 9)
        send(secured.client, body)
        await waitUntil(() => stalled.client.connection?.backedUp === true)
        // A slow reader: the write to it is cut off again and again.
        stalled.server.react = (event) => {
          if (event !== 'data') return
          stalled.server.connection?.pause()
          setTimeout(() => stalled.server.connection?.resume(), 1)
        }
        stalled.server.connection?.resume()
        await stalled.server.until((end) => end.ended)
        assert.equal(digest(stalled.server.content), digest(body))
        stalled.server.react = () => undefined
        await finish(secured.client, secured.server, stalled.client, stalled.server)
      },
    )
  }

  contract('TLS on a connection that is gone tells its end', async () => {
    const { client, server } = await connectPair(transport)
    const plain = server.connection as NonNullable<typeof server.connection>
    plain.destroy()
    const secured = new Recorder()
    transport.startTls(plain, Buffer.alloc(0), serverOf(siteA), secured)
    await secured.until((end) => end.closed !== undefined)
    assert.deepEqual([secured.closed, secured.connected], ['reset', false])
    await server.until((end) => end.closed !== undefined)
    client.connection?.destroy()
    await client.until((end) => end.closed !== undefined)
  })

  contract('what is not TLS ends the handshake', async () => {
    for (const bytes of [
      'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n',
      '\u{16}\u{3}\u{1}\0\u{5}\u{1}\0\0\u{1}x',
      '',
    ]) {
      const accepted = Promise.withResolvers<Recorder>()
      const listener = await listenForTls(transport, () => serverOf(siteA), accepted.resolve)
      const socket = connectNode(listener.port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.resume()
      socket.end(bytes, 'latin1')
      const server = await accepted.promise
      await server.until((end) => end.closed !== undefined)
      assert.equal(server.closed, 'tls')
      assert.notEqual(server.connection?.problem, '')
      assert.equal(server.connected, false)
      assert.deepEqual(server.faults, [])
      socket.destroy()
      listener.destroy()
    }
  })

  contract('an owner that pauses or resumes amid the handshake does not disturb it', async () => {
    for (const wanted of [true, false]) {
      const accepted = Promise.withResolvers<Recorder>()
      const listener = await listenForTls(
        transport,
        () => serverOf(siteA),
        (server) => {
          server.connection?.resume()
          if (!wanted) server.connection?.pause()
          accepted.resolve(server)
        },
      )
      const client = new Recorder()
      const target = { address: '127.0.0.1', port: listener.port, tls: clientOf() }
      const connection = transport.connect(target, client)
      connection.resume()
      connection.pause()
      await client.until((end) => end.connected)
      client.connection?.writeText('there?')
      const server = await accepted.promise
      await server.until((end) => end.connected)
      if (!wanted) {
        for (let i = 0; i < 20; i++) await new Promise(setImmediate)
        assert.equal(server.bytes, 0)
        server.connection?.resume()
      }
      await server.until((end) => end.text === 'there?')
      await finish(client, server)
    }
  })

  contract('a handshake that is never finished can be given up', async () => {
    const accepted = Promise.withResolvers<Recorder>()
    const listener = await listenForTls(transport, () => serverOf(siteA), accepted.resolve)
    const socket = connectNode(listener.port, '127.0.0.1')
    socket.on('error', () => undefined)
    const server = await accepted.promise
    server.call((connection) => {
      connection.destroy()
    })
    await server.until((end) => end.closed !== undefined)
    assert.equal(server.closed, '')
    socket.destroy()
    listener.destroy()
  })
}

function nodeClient(
  port: number,
  options: ConnectionOptions,
  onSecure: (client: TLSSocket) => void,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const client = connectTlsNode(
      { port, host: '127.0.0.1', servername: 'a.test', ca: root.certificatePem, ...options },
      () => {
        onSecure(client)
        resolve(client)
      },
    )
    client.on('error', reject)
  })
}
