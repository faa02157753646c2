import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { preface } from '#src/http2/protocol.ts'
import { settings } from '#test/http2/support/frames.ts'
import { TestPlane } from '#test/support/plane.ts'
import { StillTransport } from '#test/support/still-transport.ts'
import type { StillConnection } from '#test/support/still-transport.ts'

const transport = new StillTransport()
const plane = await TestPlane.start({ upstreams: [8080], transport })
after(() => plane.stop())

const settingsFrame = 4

function send(client: StillConnection, bytes: Buffer): void {
  client.handler.onData(Buffer.concat([Buffer.from('before'), bytes]), 6, 6 + bytes.length)
}

function written(client: StillConnection): string {
  return client.written.latin1Slice(0, client.writtenBytes)
}

test('a connection counts from the moment at which it came', () => {
  const before = plane.plane.connectionCount
  const client = transport.open()
  assert.equal(plane.plane.connectionCount, before + 1)
  client.handler.onEnd()
  client.handler.onClose('')
  assert.equal(plane.plane.connectionCount, before)
})

const hello = Buffer.concat([preface, settings()])
for (let at = 1; at <= preface.length; at++) {
  test(`HTTP/2 without TLS is known by its preface, cut at ${at}`, () => {
    const before = plane.plane.connectionCount
    const client = transport.open()
    send(client, hello.subarray(0, at))
    send(client, hello.subarray(at))
    assert.equal(client.written[3], settingsFrame)
    assert.equal(plane.plane.connectionCount, before + 1)
    client.handler.onClose('')
    assert.equal(plane.plane.connectionCount, before)
  })
}

for (const [what, head] of [
  ['the first letters of the preface', 'PROPFIND /'],
  ['half of the preface', 'PRI * HTTP/1.1'],
] as const) {
  test(`a request is read, however it is cut, that begins with ${what}`, () => {
    for (let at = 1; at < head.length; at++) {
      const client = transport.open()
      send(client, Buffer.from(head.slice(0, at)))
      send(client, Buffer.from(`${head.slice(at)} `))
      send(client, Buffer.from('\r\n\r\n'))
      assert.match(written(client), /^HTTP\/1\.1 400 /, `cut at ${at}`)
      client.handler.onClose('')
    }
  })
}

test('a preface behind a request is no change of protocol', () => {
  const client = transport.open()
  send(client, Buffer.from('OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n'))
  assert.match(written(client), /^HTTP\/1\.1 204 /)
  send(client, hello)
  assert.match(written(client), /^HTTP\/1\.1 (400|505) /)
  client.handler.onClose('')
})
