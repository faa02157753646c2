import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runRamp } from '../../bench/simulate/load-ramp.ts'
import { svgOf } from '../../bench/simulate/plot.ts'
import { markdownOf, tableOf } from '../../bench/simulate/report.ts'
import { passes, quantile } from '../../bench/simulate/scenario.ts'
import type { Row } from '../../bench/simulate/scenario.ts'
import { scenarios } from '../../bench/simulate/scenarios.ts'

// Small runs: what the full ones must show stands in `npm run simulate`.
describe('scenarios', () => {
  for (const scenario of scenarios) {
    test(`${scenario.name} runs and says where it is`, () => {
      const steps: string[] = []
      const { rows, plots } = scenario.run(0.01, (step) => steps.push(step))
      assert.ok(steps.length >= rows.length / 3)
      for (const { what, measured } of rows) assert.ok(Number.isFinite(measured), what)
      assert.ok(rows.some((row) => row.passes !== undefined))
      for (const plot of plots) {
        const svg = svgOf(plot)
        assert.match(svg, /^<svg [^>]*viewBox/)
        assert.doesNotMatch(svg, /NaN|Infinity|undefined/)
        assert.equal(svg.match(/<polyline /g)?.length, plot.series.length)
      }
    })
  }
})

function p99(algorithm: 'two-choices' | 'hot-cold' | 'prequal', clients: number): number {
  const run = runRamp({ algorithm, clients, load: 1.03, durationMs: 12_000 })
  return quantile(run.latencies, 0.99)
}

test('passive hot-cold beats two choices at few balancers, and Prequal at many', () => {
  assert.ok(p99('hot-cold', 3) <= 0.75 * p99('two-choices', 3))
  assert.ok(p99('prequal', 100) <= 0.5 * p99('two-choices', 100))
})

test('a figure out of its range is told from one within it', () => {
  const row: Row = { what: 'x', measured: 5, digits: 1, published: '5', passes: [4, 6] }
  assert.ok(passes(row))
  assert.ok(!passes({ ...row, measured: 3.9 }))
  assert.ok(passes({ what: 'y', measured: 99, digits: 0, published: '' }))
  assert.match(tableOf([row]), /\| x +\| 5\.0 +\| 5 +\| 4\.0 to 6\.0 \| ok/)
  assert.match(tableOf([{ ...row, measured: 7 }]), /\*\*out\*\*/)
  const scenario = { ...(scenarios[0] as (typeof scenarios)[0]), title: 'T', about: 'A' }
  assert.match(markdownOf([{ scenario, result: { rows: [row], plots: [] } }], 'plots'), /## T\n\nA/)
})

test('the command refuses what it does not know', () => {
  const main = join(import.meta.dirname, '../../bench/simulate/main.ts')
  const run = spawnSync(process.execPath, [main, 'no-such'], { encoding: 'utf8' })
  assert.equal(run.status, 2)
  assert.match(run.stderr, /no scenario no-such; scenarios: supermarket, /)
})
