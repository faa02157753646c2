import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, get } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { TestPlane } from '#test/support/plane.ts'

// The scenario of Linkerd's comparison, small and through real sockets: one of several servers becomes
// slow. Algorithms that watch load or latency keep away from it; turn by turn does not.

const servers = 4
const slowMs = 150
const quickMs = 2
const requests = 240
const clients = 8

interface Outcome {
  readonly slowShare: number
  readonly failed: number
}

for (const { algorithm, most } of [
  { algorithm: 'least-requests', most: 0.12 },
  { algorithm: 'two-choices', most: 0.15 },
  { algorithm: 'peak-ewma', most: 0.12 },
  { algorithm: 'least-time', most: 0.12 },
  { algorithm: 'hot-cold', most: 0.12 },
]) {
  test(`${algorithm} keeps away from a slow server`, async () => {
    const { slowShare, failed } = await play(algorithm)
    assert.equal(failed, 0)
    assert.ok(slowShare <= most, `the slow server got ${(100 * slowShare).toFixed(1)} %`)
  })
}

test('round robin gives a slow server its turn', async () => {
  const { slowShare, failed } = await play('round-robin')
  assert.equal(failed, 0)
  assert.ok(Math.abs(slowShare - 1 / servers) < 0.02, `${slowShare}`)
})

async function play(algorithm: string): Promise<Outcome> {
  const hits = Array.from({ length: servers }, () => 0)
  const upstreams = hits.map((_, i) =>
    createServer((_request, response) => {
      hits[i] = (hits[i] as number) + 1
      setTimeout(() => response.end('ok'), i === 0 ? slowMs : quickMs)
    }),
  )
  for (const upstream of upstreams) {
    upstream.listen(0, '127.0.0.1')
    await once(upstream, 'listening')
  }
  const plane = await TestPlane.start({
    upstreams: upstreams.map((upstream) => (upstream.address() as AddressInfo).port),
    balance: { algorithm, options: {}, hashKey: [] },
  })
  const failed = await load(plane.httpPort)
  await plane.stop()
  for (const upstream of upstreams) close(upstream)
  return { slowShare: (hits[0] as number) / requests, failed }
}

/** Sends the requests, a few at a time; gives the number of those that failed. */
async function load(port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  let sent = 0
  let failed = 0
  const client = async (): Promise<void> => {
    while (sent < requests) {
      sent++
      const [response] = (await once(get({ port, host: '127.0.0.1', agent }), 'response')) as [
        IncomingMessage,
      ]
      if (response.statusCode !== 200) failed++
      response.resume()
      await once(response, 'end')
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  agent.destroy()
  return failed
}

function close(server: Server): void {
  server.closeAllConnections()
  server.close()
}
