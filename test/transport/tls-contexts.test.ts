import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import { BoundedMap } from '#src/transport/bounded-map.ts'
import { RawTransport } from '#src/transport/raw.ts'
import { TlsContexts } from '#src/transport/tls-contexts.ts'
import type { TlsContextsOptions, TlsSite } from '#src/transport/tls-contexts.ts'
import type { Recorder } from './recorder.ts'
import { listenForTls } from './recorder.ts'
import { authoritiesOf, root, serverOf, siteA } from './tls-sites.ts'

const transport = new RawTransport()
const ticketKeys = Buffer.alloc(48, 5)

/** What a client of Node's own agrees on, or its error. */
async function agree(
  options: Partial<TlsContextsOptions>,
  client: ConnectionOptions,
): Promise<string> {
  const contexts = new TlsContexts({ ticketKeys, ...options })
  const servers: Recorder[] = []
  const listener = await listenForTls(
    transport,
    () => serverOf(siteA, { context: contexts.get(siteA) }),
    (server) => servers.push(server),
  )
  const result = await new Promise<string>((resolve) => {
    const socket = connect(
      {
        port: listener.port,
        host: '127.0.0.1',
        servername: 'a.test',
        ca: root.certificatePem,
        ...client,
      },
      () => {
        resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
        socket.destroy()
      },
    )
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message)
    })
  })
  await servers[0]?.until((end) => end.closed !== undefined || end.connected)
  servers[0]?.connection?.destroy()
  listener.destroy()
  return result
}

function site(fingerprint: string): TlsSite {
  return { ...siteA, fingerprint }
}

const old = { minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const
const agreements: [string, Partial<TlsContextsOptions>, ConnectionOptions, RegExp][] = [
  ['the newest version and a suite of ours', {}, {}, /^TLSv1\.3 TLS_AES_128_GCM_SHA256$/],
  ['TLS 1.2', {}, { maxVersion: 'TLSv1.2' }, /^TLSv1\.2 ECDHE-ECDSA-AES128-GCM-SHA256$/],
  [
    'no TLS 1.1',
    {},
    { ...old, maxVersion: 'TLSv1.1' },
    /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/,
  ],
  [
    'no block mode',
    {},
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' },
    /HANDSHAKE_FAILURE/,
  ],
  [
    'no static RSA',
    {},
    { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' },
    /HANDSHAKE_FAILURE/,
  ],
  [
    'ChaCha20 for clients that want it most',
    {},
    { ciphers: 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256' },
    /^TLSv1\.3 TLS_CHACHA20_POLY1305_SHA256$/,
  ],
  [
    'a list of the user',
    { ciphers: 'TLS_AES_256_GCM_SHA384' },
    {},
    /^TLSv1\.3 TLS_AES_256_GCM_SHA384$/,
  ],
  ['a lowest version of the user', { minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }, /VERSION/],
  ['a highest version of the user', { maxVersion: 'TLSv1.2' }, {}, /^TLSv1\.2 /],
]
for (const [what, options, client, expected] of agreements) {
  test(`agreed on: ${what}`, async () => {
    assert.match(await agree(options, client), expected)
  })
}

test('a context is made once for a site, and anew when anything about it changes', () => {
  const contexts = new TlsContexts({ ticketKeys })
  const first = contexts.get(siteA)
  assert.equal(contexts.get({ ...siteA }), first)
  assert.equal(contexts.size, 1)
  assert.notEqual(contexts.get({ ...siteA, fingerprint: 'new' }), first)
  assert.notEqual(contexts.get(siteA, authoritiesOf(root)), first)
  assert.equal(contexts.size, 3)
  contexts.setTicketKeys(Buffer.alloc(48, 6))
  assert.equal(contexts.get(siteA), first)
})

test('contexts are forgotten when they were not used for the longest time', () => {
  const contexts = new TlsContexts({ ticketKeys, contextsMax: 2 })
  const first = contexts.get(site('1'))
  const second = contexts.get(site('2'))
  assert.equal(contexts.get(site('1')), first)
  contexts.get(site('3'))
  assert.equal(contexts.size, 2)
  assert.equal(contexts.get(site('1')), first)
  assert.notEqual(contexts.get(site('2')), second)
})

test('what OpenSSL cannot use is thrown, without key material', () => {
  const contexts = new TlsContexts({ ticketKeys })
  for (const broken of [
    { ...siteA, fingerprint: 'x', certificatePem: 'nonsense' },
    { ...siteA, fingerprint: 'y', keyPem: 'nonsense' },
  ]) {
    assert.throws(
      () => contexts.get(broken),
      (error: Error) => !error.message.includes('nonsense'),
    )
  }
  assert.equal(contexts.size, 0)
})

test('ticket keys of another length are refused', () => {
  assert.throws(() => new TlsContexts({ ticketKeys: Buffer.alloc(47) }), /48 bytes, not 47/)
  assert.throws(() => {
    new TlsContexts({ ticketKeys }).setTicketKeys(Buffer.alloc(80))
  }, /48 bytes, not 80/)
})

test('finite fields are used when the list names them', async () => {
  // With a key on a curve no such suite can be agreed on; the context must still be made.
  const contexts = new TlsContexts({
    ticketKeys,
    ciphers: 'DHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256',
  })
  assert.ok(contexts.get(siteA))
})

test('a bounded map keeps what was used last', () => {
  const map = new BoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  assert.equal(map.get('a'), 1)
  map.set('c', 3)
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c'), map.size], [1, undefined, 3, 2])
  map.set('a', 4)
  map.set('d', 5)
  assert.deepEqual([map.get('a'), map.get('c'), map.get('d')], [4, undefined, 5])
  map.delete('a')
  assert.equal(map.size, 1)
  map.clear()
  assert.equal(map.size, 0)
})
