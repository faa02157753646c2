import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, get } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { backendManifests, ingressManifest, putManifests } from './compare/headgate.ts'
import { freePorts, start, waitForPort } from './compare/processes.ts'

/**
 * Shared counters at work: `node bench/two-workers.ts [--seconds N] [--check]`. Servers of very
 * different speed behind least-requests, under a steady load, with one worker and with two. Shown: how
 * far the requests in flight at the servers lie apart, on average. Two workers that each counted their
 * own requests only would lie apart further than one.
 */
const delaysMs = [10, 20, 40, 80, 160]
const clients = 48
const sampleMs = 10
/** Two workers over one: above is not as even. */
const spreadMax = 1.2
const host = 'bench.test'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    check: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)

const one = await measure(1)
const two = await measure(2)
const ratio = two / one
process.stdout.write(
  'mean distance between the most and the least loaded server, in requests in flight:\n' +
    `one worker ${one.toFixed(2)}, two workers ${two.toFixed(2)}, ratio ${ratio.toFixed(2)}\n`,
)
if (values.check && ratio > spreadMax) {
  process.stdout.write(`missed: at most ${spreadMax}\n`)
  process.exitCode = 1
}

async function measure(workers: number): Promise<number> {
  const inFlight = delaysMs.map(() => 0)
  const servers = delaysMs.map((ms, i) => serverOf(ms, inFlight, i))
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  const folder = mkdtempSync(join(tmpdir(), 'headgate-workers-'))
  putManifests(folder, 'backend', backendManifests(ports))
  const annotations = { 'headgate.dev/load-balance': 'least-requests' }
  putManifests(folder, 'main', [ingressManifest('main', host, annotations)])
  const [httpPort = 0, adminPort = 0] = await freePorts(2)
  const program = start({
    name: `headgate-${workers}`,
    file: process.execPath,
    args: [
      [join(import.meta.dirname, '../src/main.ts'), 'serve', '--files', folder],
      ['--bind-address', '127.0.0.1', '--workers', String(workers), '--drain-timeout', '1s'],
      ['--http-port', String(httpPort), '--https-port', '0', '--admin-port', String(adminPort)],
    ].flat(),
    cores: '0,1',
    folder,
  })
  try {
    await waitForPort(httpPort, program)
    return await spreadUnderLoad(httpPort, inFlight)
  } finally {
    await program.stop()
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
    rmSync(folder, { recursive: true, force: true })
  }
}

function serverOf(ms: number, inFlight: number[], i: number): Server {
  return createServer((_request, response) => {
    inFlight[i] = (inFlight[i] as number) + 1
    setTimeout(() => {
      inFlight[i] = (inFlight[i] as number) - 1
      response.end('ok')
    }, ms)
  })
}

/** Keeps the clients busy and samples the servers; the first second does not count. */
async function spreadUnderLoad(port: number, inFlight: readonly number[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const state = { running: true }
  const busy = Array.from({ length: clients }, () => client(port, agent, state))
  await delay(1000)
  let sum = 0
  const samples = Math.round((seconds * 1000) / sampleMs)
  for (let i = 0; i < samples; i++) {
    sum += Math.max(...inFlight) - Math.min(...inFlight)
    await delay(sampleMs)
  }
  state.running = false
  await Promise.all(busy)
  agent.destroy()
  return sum / samples
}

async function client(port: number, agent: Agent, state: { running: boolean }): Promise<void> {
  while (state.running) {
    const request = get({ port, host: '127.0.0.1', headers: { host }, agent })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`)
    response.resume()
    await once(response, 'end')
  }
}
