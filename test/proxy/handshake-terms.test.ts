import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { connect } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import { Upstream } from '#test/support/http-peers.ts'
import { certificateFor, TestPlane } from '#test/support/plane.ts'

const upstream = await Upstream.start('http1')
const certificate = await certificateFor('a.test', '*.test')
const strong = 'ECDHE-ECDSA-AES256-GCM-SHA384'
const common = 'ECDHE-ECDSA-AES128-GCM-SHA256'
const settings = {
  upstreams: [upstream.port],
  hosts: ['a.test', 'strong.test', 'theirs.test'],
  certificate,
  handshakes: {
    'strong.test': { ciphers: [strong], preferServerOrder: true },
    'theirs.test': { ciphers: [], preferServerOrder: false },
  },
}
const planes = {
  plain: await TestPlane.start(settings),
  newest: await TestPlane.start({ ...settings, options: { tlsVersions: ['TLSv1.3'] } }),
  oldest: await TestPlane.start({ ...settings, options: { tlsVersions: ['TLSv1.2'] } }),
  listed: await TestPlane.start({ ...settings, options: { tlsCiphers: [common] } }),
  choosy: await TestPlane.start({ ...settings, options: { tlsRejectUnknown: true } }),
}
after(async () => {
  for (const plane of Object.values(planes)) await plane.stop()
  upstream.stop()
})

/** What a client and a host agree on, or why not. */
async function agree(plane: TestPlane, client: ConnectionOptions): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port: plane.httpsPort,
      rejectUnauthorized: false,
      ...client,
    })
    socket.on('secureConnect', () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
      socket.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message)
    })
  })
}

const old = { maxVersion: 'TLSv1.2' } as const
const cases: readonly (readonly [keyof typeof planes, string, ConnectionOptions, RegExp])[] = [
  ['plain', 'a.test', {}, /^TLSv1\.3 /],
  ['plain', 'a.test', { ...old, ciphers: `${strong}:${common}` }, new RegExp(common)],
  ['plain', 'theirs.test', { ...old, ciphers: `${strong}:${common}` }, new RegExp(strong)],
  ['plain', 'strong.test', { ...old, ciphers: `${common}:${strong}` }, new RegExp(strong)],
  ['plain', 'strong.test', { ...old, ciphers: common }, /HANDSHAKE_FAILURE/],
  ['plain', 'strong.test', {}, /^TLSv1\.3 /],
  ['newest', 'a.test', {}, /^TLSv1\.3 /],
  ['newest', 'strong.test', old, /VERSION/],
  ['oldest', 'a.test', {}, /^TLSv1\.2 /],
  ['listed', 'a.test', { ...old, ciphers: strong }, /HANDSHAKE_FAILURE/],
  ['listed', 'a.test', { ...old, ciphers: common }, new RegExp(common)],
  ['listed', 'strong.test', { ...old, ciphers: strong }, new RegExp(strong)],
  ['listed', 'theirs.test', { ...old, ciphers: strong }, /HANDSHAKE_FAILURE/],
  ['choosy', 'a.test', {}, /^TLSv1\.3 /],
  ['choosy', 'unknown.test', {}, /UNRECOGNIZED_NAME/],
  ['choosy', '', {}, /UNRECOGNIZED_NAME/],
  ['plain', 'unknown.test', {}, /^TLSv1\.3 /],
]
for (const [which, servername, client, expected] of cases) {
  test(`${which}: ${servername || 'no name'} and ${JSON.stringify(client)}`, async () => {
    assert.match(await agree(planes[which], { ...client, servername }), expected)
  })
}
