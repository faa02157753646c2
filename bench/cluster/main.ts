import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ClusterApi } from '#test/cluster/support/cluster-api.ts'
import { launchControlPlane } from '#test/cluster/support/control-plane.ts'
import { Instance, startEndpoint } from './instance.ts'
import { fill, measuredSite, pointTo, touch } from './objects.ts'
import type { Scale } from './objects.ts'
import { restartWithoutServer } from './restart.ts'

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    ingresses: { type: 'string', default: '10000' },
    changes: { type: 'string', default: '200' },
  },
})
const changes = Number(values.changes)
const ingresses = Number(values.ingresses)
const addresses = ['198.18.0.1', '198.18.0.2'] as const
const host = measuredSite([]).host
const result = { failed: false }

/** One line of the report; with a bar it says whether it is kept. */
function say(what: string, value: number, unit: string, bar?: number): void {
  const missed = bar !== undefined && value > bar
  result.failed ||= missed
  const shown = bar === undefined ? '' : `  (bar ${bar}${missed ? ', MISSED' : ''})`
  process.stdout.write(`${what.padEnd(52)} ${value.toFixed(1).padStart(8)} ${unit}${shown}\n`)
}

function percentile(list: readonly number[], share: number): number {
  const sorted = list.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Milliseconds from sending a write to the first request that follows it. */
async function followed(api: ClusterApi, instance: Instance, address: string): Promise<number> {
  const startedAt = performance.now()
  const written = pointTo(api, address)
  while ((await instance.ask(host)) !== address) {
    if (performance.now() - startedAt > 30_000) throw new Error('the change is not followed')
  }
  const ms = performance.now() - startedAt
  await written
  return ms
}

async function measureChanges(
  api: ClusterApi,
  instance: Instance,
  count: number,
): Promise<readonly number[]> {
  const list: number[] = []
  for (let i = 0; i < count; i++) {
    list.push(await followed(api, instance, addresses[(i + 1) % 2] as string))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return list
}

async function latency({ api, kubeconfig, stop }: Cluster): Promise<void> {
  await fill(api, { ingresses: 2, services: 1, endpoints: 2 }, measuredSite([addresses[0]]))
  const instance = await Instance.start(kubeconfig)
  try {
    await measureChanges(api, instance, 10)
    const list = await measureChanges(api, instance, changes)
    say('idle cluster: write to first request, p50', percentile(list, 0.5), 'ms')
    say('idle cluster: write to first request, p99', percentile(list, 0.99), 'ms', 50)
    await burst(api, instance)
  } finally {
    await instance.stop()
  }
  const restarts = await restartWithoutServer({ kubeconfig, host, stop, count: 7 })
  say('idle cluster: restart without the API server', percentile(restarts, 0.5) / 1000, 's', 1)
}

/** Changes of another Service without a pause must not keep ours from being followed. */
async function burst(api: ClusterApi, instance: Instance): Promise<void> {
  const before = await instance.metric('headgate_compiles_total{result="success"}')
  const state = { stop: false, writes: 0 }
  const writer = (async () => {
    for (; !state.stop; state.writes++) await touch(api, 0, state.writes)
  })()
  const list = await measureChanges(api, instance, Math.min(changes, 50))
  state.stop = true
  await writer
  const after = await instance.metric('headgate_compiles_total{result="success"}')
  say('in a burst of other changes, p99', percentile(list, 0.99), 'ms')
  say('tables for each write in the burst', (after - before) / (state.writes + list.length), '')
}

async function scale({ api, kubeconfig, stop }: Cluster): Promise<void> {
  const size: Scale = {
    ingresses,
    services: Math.ceil(ingresses / 5),
    endpoints: ingresses * 10,
  }
  const fillAt = performance.now()
  await fill(api, size, measuredSite([addresses[0]]))
  say('objects created in', (performance.now() - fillAt) / 1000, 's')
  const instance = await Instance.start(kubeconfig)
  try {
    say(`${ingresses} Ingresses: ready after`, instance.startMs / 1000, 's', 15)
    const list = await measureChanges(api, instance, Math.min(changes, 100))
    say('one endpoint change, p50', percentile(list, 0.5), 'ms')
    say('one endpoint change, p99', percentile(list, 0.99), 'ms', 100)
    await stalls(api, instance)
    say('resident memory', instance.memory.nowMb, 'MB', 700)
    say('resident memory, peak', instance.memory.peakMb, 'MB')
    await churn(api, instance)
  } finally {
    await instance.stop()
  }
  const restarts = await restartWithoutServer({ kubeconfig, host, stop, count: 1 })
  say('restart without the API server', percentile(restarts, 0.5) / 1000, 's')
}

/** How long requests are held up while tables are compiled, against the same without. */
async function stalls(api: ClusterApi, instance: Instance): Promise<void> {
  const longest = async (work: () => Promise<void>): Promise<number> => {
    const state = { done: false }
    const working = work().finally(() => (state.done = true))
    const list: number[] = []
    while (!state.done) {
      const startedAt = performance.now()
      await instance.ask(host)
      list.push(performance.now() - startedAt)
    }
    await working
    return percentile(list, 0.999)
  }
  const quiet = await longest(async () => {
    await new Promise((resolve) => setTimeout(resolve, 3000))
  })
  const busy = await longest(async () => {
    for (let i = 0; i < 60; i++) await touch(api, i, i)
  })
  say('a request in quiet, p99.9', quiet, 'ms')
  say('a request while tables are compiled, p99.9', busy, 'ms', 20 + quiet)
}

async function churn(api: ClusterApi, instance: Instance): Promise<void> {
  const round = async (): Promise<number> => {
    for (let i = 0; i < 300; i++) await touch(api, i % 50, i)
    return instance.memory.nowMb
  }
  await round()
  const before = await round()
  const after = await round()
  say('memory after churn over before', after / before, '', 1.1)
}

interface Cluster {
  readonly api: ClusterApi
  readonly kubeconfig: string
  /** Ends the API server; the next one begins with nothing. */
  readonly stop: () => Promise<void>
}

async function withCluster(run: (cluster: Cluster) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  const { kubeconfig, stop } = await launchControlPlane({ folder })
  const api = ClusterApi.ofKubeconfig(kubeconfig)
  try {
    await run({ api, kubeconfig, stop })
  } finally {
    await api.close()
    await stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

const servers = await Promise.all(addresses.map(startEndpoint))
if (values.only !== 'scale') await withCluster(latency)
if (values.only !== 'latency') await withCluster(scale)
for (const server of servers) {
  server.closeAllConnections()
  server.close()
}
process.exit(values.check && result.failed ? 1 : 0)
