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
  readonly probes: number
}

interface Telling {
  /** Where the proxy asks for the load; servers answer under /load. */
  readonly probePath?: string
  /** Servers tell of their load in every answer. */
  readonly telling?: boolean
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

test('prequal keeps away from a slow server that tells so when it is probed', async () => {
  const { slowShare, failed, probes } = await play('prequal', { probePath: '/load' })
  assert.equal(failed, 0)
  assert.ok(probes > requests / 4, `${probes} probes`)
  assert.ok(slowShare <= 0.12, `the slow server got ${(100 * slowShare).toFixed(1)} %`)
})

test('prequal keeps away from a slow server that tells so in its answers', async () => {
  const { slowShare, failed, probes } = await play('prequal', { telling: true })
  assert.deepEqual([failed, probes], [0, 0])
  assert.ok(slowShare <= 0.12, `the slow server got ${(100 * slowShare).toFixed(1)} %`)
})

test('prequal keeps away from a slow server of a kind that tells nothing', async () => {
  const { slowShare, failed, probes } = await play('prequal', { probePath: '/nothing' })
  assert.equal(failed, 0)
  // Who does not tell is left alone for a while.
  assert.ok(probes <= servers * 4, `${probes} probes`)
  assert.ok(slowShare <= 0.12, `the slow server got ${(100 * slowShare).toFixed(1)} %`)
})

test('round robin gives a slow server its turn', async () => {
  const { slowShare, failed } = await play('round-robin')
  assert.equal(failed, 0)
  assert.ok(Math.abs(slowShare - 1 / servers) < 0.02, `${slowShare}`)
})

async function play(algorithm: string, told: Telling = {}): Promise<Outcome> {
  const hits = Array.from({ length: servers }, () => 0)
  const inFlight = Array.from({ length: servers }, () => 0)
  let probes = 0
  const upstreams = hits.map((_, i) =>
    createServer((request, response) => {
      const latencyMs = i === 0 ? slowMs : quickMs
      const report = `TEXT named_metrics.requests_in_flight=${inFlight[i]},named_metrics.latency_ms=${latencyMs}`
      if (request.url === told.probePath) {
        probes++
        if (request.url === '/load') response.setHeader('Endpoint-Load-Metrics', report)
        response.end()
        return
      }
      hits[i] = (hits[i] as number) + 1
      inFlight[i] = (inFlight[i] as number) + 1
      if (told.telling === true) response.setHeader('Endpoint-Load-Metrics', report)
      setTimeout(() => {
        inFlight[i] = (inFlight[i] as number) - 1
        response.end('ok')
      }, latencyMs)
    }),
  )
  for (const upstream of upstreams) {
    upstream.listen(0, '127.0.0.1')
    await once(upstream, 'listening')
  }
  const { probePath } = told
  const options = probePath === undefined ? { probesPerRequest: 0 } : {}
  const plane = await TestPlane.start({
    upstreams: upstreams.map((upstream) => (upstream.address() as AddressInfo).port),
    balance: { algorithm, options, hashKey: [], ...(probePath !== undefined && { probePath }) },
  })
  const failed = await load(plane.httpPort)
  await plane.stop()
  for (const upstream of upstreams) close(upstream)
  return { slowShare: (hits[0] as number) / requests, failed, probes }
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
