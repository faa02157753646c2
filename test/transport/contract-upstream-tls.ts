import assert from 'node:assert/strict'
import type { TlsSite } from '#src/transport/tls-contexts.ts'
import type { Transport, UpstreamTls } from '#src/transport/transport.ts'
import { finish } from './contract-streams.ts'
import { connectTlsPair, listenForTls, Recorder, socketTest } from './recorder.ts'
import { clientOf, serverOf, siteA, siteB, siteDeep, siteNumbered, stranger } from './tls-sites.ts'

/** Which upstreams a client takes for what they say they are. */
export function upstreamTlsContract(name: string, transport: Transport): void {
  const contract = (title: string, run: () => Promise<void>): void => {
    socketTest(`${name}: ${title}`, run)
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

  const acceptances: [string, TlsSite, Partial<UpstreamTls>][] = [
    ['a chain of allowed length', siteDeep, { serverName: 'deep.test', verifyDepth: 2 }],
    ['a chain of any length', siteDeep, { serverName: 'deep.test', verifyDepth: 0 }],
    ['an address in the certificate', siteNumbered, { serverName: '192.0.2.1' }],
    ['anything, unverified', siteB, { ca: stranger.certificatePem, verify: false }],
    ['a good chain for any name', siteB, { serverName: '' }],
  ]
  for (const [what, site, options] of acceptances) {
    contract(`a client accepts ${what}`, async () => {
      const { client, server } = await connectTlsPair(transport, {
        server: serverOf(site),
        client: clientOf(options),
      })
      assert.equal(client.connected, true)
      await finish(client, server)
    })
  }
}

/** A handshake that fails on the client's side. */
async function refused(
  transport: Transport,
  site: TlsSite,
  options: UpstreamTls,
): Promise<{
  client: { end: Recorder; closed: string; problem: string }
  server: Recorder | undefined
}> {
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
