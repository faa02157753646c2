import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createColumns } from '#algorithms/balance/columns.ts'
import { algorithms } from '#algorithms/balance/index.ts'
import { slowStartFactor } from '#algorithms/balance/slow-start.ts'
import { seededRandom } from '#algorithms/random.ts'
import { pick, shares } from './support.ts'

test("the ramp is Envoy's", () => {
  const vectors = [
    [1, [1, 6, 15, 30, 60], [0.1, 0.1, 0.25, 0.5, 1]],
    [2, [1, 6, 15, 30, 60], [0.129, 0.316, 0.5, Math.SQRT1_2, 1]],
  ] as const
  for (const [aggression, seconds, factors] of vectors) {
    seconds.forEach((second, i) => {
      const factor = slowStartFactor(second * 1000, { windowMs: 60_000, aggression })
      assert.ok(Math.abs(factor - (factors[i] as number)) < 5e-4, `${second} s`)
    })
  }
  assert.equal(slowStartFactor(-5, { windowMs: 60_000, aggression: 1 }), 0.1)
  assert.equal(slowStartFactor(0, { windowMs: 1, aggression: 1 }), 1)
})

const byWeight = [
  'round-robin',
  'weighted',
  'smooth-weighted',
  'random',
  'least-requests',
  'two-choices',
  'reported-weights',
] as const

for (const name of byWeight) {
  describe(`slow start of ${name}`, () => {
    test('a new endpoint begins with a tenth and ends with its whole share', () => {
      const columns = createColumns([{}, {}, {}])
      columns.since[2] = 1_000_000
      const options = { slowStartMs: 60_000 }
      const balancer = algorithms[name].create(columns, seededRandom(1), options)
      for (const [afterMs, factor] of [
        [0, 0.1],
        [30_000, 0.5],
        [60_000, 1],
        [500_000, 1],
      ] as const) {
        const share = shares(balancer, columns, 20_000, { now: 1_000_000 + afterMs })[2] as number
        const expected = factor / (2 + factor)
        assert.ok(Math.abs(share - expected) < 0.012, `${afterMs} ms: ${share} ${expected}`)
      }
    })

    test('endpoints that were there at the start of the process are not new', () => {
      const columns = createColumns([{}, {}])
      const balancer = algorithms[name].create(columns, seededRandom(1), { slowStartMs: 60_000 })
      const [share] = shares(balancer, columns, 20_000, { now: 5_000_000 }) as [number]
      assert.ok(Math.abs(share - 0.5) < 0.015)
    })
  })
}

test('an endpoint that joins later ramps from then, and the others keep their state', () => {
  const columns = createColumns([{ identity: 1 }, { identity: 2 }])
  const balancer = algorithms.weighted.create(columns, seededRandom(1), { slowStartMs: 10_000 })
  pick(balancer, { now: 50_000 })
  const more = createColumns([{ identity: 1 }, { identity: 2 }, { identity: 3 }])
  more.since[2] = 60_000
  Object.assign(columns, more)
  balancer.rebuild()
  assert.ok((shares(balancer, columns, 2100, { now: 60_000 })[2] as number) < 0.06)
  assert.ok((shares(balancer, columns, 2100, { now: 70_000 })[2] as number) > 0.32)
})

test('algorithms that learn go on learning behind the ramp', () => {
  const columns = createColumns([{}, {}])
  const balancer = algorithms['peak-ewma'].create(columns, seededRandom(1), { slowStartMs: 1000 })
  balancer.observe?.(0, 5000, 900, 'success')
  balancer.observe?.(1, 5000, 20, 'success')
  for (let turn = 0; turn < 20; turn++) assert.equal(pick(balancer, { now: 5001 }), 1)
  const reported = algorithms['reported-weights'].create(columns, seededRandom(1), {
    slowStartMs: 1000,
  })
  for (const [index, requestsPerSecond] of [300, 100].entries()) {
    reported.report?.(index, 1, {
      inFlight: Number.NaN,
      latencyMs: Number.NaN,
      utilization: 1,
      requestsPerSecond,
      errorsPerSecond: 0,
    })
  }
  assert.ok(Math.abs((shares(reported, columns, 4000, { now: 20_000 })[0] as number) - 0.75) < 0.01)
})

test('under load a new endpoint of two-choices is not flooded', () => {
  const columns = createColumns(Array.from({ length: 10 }, () => ({})))
  columns.inFlight.fill(8)
  columns.inFlight[9] = 0
  columns.since[9] = 1_000_000
  const balancer = algorithms['two-choices'].create(columns, seededRandom(1), {
    slowStartMs: 60_000,
  })
  const share = shares(balancer, columns, 20_000, { now: 1_000_000 })[9] as number
  // Without the ramp it is in a fifth of the pairs and wins them all.
  assert.ok(share < 0.025, `${share}`)
})
