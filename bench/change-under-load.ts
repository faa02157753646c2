import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startBackend } from './compare/backend.ts'
import { findBuilds } from './compare/builds.ts'
import { writeCertificate } from './compare/certificate.ts'
import { memoryKb } from './compare/cpu.ts'
import {
  backendManifests,
  ingressManifest,
  putManifests,
  secretManifest,
  startHeadgate,
} from './compare/headgate.ts'
import type { RunningHeadgate } from './compare/headgate.ts'
import { load } from './compare/load.ts'
import { median } from './compare/measure.ts'
import { readOptions } from './compare/options.ts'
import { plain, withSite } from './compare/setting.ts'
import type { ProxyBuild, Site } from './compare/site.ts'
import { workloads } from './compare/workloads.ts'

/**
 * Changes under load: `node bench/change-under-load.ts [--seconds N] [--check] [--growth RATIO]`. Every 100 ms a
 * route, the endpoints, a setting or the certificate changes while connections old and new, plain
 * and TLS, send requests. Shown: failed requests, tables compiled, and memory over time.
 */
const everyMs = 100
/** Memory of the last third of the run over that of the middle third: above is not flat. */
const growthMaxDefault = '1.1'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    check: { type: 'boolean', default: false },
    growth: { type: 'string', default: growthMaxDefault },
  },
})
const seconds = Number(values.seconds)
const growthMax = Number(values.growth)
const options = readOptions(['--without', 'nginx', '--without', 'haproxy', '--without', 'envoy'])
const [build] = (await findBuilds(options)).builds as [ProxyBuild]

await withSite(options, async (site) => {
  const second = await startBackend(site, options.loadCores)
  const headgate = await startHeadgate(build, site, plain)
  try {
    const other = join(site.folder, 'other')
    mkdirSync(other)
    const certificates = [site, await writeCertificate(site.host, other)]
    const ports = [site.backendPort, second.port]
    const change = (step: number): void => {
      applyChange(step, { headgate, site, ports, certificates })
    }
    await run(headgate, site, change)
  } finally {
    await headgate.stop()
    await second.stop()
  }
})

type CertificateFiles = Pick<Site, 'certificateFile' | 'keyFile'>

interface Scene {
  readonly headgate: RunningHeadgate
  readonly site: Site
  readonly ports: readonly number[]
  readonly certificates: readonly CertificateFiles[]
}

async function run(
  headgate: RunningHeadgate,
  site: Site,
  change: (step: number) => void,
): Promise<void> {
  const chosen = workloads.filter(({ id }) => ['h1', 'tls', 'connect'].includes(id))
  const loads = chosen.map(async (workload) => {
    const port = workload.tls ? headgate.httpsPort : headgate.httpPort
    const goal = { host: site.host, port, seconds, cores: options.loadCores, folder: site.folder }
    return await load({ ...workload, connections: 16 }, goal)
  })
  const before = await tableVersion(headgate)
  const memory: number[] = []
  const startMs = performance.now()
  const changes = Math.floor((seconds * 1000) / everyMs)
  for (let step = 0; step < changes; step++) {
    change(step)
    if (step % 10 === 0) memory.push(memoryKb(headgate.pid))
    await delay(Math.max(0, startMs + (step + 1) * everyMs - performance.now()))
  }
  const results = await Promise.all(loads)
  const tables = (await tableVersion(headgate)) - before
  const requests = results.reduce((sum, result) => sum + result.requests, 0)
  const errors = results.reduce((sum, result) => sum + result.errors, 0)
  const third = Math.floor(memory.length / 3)
  const growth = median(memory.slice(2 * third)) / median(memory.slice(third, 2 * third))
  print(`${changes} changes in ${seconds} s, ${tables} tables compiled`)
  print(`${requests} requests, ${errors} failed`)
  print(`memory, MB: ${memory.map((kb) => Math.round(kb / 1024)).join(' ')}`)
  print(`last third over middle third: ${growth.toFixed(2)}`)
  const good = errors === 0 && growth <= growthMax && tables >= changes / 2
  print(good ? 'within the bars' : 'bar missed')
  if (!good && values.check) process.exitCode = 1
}

/** One of four kinds of change, in turn; each differs from the one of its kind before. */
function applyChange(step: number, { headgate, site, ports, certificates }: Scene): void {
  const turn = Math.floor(step / 4)
  const put = (name: string, objects: readonly object[]): void => {
    putManifests(headgate.manifests, name, objects)
  }
  switch (step % 4) {
    case 0: {
      const endpoints = [ports, ...ports.map((port) => [port])]
      put('backend', backendManifests(endpoints[turn % endpoints.length] ?? ports))
      break
    }
    case 1:
      put('route', [ingressManifest('route', `host-${turn}.example`, {})])
      break
    case 2: {
      const annotations = { 'nginx.ingress.kubernetes.io/proxy-read-timeout': String(60 + turn) }
      put('main', [ingressManifest('main', site.host, annotations)])
      break
    }
    default:
      put('secret', [secretManifest(certificates[(turn + 1) % 2] ?? site)])
  }
}

async function tableVersion({ adminPort }: RunningHeadgate): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/api/status`)
  return ((await answer.json()) as { table: number }).table
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
