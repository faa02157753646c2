import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { Backends } from '#src/commands/demo/backends.ts'
import { copyManifests, writeSecret } from '#src/commands/demo/manifests.ts'
import { freePorts } from '#src/commands/demo/ports.ts'
import { tour, tourText } from '#src/commands/demo/tour.ts'

const examples = join(import.meta.dirname, '../../deploy/examples/demo')
const places = { httpPort: 1, httpsPort: 2, adminPort: 3, folder: 'manifests' }

describe('free ports', () => {
  test('a port that is taken is replaced by one that can be opened', async () => {
    const other = createServer()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const taken = (other.address() as AddressInfo).port
    try {
      const { first, second } = await freePorts({ first: taken, second: taken })
      assert.equal(first.wished, taken)
      assert.equal(new Set([taken, first.port, second.port]).size, 3)
    } finally {
      other.close()
    }
  })

  test('a port that is free is used', async () => {
    const { some } = await freePorts({ some: 0 })
    const { again } = await freePorts({ again: some.port })
    assert.equal(again.port, some.port)
  })
})

describe('manifests', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'))
  after(() => {
    rmSync(folder, { recursive: true })
  })

  test('every EndpointSlice gets a server; nothing else changes', async () => {
    const started: string[] = []
    await copyManifests(examples, folder, async (name) => {
      started.push(name)
      return await Promise.resolve(60_000 + started.length)
    })
    assert.deepEqual(readdirSync(folder).toSorted(), readdirSync(examples).toSorted())
    const slices = parseAllDocuments(readFileSync(join(folder, 'endpoints.yaml'), 'utf8'))
    assert.deepEqual(
      slices.map((slice) => [slice.getIn(['metadata', 'name']), slice.getIn(['ports', 0, 'port'])]),
      started.map((name, i) => [name, 60_001 + i]),
    )
    for (const file of readdirSync(examples)) {
      const [from, to] = [examples, folder].map((place) => readFileSync(join(place, file), 'utf8'))
      assert.equal(to?.replaceAll(/port: 6\d{4}/g, ''), from?.replaceAll(/port: 70\d\d/g, ''))
    }
  })

  test('a Secret holds the pair and nobody else can read its file', () => {
    const pair = { certificatePem: 'certificate\n', keyPem: 'key\n' }
    writeSecret(folder, { namespace: 'shop', name: 'account-tls' }, pair)
    const file = join(folder, 'account-tls.yaml')
    const [document] = parseAllDocuments(readFileSync(file, 'utf8'))
    const crt = Buffer.from(String(document?.getIn(['data', 'tls.crt'])), 'base64').toString()
    assert.equal(crt, pair.certificatePem)
    assert.equal(statSync(file).mode & 0o077, 0)
  })
})

describe('tour', () => {
  test('every command asks one of the three ports', () => {
    for (const { command } of tour(places)) {
      assert.match(command, /^(?:head .* \| )?curl .*https?:\/\/[a-z0-9.]+:[123]\//)
    }
  })

  test('a port that moved is said', () => {
    assert.match(tourText(places, ['Port 80 is taken']), /^Port 80 is taken$/m)
  })
})

describe('backends', () => {
  const backends = new Backends()
  let port = 0
  before(async () => {
    port = await backends.start('chat-1')
  })
  after(async () => {
    await backends.stop()
  })

  test('say who they are and how much came', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/x?y`, { method: 'POST', body: 'abc' })
    assert.match(await answer.text(), /^chat-1 answers POST \/x\?y, 3 bytes /)
  })

  test('show browsers a page', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { Accept: 'text/html' } })
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html/)
    assert.match(await answer.text(), /new WebSocket/)
  })

  test('echo WebSocket messages of every length form, and close in order', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    const messages: unknown[] = []
    const wanted = ['', 'short', 'x'.repeat(125), 'y'.repeat(126), 'z'.repeat(65_535)]
    const complete = new Promise<void>((resolve) => {
      socket.addEventListener('message', ({ data }) => {
        if (messages.push(data) === wanted.length + 1) resolve()
      })
    })
    await once(socket, 'open')
    for (const text of wanted) socket.send(text)
    await complete
    assert.match(String(messages[0]), /^hello from chat-1/)
    assert.deepEqual(messages.slice(1), wanted)
    socket.close(1000)
    const [closed] = (await once(socket, 'close')) as [CloseEvent]
    assert.equal(closed.code, 1000)
  })

  test('end when a client goes without a close frame', async () => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.resume()
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n')
    socket.end('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
    await once(socket, 'end')
  })

  test('refuse a message that is too long instead of keeping it', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    await once(socket, 'open')
    socket.send('x'.repeat(65_536))
    const [closed] = (await once(socket, 'close')) as [CloseEvent]
    assert.equal(closed.code, 1006)
  })
})
