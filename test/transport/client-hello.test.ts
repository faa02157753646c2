import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { connect } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import fc from 'fast-check'
import { ClientHelloReader, clientHelloBytesMax } from '#src/transport/client-hello.ts'
import type { ClientHelloState } from '#src/transport/client-hello.ts'

/** Bytes behind their length. */
function vector(lengthBytes: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const length = Buffer.alloc(lengthBytes)
  length.writeUIntBE(content.length, 0, lengthBytes)
  return Buffer.concat([length, content])
}

function extension(type: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 0xff]), vector(2, data)])
}

function serverName(name: string, type = 0): Buffer {
  return extension(0, vector(2, Buffer.from([type]), vector(2, Buffer.from(name, 'latin1'))))
}

const alpn = extension(
  16,
  vector(2, vector(1, Buffer.from('h2')), vector(1, Buffer.from('http/1.1'))),
)
const supported = extension(43, vector(1, Buffer.from('5a5a03040303', 'hex')))

interface HelloParts {
  readonly sessionId?: Buffer
  readonly suites?: Buffer
  readonly compression?: Buffer
  readonly extensions?: readonly Buffer[] | undefined
  readonly behind?: Buffer
}

function helloMessage(parts: HelloParts = {}): Buffer {
  const extensions =
    'extensions' in parts ? parts.extensions : [serverName('a.test'), alpn, supported]
  const body = [
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, parts.sessionId ?? Buffer.alloc(32, 9)),
    vector(2, parts.suites ?? Buffer.from('13011302', 'hex')),
    vector(1, parts.compression ?? Buffer.from([0])),
    ...(extensions === undefined ? [] : [vector(2, ...extensions)]),
    parts.behind ?? Buffer.alloc(0),
  ]
  return Buffer.concat([Buffer.from([1]), vector(3, ...body)])
}

/** Cuts a handshake message into records of at most so many bytes. */
function records(message: Buffer, bytes = 16_384): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < message.length; at += bytes) {
    parts.push(Buffer.from([22, 3, 1]), vector(2, message.subarray(at, at + bytes)))
  }
  return Buffer.concat(parts)
}

/** Feeds bytes in chunks of a size. */
function read(
  bytes: Buffer,
  chunk = bytes.length,
): { state: ClientHelloState; reader: ClientHelloReader } {
  const reader = new ClientHelloReader()
  let state: ClientHelloState = 'incomplete'
  for (let at = 0; at < bytes.length && state === 'incomplete'; at += chunk) {
    state = reader.push(bytes, at, Math.min(bytes.length, at + chunk))
  }
  return { state, reader }
}

const expected = { serverName: 'a.test', alpn: ['h2', 'http/1.1'], versions: [0x0304, 0x0303] }

test('a ClientHello is read however it is cut', () => {
  const message = helloMessage()
  for (const recordBytes of [1, 2, 3, 4, 5, 50, message.length - 1, message.length]) {
    const bytes = records(message, recordBytes)
    for (const chunk of [1, 2, 5, 7, 64, bytes.length]) {
      const { state, reader } = read(bytes, chunk)
      assert.equal(state, 'complete', `records of ${recordBytes}, reads of ${chunk}`)
      assert.deepEqual(reader.hello, expected)
    }
  }
})

test('a ClientHello that is split at any byte is incomplete before it', () => {
  const bytes = records(helloMessage())
  for (let at = 1; at < bytes.length; at++) {
    const reader = new ClientHelloReader()
    assert.equal(reader.push(bytes, 0, at), 'incomplete', `split at ${at}`)
    assert.equal(reader.push(bytes, at, bytes.length), 'complete', `split at ${at}`)
    assert.deepEqual(reader.hello, expected)
  }
})

test('bytes around and behind the ClientHello do not matter', () => {
  const bytes = records(helloMessage())
  const around = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('behind')])
  const reader = new ClientHelloReader()
  assert.equal(reader.push(around, 6, around.length), 'complete')
  assert.deepEqual(reader.hello, expected)
})

