import { statSync, truncateSync } from 'node:fs'
import { cpuBetween, readCpu } from './cpu.ts'
import { load } from './load.ts'
import type { LoadResult, LoadTarget } from './load.ts'
import type { Options } from './options.ts'
import type { RunningProxy, Site } from './site.ts'
import type { Workload } from './workloads.ts'

/** One round of one proxy. */
export interface Round {
  readonly cpuUsPerRequest: number
  readonly requestsPerSecond: number
  readonly p99Ms: number | undefined
  readonly errors: number
}

/** All rounds of one proxy under one workload. */
export interface Series {
  readonly label: string
  readonly kind: RunningProxy['build']['kind']
  readonly rounds: readonly Round[]
}

/**
 * Runs the rounds of one workload. In each round every proxy has its turn, and the first of a round
 * is another one each time, so that a slow spell of the machine falls on all of them.
 */
export async function measure(
  workload: Workload,
  proxies: readonly RunningProxy[],
  site: Site,
  options: Options,
): Promise<Series[]> {
  for (const proxy of proxies) {
    if (options.warmSeconds > 0) {
      await load(
        workload,
        target(workload, proxy, site, { ...options, seconds: options.warmSeconds }),
      )
      emptyLogs(proxy)
    }
  }
  const rounds = proxies.map((): Round[] => [])
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < proxies.length; turn++) {
      const i = (round + turn) % proxies.length
      const proxy = proxies[i] as RunningProxy
      rounds[i]?.push(await oneRound(workload, proxy, target(workload, proxy, site, options)))
      checkLogs(proxy)
      emptyLogs(proxy)
    }
  }
  return proxies.map(({ build }, i) => ({
    label: build.label,
    kind: build.kind,
    rounds: rounds[i] ?? [],
  }))
}

function target(
  workload: Workload,
  proxy: RunningProxy,
  site: Site,
  { seconds, loadCores }: Pick<Options, 'seconds' | 'loadCores'>,
): LoadTarget {
  const port = workload.tls ? proxy.httpsPort : proxy.httpPort
  return { host: site.host, port, seconds, cores: loadCores, folder: site.folder }
}

async function oneRound(workload: Workload, proxy: RunningProxy, goal: LoadTarget): Promise<Round> {
  const before = readCpu(proxy.pid)
  const result: LoadResult = await load(workload, goal)
  const cpuNs = cpuBetween(before, readCpu(proxy.pid))
  return {
    cpuUsPerRequest: cpuNs / 1000 / result.requests,
    requestsPerSecond: result.requests / result.seconds,
    p99Ms: result.p99Ms,
    errors: result.errors,
  }
}

/** A proxy that was to write a log and wrote none has done less than the others. */
function checkLogs(proxy: RunningProxy): void {
  for (const file of proxy.logFiles) {
    if (statSync(file).size === 0) throw new Error(`${proxy.build.label} wrote no access log`)
  }
}

function emptyLogs(proxy: RunningProxy): void {
  for (const file of proxy.logFiles) truncateSync(file)
}

/** The middle value; of an even number the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper
}
