import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { until } from '#test/http2/support/socket-connection.ts'
import { Client, Upstream } from '#test/support/http-peers.ts'
import { TestPlane } from '#test/support/plane.ts'

// HTTP/1 connections to endpoints that carry nothing: bounded in number, but not between two bursts.

const stops: (() => void | Promise<void>)[] = []
after(async () => {
  for (const stop of stops.toReversed()) await stop()
})

const streams = 20

test('streams of one client that come in bursts find their connections again; then few are kept', async () => {
  const upstream = await Upstream.start('http1')
  stops.push(() => upstream.stop())
  let opened = 0
  const open = new Set<unknown>()
  upstream.server.on('connection', (socket) => {
    opened++
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  // All are answered at once, when the last has come.
  let waiting: (() => void)[] = []
  upstream.listener = (_request, response) => {
    waiting.push(() => response.end('ok'))
    if (waiting.length < streams) return
    const answers = waiting
    waiting = []
    for (const answer of answers) answer()
  }
  const plane = await TestPlane.start({
    upstreams: [upstream.port],
    options: { upstreamKeepAliveConnections: 2 },
  })
  stops.push(async () => await plane.stop())
  const client = new Client('http2', plane.httpPort)
  stops.push(() => {
    client.stop()
  })
  for (let burst = 0; burst < 3; burst++) {
    const answers = Array.from({ length: streams }, async () => await client.get('/'))
    for (const { status } of await Promise.all(answers)) assert.equal(status, 200)
  }
  assert.equal(opened, streams)
  await until(() => open.size === 2)
})
