import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect as connectNode } from 'node:net'
import { test } from 'node:test'
import { connect as connectTlsNode } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { TlsContexts } from '#src/transport/tls-contexts.ts'
import type { TlsSite } from '#src/transport/tls-contexts.ts'
import type { ServerTls, Transport, UpstreamTls } from '#src/transport/transport.ts'
import { issue } from './certificates.ts'
import { finish } from './contract-streams.ts'
import { Recorder, connectTlsPair, listenFor, listenForTls } from './recorder.ts'
import type { Pair } from './recorder.ts'

const root = await issue({ commonName: 'Root', ca: true })
const intermediate = await issue({ commonName: 'Intermediate', ca: true, issuer: root })
const second = await issue({ commonName: 'Second', ca: true, issuer: intermediate })
const leafA = await issue({ commonName: 'a.test', names: ['a.test'], issuer: root })
const leafB = await issue({ commonName: 'b.test', names: ['b.test'], issuer: root })
const deep = await issue({ commonName: 'deep.test', names: ['deep.test'], issuer: second })
const numbered = await issue({ commonName: 'ip', addresses: ['192.0.2.1'], issuer: root })
const expired = await issue({
  commonName: 'expired',
  issuer: root,
  notAfter: new Date(Date.now() - 3_600_000),
})
const alice = await issue({ commonName: 'Alice', organization: 'A, B \u{e9}', issuer: root })
const stranger = await issue({ commonName: 'Mallory' })

const siteA: TlsSite = { ...leafA, fingerprint: 'a' }
const siteB: TlsSite = { ...leafB, fingerprint: 'b' }
const siteDeep: TlsSite = {
  keyPem: deep.keyPem,
  certificatePem: `${deep.certificatePem}\n${second.certificatePem}\n${intermediate.certificatePem}`,
  fingerprint: 'deep',
}
const siteNumbered: TlsSite = { ...numbered, fingerprint: 'numbered' }

const contexts = new TlsContexts({ ticketKeys: Buffer.alloc(48, 1) })
const protocols = ['h2', 'http/1.1']

const versions = ['TLSv1.2', 'TLSv1.3'] as const

function serverOf(site: TlsSite, more: Partial<ServerTls> = {}): ServerTls {
  return {
    context: contexts.get(site),
    serverName: '',
    alpn: protocols,
    requestCertificate: false,
    ...more,
  }
}

/** A client that verifies `a.test` against the root. */
function clientOf(more: Partial<UpstreamTls> = {}): UpstreamTls {
  return {
    serverName: 'a.test',
    verify: true,
    verifyDepth: 1,
    ca: root.certificatePem,
    certificate: '',
    key: '',
    ciphers: '',
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    alpn: [],
    ...more,
  }
}

/** TLS between two ends, for the contract of streams. */
export function connectSecured(version: 'TLSv1.2' | 'TLSv1.3'): (transport: Transport) => Promise<Pair> {
  return (transport) =>
    connectTlsPair(transport, { server: serverOf(siteA), client: clientOf({ maxVersion: version }) })
}

