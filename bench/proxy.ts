import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findBuilds } from './compare/builds.ts'
import type { FoundBuilds } from './compare/builds.ts'
import { toolFor } from './compare/load.ts'
import { measure } from './compare/measure.ts'
import { readOptions, usage } from './compare/options.ts'
import type { Options } from './compare/options.ts'
import { judge, machine, markdown } from './compare/report.ts'
import type { Facts, Row } from './compare/report.ts'
import { setups, startAll, stopAll, withSite } from './compare/setting.ts'
import type { ProxyBuild, Setup, Site } from './compare/site.ts'

/** `npm run bench`: Headgate beside nginx, HAProxy and Envoy. README.md in this folder says how. */
async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help')) {
    print(usage)
    return 0
  }
  let options: Options
  let found: FoundBuilds
  try {
    options = readOptions(argv)
    found = await findBuilds(options)
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`)
    return 2
  }
  const { builds, missing } = found
  for (const line of missing) print(`not measured: ${line}`)
  const facts: Facts = {
    machine: machine(),
    started: new Date().toISOString(),
    rounds: options.rounds,
    seconds: options.seconds,
    missing,
  }
  const rows: Row[] = []
  await withSite(options, async (site) => {
    for (const setup of setups) rows.push(...(await compare(builds, site, options, setup)))
  })
  const text = markdown(facts, rows)
  save(options, text, { ...facts, rows })
  print(`\n${text}`)
  return options.check ? check(rows) : 0
}

/** Measures the workloads that are for one setup of the proxies. */
async function compare(
  builds: readonly ProxyBuild[],
  site: Site,
  options: Options,
  setup: Setup,
): Promise<Row[]> {
  const chosen = options.workloads.filter(
    ({ logged, logLines, policies }) =>
      logged === setup.logged && logLines === setup.logLines && policies === setup.policies,
  )
  if (chosen.length === 0) return []
  const proxies = await startAll(builds, site, setup)
  const rows: Row[] = []
  try {
    for (const workload of chosen) {
      if (workload.changing && toolFor(workload) !== 'wrk') {
        print(`not measured: ${workload.title}: wrk is missing`)
        continue
      }
      print(`${workload.title} (load: ${toolFor(workload)})`)
      const row = judge(workload, await measure(workload, proxies, site, options))
      rows.push(row)
      for (const { label, rounds } of row.series) {
        const figures = rounds.map(({ cpuUsPerRequest }) => cpuUsPerRequest.toFixed(1)).join(' ')
        print(`  ${label}: ${figures} us`)
      }
    }
  } finally {
    await stopAll(proxies)
  }
  return rows
}

function save(options: Options, text: string, data: object): void {
  const folder = join(import.meta.dirname, 'results')
  mkdirSync(folder, { recursive: true })
  const name = options.name === '' ? new Date().toISOString().replaceAll(':', '-') : options.name
  writeFileSync(join(folder, `${name}.md`), text)
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(data, undefined, 2))
}

function check(rows: readonly Row[]): number {
  let code = 0
  for (const { workload, ratio, verdict } of rows) {
    if (workload.bar === undefined || verdict === 'within') continue
    code = 1
    if (verdict === 'missed') {
      print(`bar missed: ${workload.title}: ${ratio?.toFixed(2)} > ${workload.bar}`)
    } else print(`bar not judged: ${workload.title}: no figures without errors to compare`)
  }
  return code
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

process.exitCode = await main(process.argv.slice(2))
