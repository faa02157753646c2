import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Relay } from './relay.ts'
import type { Recorder } from './relay.ts'

// Both roles together, where the one depends on what the other does.

const get = 'GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n'
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

function answering(relay: Relay, text = ok): void {
  relay.onUpstream = (upstream) => {
    upstream.onPiece = () => upstream.connection.writeText(text)
  }
}

test('a reader that stands still stops the writer, in both directions', () => {
  const relay = new Relay({}, { windowBytes: 64 * 1024 })
  const client = relay.client()
  const size = 8 * 1024 * 1024
  const body = Buffer.alloc(size, 'x')
  relay.send(client, `POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${size}\r\n\r\n`)
  const upstream = relay.upstreams[0] as Recorder
  upstream.connection.pause()
  client.connection.writeBytes('', body, 0, size)
  relay.network.run()
  const sentThrough = size - client.connection.waitingBytes
  assert.ok(sentThrough < 512 * 1024, `${sentThrough} bytes left the client`)
  upstream.connection.resume()
  relay.network.run()
  assert.equal(upstream.received.length, upstream.received.indexOf('\r\n\r\n') + 4 + size)

  client.connection.pause()
  upstream.connection.writeText(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
  upstream.connection.writeBytes('', body, 0, size)
  relay.network.run()
  const answeredThrough = size - upstream.connection.waitingBytes
  assert.ok(answeredThrough < 512 * 1024, `${answeredThrough} bytes left the upstream`)
  client.connection.resume()
  relay.network.run()
  assert.ok(client.received.endsWith('x'))
  assert.equal(relay.idle.length, 1)
})

test('pipelined requests use one upstream connection', () => {
  const relay = new Relay()
  answering(relay)
  const client = relay.client()
  relay.send(client, get.repeat(20))
  assert.equal(client.received.split('HTTP/1.1 200 OK').length, 21)
  assert.equal(relay.upstreams.length, 1)
})

test('an answer that comes amid the request ends both connections', () => {
  const relay = new Relay()
  answering(relay)
  const client = relay.client()
  relay.send(
    client,
    `POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\n${'x'.repeat(10)}`,
  )
  assert.match(client.received, /\r\nConnection: close\r\n\r\nok$/)
  assert.equal(client.ended, true)
  assert.equal(relay.idle.length, 0)
  assert.equal(relay.upstreams[0]?.closed, true)
})

test('an expectation goes to the upstream and its 100 comes back', () => {
  const relay = new Relay()
  const client = relay.client()
  relay.send(
    client,
    'PUT /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
  )
  const upstream = relay.upstreams[0] as Recorder
  assert.match(upstream.received, /\r\nExpect: 100-continue\r\n/)
  assert.equal(client.received, '')
  upstream.connection.writeText('HTTP/1.1 100 Continue\r\n\r\n')
  relay.network.run()
  assert.equal(client.received, 'HTTP/1.1 100 Continue\r\n\r\n')
  relay.send(client, 'hello')
  assert.ok(upstream.received.endsWith('\r\n\r\nhello'))
  upstream.connection.writeText(ok)
  relay.network.run()
  assert.match(client.received, /\r\n\r\nok$/)
  assert.equal(client.closed, false)
  assert.equal(relay.idle.length, 1)
})

test('a tunnel carries both directions and ends with both', () => {
  const relay = new Relay()
  const client = relay.client()
  relay.send(
    client,
    'GET /x HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nearly',
  )
  const upstream = relay.upstreams[0] as Recorder
  assert.ok(!upstream.received.includes('early'))
  upstream.connection.writeText(
    'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nat once',
  )
  relay.network.run()
  assert.ok(upstream.received.endsWith('\r\n\r\nearly'))
  assert.ok(client.received.endsWith('\r\n\r\nat once'))
  upstream.connection.end()
  relay.network.run()
  assert.equal(client.ended, true)
  relay.send(client, ' late')
  assert.ok(upstream.received.endsWith('early late'))
  client.connection.end()
  relay.network.run()
  assert.equal(upstream.ended, true)
  assert.equal(relay.context.sessions.size, 0)
  assert.equal(relay.gone, 1)
})

test('surplus of an upstream reaches nobody', () => {
  const relay = new Relay()
  answering(relay, `${ok}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`)
  const client = relay.client()
  relay.send(client, get + get)
  assert.ok(!client.received.includes('evil'))
  assert.equal(relay.upstreams.length, 2)
})
