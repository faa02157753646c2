// Simulations of the balancing library beside published figures.
//
//   npm run simulate [-- [--publish] [SCENARIO...]]
//
// Prints tables, writes them and the plots to bench/results/simulate, with --publish also to
// bench/simulate (committed). Exits 1 where a figure is out of its range.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { svgOf } from './plot.ts'
import { markdownOf, tableOf } from './report.ts'
import type { Result, Scenario } from './scenario.ts'
import { passes } from './scenario.ts'
import { scenarios } from './scenarios.ts'

function main(): number {
  const { values, positionals } = parseArgs({
    options: { publish: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const unknown = positionals.filter((name) => !scenarios.some((own) => own.name === name))
  if (unknown.length > 0 || (values.publish && positionals.length > 0)) {
    const names = scenarios.map((own) => own.name).join(', ')
    const reason = unknown.length > 0 ? `no scenario ${unknown.join(', ')}` : '--publish takes all'
    process.stderr.write(`simulate: ${reason}; scenarios: ${names}\n`)
    return 2
  }
  const chosen = scenarios.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  )
  const results = chosen.map((scenario, at) => ({
    scenario,
    result: runOne(scenario, `${at + 1}/${chosen.length}`),
  }))
  write(join(import.meta.dirname, '..', 'results', 'simulate'), results)
  if (values.publish) write(import.meta.dirname, results)
  const rows = results.flatMap(({ result }) => result.rows)
  const out = rows.filter((row) => !passes(row))
  for (const { what, measured } of out) process.stderr.write(`out of range: ${what}: ${measured}\n`)
  const gated = rows.filter((row) => row.passes !== undefined).length
  process.stdout.write(`${gated - out.length} of ${gated} figures in range\n`)
  return out.length > 0 ? 1 : 0
}

function runOne(scenario: Scenario, place: string): Result {
  const start = performance.now()
  const result = scenario.run(1, (step) => {
    const seconds = ((performance.now() - start) / 1000).toFixed(0)
    process.stderr.write(`[${place} ${scenario.name} ${seconds} s] ${step}\n`)
  })
  process.stdout.write(`\n${scenario.title}\n\n${tableOf(result.rows)}\n\n`)
  return result
}

function write(folder: string, results: { scenario: Scenario; result: Result }[]): void {
  mkdirSync(join(folder, 'plots'), { recursive: true })
  writeFileSync(join(folder, 'README.md'), markdownOf(results, 'plots'))
  for (const plot of results.flatMap(({ result }) => result.plots)) {
    writeFileSync(join(folder, 'plots', `${plot.file}.svg`), svgOf(plot))
  }
}

process.exitCode = main()
