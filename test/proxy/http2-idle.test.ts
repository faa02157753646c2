import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { GlobalOptions } from '#src/table/table.ts'
import { until } from '#test/http2/support/socket-connection.ts'
import { Client, Upstream } from '#test/support/http-peers.ts'
import { TestPlane } from '#test/support/plane.ts'

// Connections of HTTP/2 to endpoints that carry nothing: bounded in number and in time.

const stops: (() => void | Promise<void>)[] = []
after(async () => {
  for (const stop of stops.toReversed()) await stop()
})

/** Three upstreams, each of which has answered once. */
async function asked(options: Partial<GlobalOptions>) {
  const upstreams = await Promise.all([1, 2, 3].map(async () => await Upstream.start('http2')))
  for (const upstream of upstreams) {
    upstream.listener = (_request, response) => response.end('ok')
    stops.push(() => upstream.stop())
  }
  const plane = await TestPlane.start({
    upstreams: upstreams.map(({ port }) => port),
    protocol: 'http2',
    options,
  })
  stops.push(async () => await plane.stop())
  const client = new Client('http1', plane.httpPort)
  for (let i = 0; i < 3; i++) assert.equal((await client.get('/')).status, 200)
  const sessions = (): number => upstreams.reduce((sum, own) => sum + own.sessions.size, 0)
  assert.equal(sessions(), 3)
  return { client, sessions }
}

test('no more are kept than connections of HTTP/1', async () => {
  const { client, sessions } = await asked({ upstreamKeepAliveConnections: 1 })
  await until(() => sessions() === 1)
  for (let i = 0; i < 3; i++) assert.equal((await client.get('/')).status, 200)
})

test('none is kept for longer than upstream-keepalive-timeout', async () => {
  const { client, sessions } = await asked({ upstreamKeepAliveTimeoutMs: 100 })
  await until(() => sessions() === 0)
  assert.equal((await client.get('/')).status, 200)
})
