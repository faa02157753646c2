import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Balancer, LoadReport } from '#algorithms/balance/balancer.ts'
import { createColumns } from '#algorithms/balance/columns.ts'
import { algorithms } from '#algorithms/balance/index.ts'
import { weightOf } from '#algorithms/balance/load/reported-weights.ts'
import { seededRandom } from '#algorithms/random.ts'
import { fill, pick, shares } from './support.ts'

const silent: LoadReport = {
  inFlight: Number.NaN,
  latencyMs: Number.NaN,
  utilization: Number.NaN,
  requestsPerSecond: Number.NaN,
  errorsPerSecond: Number.NaN,
}

describe('reported-weights', () => {
  const algorithm = algorithms['reported-weights']

  test('the weight is requests a second per utilization, errors counting as utilization', () => {
    const report = { ...silent, requestsPerSecond: 100, utilization: 0.5, errorsPerSecond: 0 }
    assert.equal(weightOf(report), 200)
    assert.equal(weightOf({ ...report, errorsPerSecond: 50 }), 100)
    assert.equal(weightOf({ ...report, errorsPerSecond: 50 }, 3), 50)
    for (const bad of [0, -1, Number.NaN]) {
      assert.equal(weightOf({ ...report, requestsPerSecond: bad }), 0)
      assert.equal(weightOf({ ...report, utilization: bad }), 0)
    }
    assert.equal(weightOf({ ...report, errorsPerSecond: Number.NaN }), 200)
  })

  test('turns until two weights are past their blackout, then by weight', () => {
    const columns = createColumns(fill(3, {}))
    const balancer = algorithm.create(columns, seededRandom(1), {})
    tell(balancer, 0, 0, 300)
    tell(balancer, 1, 5000, 100)
    const even = shares(balancer, columns, 3000, { now: 11_000 })
    even.forEach((share) => assert.ok(Math.abs(share - 1 / 3) < 0.01))
    // The third has not reported: it gets the mean, 200.
    const byWeight = shares(balancer, columns, 6000, { now: 16_000 })
    byWeight.forEach((share, i) =>
      assert.ok(Math.abs(share - ([0.5, 1 / 6, 1 / 3][i] as number)) < 0.01),
    )
    const expired = shares(balancer, columns, 3000, { now: 190_000 })
    expired.forEach((share) => assert.ok(Math.abs(share - 1 / 3) < 0.01))
  })

  test('balancers that share memory balance by what any of them was told', () => {
    const ours = createColumns([{}, {}], 2, 0)
    const theirs = { ...ours, writer: 1 }
    const [first, second] = [ours, theirs].map((columns) =>
      algorithm.create(columns, seededRandom(1), {}),
    ) as [Balancer, Balancer]
    tell(first, 0, 1000, 100)
    tell(first, 1, 1000, 100)
    // The blackout counts from the first report to anybody, and the last report is the one that holds.
    tell(second, 0, 9000, 300)
    for (const [balancer, columns] of [
      [first, ours],
      [second, theirs],
    ] as const) {
      const [share = 0] = shares(balancer, columns, 4000, { now: 12_000 })
      assert.ok(Math.abs(share - 0.75) < 0.01, `${share}`)
    }
    tell(first, 0, 13_000, 100)
    const [share = 0] = shares(second, theirs, 4000, { now: 14_000 })
    assert.ok(Math.abs(share - 0.5) < 0.01, `${share}`)
  })

  test('noise of 10 % in the reports moves shares by less than 5 % of themselves', () => {
    const columns = createColumns(fill(4, {}))
    const balancer = algorithm.create(columns, seededRandom(1), {})
    const random = seededRandom(5)
    const counts = fill(4, 0)
    for (let now = 0; now < 120_000; now += 10) {
      const index = pick(balancer, { now })
      if (now > 30_000) counts[index] = (counts[index] as number) + 1
      // Each endpoint does 100 a second at a utilization of 0.5.
      const noise = 0.9 + 0.2 * random()
      balancer.report?.(index, now, { ...silent, requestsPerSecond: 100, utilization: 0.5 * noise })
    }
    const sum = counts.reduce((all, own) => all + own, 0)
    for (const own of counts) assert.ok(Math.abs(own / sum / 0.25 - 1) < 0.05)
  })
})

// oxlint-disable-next-line max-params -- as a table row
function tell(balancer: Balancer, index: number, now: number, requestsPerSecond: number): void {
  balancer.report?.(index, now, { ...silent, requestsPerSecond, utilization: 1 })
}