/** Handshakes, what they tell, and what they refuse. */
export function tlsContract(name: string, transport: Transport): void {
  const contract = (title: string, run: () => Promise<void>): void => {
    test(`${name}: ${title}`, run)
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

    contract(`${maxVersion} sessions are resumed at their site and nowhere else`, async () => {
      let site = siteA
      const servers: Recorder[] = []
      const listener = await listenForTls(
        transport,
        () => serverOf(site),
        (server) => servers.push(server),
      )
      const resumes = async (options: UpstreamTls): Promise<boolean | undefined> => {
        const client = new Recorder()
        transport.connect({ address: '127.0.0.1', port: listener.port, tls: options }, client)
        await client.until((end) => end.connected || end.closed !== undefined)
        const server = servers.at(-1) as Recorder
        await server.until((end) => end.connected || end.closed !== undefined)
        // Tickets of TLS 1.3 come behind the handshake.
        client.connection?.resume()
        server.connection?.writeText('x')
        await client.until((end) => end.bytes > 0)
        await finish(client, server)
        assert.equal(server.connection?.peer.tls?.resumed, client.connection?.peer.tls?.resumed)
        return client.connection?.peer.tls?.resumed
      }
      const toA = clientOf({ maxVersion })
      assert.equal(await resumes(toA), false)
      assert.equal(await resumes(toA), true)
      assert.equal(await resumes(toA), true)
      // The same content in another object is the same upstream.
      assert.equal(await resumes({ ...toA }), true)
      // Another worker, with the same ticket keys.
      site = { ...siteA, fingerprint: 'a' }
      assert.equal(await resumes(toA), true)
      site = { ...siteA, clientCa: stranger.certificatePem }
      assert.equal(await resumes(toA), false)
      site = siteA
      const toAny = clientOf({ maxVersion, verify: false, serverName: 'a.test' })
      assert.equal(await resumes(toAny), false)
      assert.equal(await resumes(toAny), true)
      site = siteB
      assert.equal(await resumes(toAny), false)
      contexts.setTicketKeys(randomBytes(48))
      assert.equal(await resumes(toAny), false)
      assert.equal(await resumes(toAny), true)
      listener.destroy()
    })

    const asked: [string, Partial<UpstreamTls>, object | undefined][] = [
      ['none', {}, undefined],
      [
        'a good one',
        { certificate: alice.certificatePem, key: alice.keyPem },
        {
          error: '',
          subject: 'CN=Alice,O=A\\, B \\C3\\A9',
          issuer: 'CN=Root',
          depth: 0,
          pem: `${alice.certificatePem}\n`,
        },
      ],
      [
        'one of an unknown issuer',
        { certificate: stranger.certificatePem, key: stranger.keyPem },
        { error: 'self-signed certificate', subject: 'CN=Mallory', issuer: 'CN=Mallory' },
      ],
      [
        'an expired one',
        { certificate: expired.certificatePem, key: expired.keyPem },
        { error: 'certificate has expired', subject: 'CN=expired', issuer: 'CN=Root' },
      ],
    ]
    for (const [what, identity, expected] of asked) {
      contract(`${maxVersion} asks for a client certificate and gets ${what}`, async () => {
        const site = { ...siteA, clientCa: root.certificatePem }
        const options = clientOf({ maxVersion, ...identity })
        for (const round of ['full', 'resumed']) {
          const { client, server } = await connectTlsPair(transport, {
            server: serverOf(site, { requestCertificate: true }),
            client: options,
          })
          const shown = server.connection?.peer.tls?.clientCertificate
          if (expected === undefined) assert.equal(shown, undefined, round)
          else assert.partialDeepStrictEqual(shown, expected, round)
          await finish(client, server)
        }
      })
    }

    contract(`${maxVersion} accepts a handshake that was read before, cut at any place`, async () => {
      for (const cut of [1, 5, 100, Number.POSITIVE_INFINITY]) {
        const accepted = Promise.withResolvers<Recorder>()
        const listener = await listenFor(transport, (plain) => {
          plain.react = (event) => {
            if (event !== 'data' || plain.bytes < 1) return
            const server = new Recorder()
            plain.react = () => undefined
            const connection = plain.connection as NonNullable<typeof plain.connection>
            server.connection = transport.startTls(connection, plain.content, serverOf(siteA), server)
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
    })
  }

  const refusals: [string, TlsSite, Partial<UpstreamTls>, RegExp][] = [
    ['an unknown issuer', siteA, { ca: stranger.certificatePem }, /unable to (get|verify)/],
    ['another name', siteB, {}, /altnames/],
    ['a chain that is too long', siteDeep, { serverName: 'deep.test' }, /chain too long \(2\)/],
    ['another address', siteNumbered, { serverName: '192.0.2.2' }, /IP/],
    ['no common version', siteA, { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_CCM_SHA256' }, /./],
    ['no common protocol', siteA, { alpn: ['spdy/3'] }, /no application protocol/],
    ['a client certificate without key', siteA, { certificate: 'nonsense', key: 'x' }, /./],
  ]
  for (const [what, site, options, problem] of refusals) {
    contract(`a client refuses ${what}`, async () => {
      const { client, server } = await refused(transport, site, clientOf(options))
      assert.equal(client.closed, 'tls')
      assert.match(client.problem, problem)
      assert.equal(client.end.connected, false)
      assert.deepEqual(client.end.faults, [])
      assert.deepEqual(server?.faults ?? [], [])
    })
  }

  const accepted: [string, TlsSite, Partial<UpstreamTls>][] = [
    ['a chain of allowed length', siteDeep, { serverName: 'deep.test', verifyDepth: 2 }],
    ['a chain of any length', siteDeep, { serverName: 'deep.test', verifyDepth: 0 }],
    ['an address in the certificate', siteNumbered, { serverName: '192.0.2.1' }],
    ['anything, unverified', siteB, { ca: stranger.certificatePem, verify: false }],
    ['a good chain for any name', siteB, { serverName: '' }],
  ]
  for (const [what, site, options] of accepted) {
    contract(`a client accepts ${what}`, async () => {
      const { client, server } = await connectTlsPair(transport, {
        server: serverOf(site),
        client: clientOf(options),
      })
      assert.equal(client.connected, true)
      await finish(client, server)
    })
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
    const listener = await listenForTls(transport, () => serverOf(siteA), (server) => servers.push(server))
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

  contract('what is not TLS ends the handshake', async () => {
    for (const bytes of ['GET / HTTP/1.1\r\nHost: a.test\r\n\r\n', '\u{16}\u{3}\u{1}\0\u{5}\u{1}\0\0\u{1}x', '']) {
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

  contract('a swapped certificate leaves open connections alone', async () => {
    const own = new TlsContexts({ ticketKeys: Buffer.alloc(48, 3) })
    const first = await connectTlsPair(transport, {
      server: serverOf(siteA, { context: own.get(siteA) }),
      client: clientOf(),
    })
    own.get({ ...siteB, fingerprint: 'another' })
    own.setTicketKeys(Buffer.alloc(48, 4))
    first.server.connection?.resume()
    first.client.connection?.writeText('still here')
    await first.server.until((end) => end.text === 'still here')
    await finish(first.client, first.server)
  })
}

/** A handshake that fails on the client's side. */
async function refused(
  transport: Transport,
  site: TlsSite,
  options: UpstreamTls,
): Promise<{ client: { end: Recorder; closed: string; problem: string }; server: Recorder | undefined }> {
  let server: Recorder | undefined
  const listener = await listenForTls(
    transport,
    () => serverOf(site),
    (end) => {
      server = end
    },
  )
  const end = new Recorder()
  const target = { address: '127.0.0.1', port: listener.port, tls: options }
  const connection = transport.connect(target, end)
  await end.until(() => end.closed !== undefined)
  await server?.until((other) => other.closed !== undefined || other.connected)
  server?.connection?.destroy()
  listener.destroy()
  return { client: { end, closed: end.closed ?? '', problem: connection.problem ?? '' }, server }
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