const names: [string, string][] = [
  ['A.Test', 'a.test'],
  ['a.test.', 'a.test'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['under_score.test', 'under_score.test'],
  ['localhost', 'localhost'],
  ['192.0.2.1', ''],
  ['2001:db8::1', ''],
]
for (const [sent, name] of names) {
  test(`the server name ${sent} is read as '${name}'`, () => {
    const { state, reader } = read(records(helloMessage({ extensions: [serverName(sent)] })))
    assert.equal(state, 'complete')
    assert.equal(reader.hello?.serverName, name)
  })
}

test('a hello may lack everything that is optional', () => {
  for (const extensions of [undefined, []]) {
    const { state, reader } = read(
      records(helloMessage({ extensions, sessionId: Buffer.alloc(0) })),
    )
    assert.equal(state, 'complete')
    assert.deepEqual(reader.hello, { serverName: '', alpn: [], versions: [0x0303] })
  }
})

const whole = records(helloMessage())
const malformed: [string, Buffer][] = [
  ['another first byte', Buffer.from('\u{15}\u{3}\u{1}', 'latin1')],
  ['a hello of SSL 2', Buffer.from('802e0100020015', 'hex')],
  ['a record of SSL 2', Buffer.from([22, 2, 0, 0, 5, 1])],
  ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
  ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1])],
  [
    'an alert amid the hello',
    Buffer.concat([records(helloMessage().subarray(0, 9)), Buffer.from([21, 3, 1, 0, 2])]),
  ],
  [
    'another handshake message',
    records(Buffer.concat([Buffer.from([2]), vector(3, Buffer.alloc(40))])),
  ],
  ['a message that is too long', records(Buffer.from([1, 0, 0x40, 1]))],
  ['a message without end', records(Buffer.from([1, 0, 0, 0]))],
  ['a session id of 33 bytes', records(helloMessage({ sessionId: Buffer.alloc(33) }))],
  ['no cipher suite', records(helloMessage({ suites: Buffer.alloc(0) }))],
  ['half a cipher suite', records(helloMessage({ suites: Buffer.alloc(3) }))],
  ['no compression method', records(helloMessage({ compression: Buffer.alloc(0) }))],
  ['bytes behind the extensions', records(helloMessage({ behind: Buffer.from([0]) }))],
  [
    'an extension twice',
    records(helloMessage({ extensions: [serverName('a.test'), serverName('b.test')] })),
  ],
  [
    'an extension that is cut off',
    records(helloMessage({ extensions: [serverName('a.test').subarray(0, -1)] })),
  ],
  ['no server name in the list', records(helloMessage({ extensions: [extension(0, vector(2))] }))],
  [
    'a server name of another type',
    records(helloMessage({ extensions: [serverName('a.test', 1)] })),
  ],
  ['an empty server name', records(helloMessage({ extensions: [serverName('')] }))],
  [
    'a server name with a zero byte',
    records(helloMessage({ extensions: [serverName('a.test\0.evil')] })),
  ],
  ['a server name with a space', records(helloMessage({ extensions: [serverName('a test')] }))],
  [
    'a server name with empty labels',
    records(helloMessage({ extensions: [serverName('a..test')] })),
  ],
  [
    'a server name of 256 bytes',
    records(helloMessage({ extensions: [serverName('a'.repeat(256))] })),
  ],
  [
    'a server name in another script',
    records(helloMessage({ extensions: [serverName('b\u{fc}cher.test')] })),
  ],
  ['an empty list of protocols', records(helloMessage({ extensions: [extension(16, vector(2))] }))],
  [
    'an empty protocol',
    records(helloMessage({ extensions: [extension(16, vector(2, vector(1)))] })),
  ],
  [
    'half a version',
    records(helloMessage({ extensions: [extension(43, vector(1, Buffer.from([3])))] })),
  ],
]
for (const [what, bytes] of malformed) {
  test(`malformed: ${what}`, () => {
    for (const chunk of [1, bytes.length]) {
      const { state, reader } = read(bytes, chunk)
      assert.equal(state, 'malformed')
      assert.notEqual(reader.problem, '')
      assert.equal(reader.hello, undefined)
    }
  })
}

for (const text of [
  'GET / HTTP/1.1\r\n',
  'PRI * HTTP/2.0\r\n',
  'post / HTTP/1.1\r\n',
  '\r\nGET /',
]) {
  test(`plain HTTP on a TLS port: ${JSON.stringify(text)}`, () => {
    assert.equal(read(Buffer.from(text)).state, 'plain-http')
    assert.equal(read(Buffer.from(text), 1).state, 'plain-http')
  })
}

test('no more is read than the limit', () => {
  const endless = records(Buffer.concat([Buffer.from([1, 0, 0x3f, 0xff]), Buffer.alloc(16_000)]), 1)
  const { state, reader } = read(endless, 100)
  assert.equal(state, 'malformed')
  assert.equal(reader.problem, 'ClientHello too large')
  const large = records(
    helloMessage({ extensions: [extension(21, Buffer.alloc(clientHelloBytesMax - 300))] }),
  )
  assert.equal(read(large).state, 'complete')
})

test('any bytes get an answer, the same however they are cut', () => {
  const mutated = fc
    .tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }))
    .map(([at, difference]) => {
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] as number) ^ difference
      return bytes
    })
  const anything = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(mutated, anything), fc.integer({ min: 1, max: 40 }), (bytes, chunk) => {
      const uncut = read(bytes)
      const cut = read(bytes, chunk)
      assert.equal(cut.state, uncut.state)
      assert.deepEqual(cut.reader.hello, uncut.reader.hello)
    }),
    { numRuns: 2000 },
  )
})

const clients: [string, ConnectionOptions, object][] = [
  [
    'TLS 1.3',
    { servername: 'shop.test', ALPNProtocols: ['h2', 'http/1.1'] },
    { serverName: 'shop.test', alpn: ['h2', 'http/1.1'], versions: [0x0304, 0x0303] },
  ],
  [
    'TLS 1.2 alone',
    { servername: 'shop.test', maxVersion: 'TLSv1.2' },
    { serverName: 'shop.test', alpn: [], versions: [0x0303] },
  ],
  ['no SNI', { servername: '' }, { serverName: '', alpn: [], versions: [0x0304, 0x0303] }],
]
for (const [what, options, hello] of clients) {
  test(`what OpenSSL sends is read: ${what}`, async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
    client.on('error', () => undefined)
    const [socket] = (await once(server, 'connection')) as [Socket]
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    const { state, reader } = read(bytes)
    assert.equal(state, 'complete')
    assert.deepEqual(reader.hello, hello)
    client.destroy()
    socket.destroy()
    server.close()
  })
}
