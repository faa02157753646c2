import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { TlsContexts } from '#src/transport/tls-contexts.ts'
import type { ClientAuthorities } from '#src/transport/tls-contexts.ts'
import type { Transport, UpstreamTls } from '#src/transport/transport.ts'
import { finish } from './contract-streams.ts'
import { Recorder, connectTlsPair, listenForTls, socketTest } from './recorder.ts'
import {
  alice,
  authoritiesOf,
  clientOf,
  contexts,
  expired,
  root,
  serverOf,
  siteA,
  siteB,
  stranger,
  versions,
} from './tls-sites.ts'

/** Who is resumed where, and who showed which certificate. */
export function sessionContract(name: string, transport: Transport): void {
  const contract = (title: string, run: () => Promise<void>): void => {
    socketTest(`${name}: ${title}`, run)
  }

  for (const maxVersion of versions) {
    contract(`${maxVersion} sessions are resumed at their site and nowhere else`, async () => {
      let site = siteA
      let clients: ClientAuthorities | undefined
      const servers: Recorder[] = []
      const listener = await listenForTls(
        transport,
        () => serverOf(site, { context: contexts.get(site, clients) }),
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
      // Clients are asked for a certificate: neither a session of before nor one begun here counts.
      clients = authoritiesOf(stranger)
      assert.equal(await resumes(toA), false)
      assert.equal(await resumes(toA), false)
      clients = undefined
      const toAny = clientOf({ maxVersion, verify: false, serverName: 'a.test' })
      assert.equal(await resumes(toAny), false)
      assert.equal(await resumes(toAny), true)
      site = siteB
      assert.equal(await resumes(toAny), false)
      // Tickets of the last keys are good, and renewed; those before are not.
      contexts.setTicketKeys(randomBytes(48))
      assert.equal(await resumes(toAny), true)
      contexts.setTicketKeys(randomBytes(48))
      // A client on OpenSSL does not notice that its ticket was renewed under TLS 1.2.
      assert.equal(await resumes(toAny), maxVersion === 'TLSv1.3')
      contexts.setTicketKeys(randomBytes(48))
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
        const context = contexts.get(siteA, authoritiesOf(root))
        const options = clientOf({ maxVersion, ...identity })
        for (const round of ['first', 'second']) {
          const { client, server } = await connectTlsPair(transport, {
            server: serverOf(siteA, { context, requestCertificate: true }),
            client: options,
          })
          const shown = server.connection?.peer.tls?.clientCertificate
          if (expected === undefined) assert.equal(shown, undefined, round)
          else assert.partialDeepStrictEqual(shown, expected, round)
          await finish(client, server)
        }
      })
    }
  }

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
