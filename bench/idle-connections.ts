import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { findBuilds } from './compare/builds.ts'
import { memoryKb } from './compare/cpu.ts'
import { readOptions } from './compare/options.ts'
import { plain, startAll, stopAll, withSite } from './compare/setting.ts'
import type { RunningProxy, Site } from './compare/site.ts'

/**
 * Memory of idle keep-alive connections: `node bench/idle-connections.ts [--connections N] [--check]`.
 * Each connection has carried one request. Shown: growth of the proxy's own memory (proportional set
 * size of its process tree; socket buffers of the kernel are not in it) divided by the connections.
 */
const kilobytesMax = 10
/** Long enough for V8 to give back what it does not need when nothing happens. */
const settleMs = 10_000

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    check: { type: 'boolean', default: false },
  },
})
const connections = Number(values.connections)
const options = readOptions(['--without', 'haproxy', '--without', 'envoy'])
const { builds, missing } = await findBuilds(options)
for (const line of missing) print(`not measured: ${line}`)

await withSite(options, async (site) => {
  for (const kind of ['plain', 'tls'] as const) {
    // Fresh processes for each kind, so that nothing is measured in memory that was freed before.
    const proxies = await startAll(builds, site, plain)
    try {
      for (const proxy of proxies) report(proxy, kind, await growthKb(proxy, kind, site))
    } finally {
      await stopAll(proxies)
    }
  }
})

async function growthKb(proxy: RunningProxy, kind: 'plain' | 'tls', site: Site): Promise<number> {
  const port = kind === 'tls' ? proxy.httpsPort : proxy.httpPort
  const look = async (): Promise<number> => {
    await delay(settleMs)
    return memoryKb(proxy.pid)
  }
  // Whatever is made on first use is there before the first look.
  await hold(1000, [String(port), '1000', kind, site.host], look)
  const before = await look()
  const args = [String(port), String(connections), kind, site.host]
  return ((await hold(connections, args, look)) - before) / connections
}

/** Opens idle connections, looks, and closes them. */
async function hold(
  count: number,
  clientArgs: readonly string[],
  look: () => Promise<number>,
): Promise<number> {
  const program = join(import.meta.dirname, 'compare/idle-client.ts')
  const args = ['-c', options.loadCores, process.execPath, program, ...clientArgs]
  const client = spawn('taskset', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = new Promise((resolve) => client.once('exit', resolve))
  try {
    let line = ''
    for await (line of createInterface({ input: client.stdout })) break
    const { open, failed } = JSON.parse(line) as { open: number; failed: number }
    if (failed > 0 || open !== count) throw new Error(`${failed} of ${open} connections failed`)
    return await look()
  } finally {
    client.stdin.end()
    await exited
  }
}

function report(proxy: RunningProxy, kind: 'plain' | 'tls', kilobytes: number): void {
  print(
    `${proxy.build.label}, ${kind}: ${kilobytes.toFixed(1)} KB a connection (${connections} idle)`,
  )
  const judged = proxy.build.kind === 'headgate' && kind === 'plain'
  if (!judged || kilobytes <= kilobytesMax) return
  print(`bar missed: ${kilobytes.toFixed(1)} > ${kilobytesMax} KB`)
  if (values.check) process.exitCode = 1
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
