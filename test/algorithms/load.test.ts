import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createColumns } from '#algorithms/balance/columns.ts'
import { algorithms } from '#algorithms/balance/index.ts'
import { timeBucket } from '#algorithms/balance/load/least-time.ts'
import { LoadQuantile } from '#algorithms/balance/load/load-quantile.ts'
import { ProbePool, poolSize, reuseLimit } from '#algorithms/balance/load/probe-pool.ts'
import type { LoadReport } from '#algorithms/balance/balancer.ts'
import { seededRandom } from '#algorithms/random.ts'
import { fill, pick, sequence, shares } from './support.ts'

function loaded(...inFlight: number[]) {
  const columns = createColumns(fill(inFlight.length, {}))
  columns.inFlight.set(inFlight)
  return columns
}

const silent: LoadReport = {
  inFlight: Number.NaN,
  latencyMs: Number.NaN,
  utilization: Number.NaN,
  requestsPerSecond: Number.NaN,
  errorsPerSecond: Number.NaN,
}

describe('least-requests', () => {
  const algorithm = algorithms['least-requests']

  test('picks the least loaded for its weight', () => {
    const columns = createColumns([{ weight: 1 }, { weight: 4 }, { weight: 2 }])
    columns.inFlight.set([2, 5, 3])
    assert.equal(pick(algorithm.create(columns, seededRandom(1), {})), 1)
  })

  test('adds up the cells of all writers', () => {
    const columns = createColumns([{}, {}], 3, 1)
    columns.inFlight.set([0, 1, 4, 2, 1, 1])
    assert.equal(pick(algorithm.create(columns, seededRandom(1), {})), 1)
  })

  test('draws idle endpoints by their weights', () => {
    const columns = createColumns([{ weight: 1 }, { weight: 3 }])
    const balancer = algorithm.create(columns, seededRandom(2), {})
    assert.ok(Math.abs((shares(balancer, columns, 40_000)[1] as number) - 0.75) < 0.01)
  })

  test('a gauge below zero, as a dying worker may leave it, counts as idle', () => {
    const balancer = algorithm.create(loaded(-3, 1), seededRandom(1), {})
    for (let turn = 0; turn < 20; turn++) assert.equal(pick(balancer), 0)
  })
})

describe('two-choices', () => {
  const algorithm = algorithms['two-choices']

  test('never picks the most loaded of distinct loads, and the least one in 2/n of the picks', () => {
    const columns = loaded(4, 3, 2, 1, 0)
    const found = shares(algorithm.create(columns, seededRandom(3), {}), columns, 40_000)
    // The chance of the endpoint with k others above it is k of the 10 pairs.
    found.forEach((share, i) => assert.ok(Math.abs(share - i / 10) < 0.01))
  })

  test('with two endpoints it always picks the better', () => {
    const balancer = algorithm.create(loaded(1, 0), seededRandom(3), {})
    assert.equal(sequence(balancer, 50), 'b'.repeat(50))
  })

  test('idle endpoints get their shares, and loads count per weight', () => {
    const columns = createColumns([{ weight: 1 }, { weight: 2 }, { weight: 3 }])
    const balancer = algorithm.create(columns, seededRandom(3), {})
    const found = shares(balancer, columns, 60_000)
    found.forEach((share, i) => assert.ok(Math.abs(share - (i + 1) / 6) < 0.01))
    columns.inFlight.set([2, 3, 5])
    assert.equal(pick(balancer, { tried: [0] }), 1)
  })

  test('more choices find the least loaded more often', () => {
    const columns = loaded(4, 3, 2, 1, 0)
    const balancer = algorithm.create(columns, seededRandom(3), { choices: 5 })
    assert.equal(sequence(balancer, 20), 'e'.repeat(20))
  })
})

describe('peak-ewma', () => {
  const algorithm = algorithms['peak-ewma']

  test('weighs latency by the requests ahead', () => {
    const columns = loaded(3, 1)
    columns.latency.set([10, 15])
    const balancer = algorithm.create(columns, seededRandom(1), {})
    assert.equal(pick(balancer), 1)
    columns.inFlight[0] = 1
    assert.equal(pick(balancer), 0)
  })

  test('an endpoint without history is compared by its queue alone', () => {
    const columns = loaded(2, 1)
    columns.latency[0] = 100
    const balancer = algorithm.create(columns, seededRandom(1), {})
    assert.equal(pick(balancer), 1)
    columns.inFlight[1] = 3
    assert.equal(pick(balancer), 0)
  })
})

describe('least-time', () => {
  const algorithm = algorithms['least-time']

  test("puts response times into nginx's steps", () => {
    const vectors = [
      [0, 20],
      [1, 20],
      [19, 20],
      [20, 40],
      [21, 40],
      [39, 40],
      [4979, 4980],
      [4999, 5000],
      [5000, 5000],
      [60_000, 5000],
    ] as const
    for (const [time, bucket] of vectors) assert.equal(timeBucket(time), bucket, `${time} ms`)
  })

  test('endpoints of 21 and 39 ms take turns', () => {
    const columns = loaded(0, 0)
    columns.latency.set([21, 39])
    const picks = sequence(
      algorithm.create(columns, () => 0, {}),
      8,
    )
    assert.equal(picks, 'abababab')
  })

  test('ties go round by weight where the scores are equal', () => {
    const columns = createColumns([{ weight: 2 }, { weight: 1 }])
    columns.latency.set([39, 19])
    assert.equal(
      sequence(
        algorithm.create(columns, () => 0, {}),
        6,
      ),
      'abaaba',
    )
  })

  test('the mean moves by a twentieth of each success, also from one writer to the next', () => {
    const columns = createColumns([{}], 2, 0)
    const first = algorithm.create(columns, seededRandom(1), {})
    const second = algorithm.create({ ...columns, writer: 1 }, seededRandom(1), {})
    first.observe?.(0, 0, 100, 'success')
    second.observe?.(0, 1, 200, 'success')
    first.observe?.(0, 2, 200, 'success')
    assert.ok(Math.abs((columns.latency[0] as number) - 109.75) < 1e-9)
  })

  test('the response time halves with every eleven seconds without a sample', () => {
    const columns = loaded(0, 0)
    columns.latency.set([1000, 300])
    columns.updated.set([0, 22_000])
    const balancer = algorithm.create(columns, seededRandom(1), {})
    assert.equal(pick(balancer, { now: 10_999 }), 1)
    assert.equal(pick(balancer, { now: 22_000 }), 0)
  })

  test('an endpoint without a sample is neither flooded nor starved', () => {
    const columns = loaded(0, 0, 0)
    columns.latency.set([100, 100, 0])
    const balancer = algorithm.create(columns, seededRandom(1), {})
    const found = new Set(sequence(balancer, 3))
    assert.equal(found.size, 3)
    columns.inFlight[2] = 1
    assert.ok(!sequence(balancer, 10).includes('c'))
  })

  test('what has been waiting for long counts where the proxy tells', () => {
    const columns = loaded(1, 1)
    columns.latency.set([50, 60])
    columns.started = Float64Array.of(0, 4000)
    const balancer = algorithm.create(columns, seededRandom(1), {})
    assert.equal(pick(balancer, { now: 5000 }), 1)
  })
})

describe('load quantile', () => {
  test('is the quantile of the last 128 loads', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(30), { minLength: 1, maxLength: 400 }),
        fc.constantFrom(0.5, 2 ** -0.25, 0.99),
        (loads, part) => {
          const quantile = new LoadQuantile(part)
          for (const load of loads) quantile.add(load)
          const sorted = loads.slice(-128).toSorted((a, b) => a - b)
          const exact = sorted[Math.ceil(part * sorted.length) - 1]
          assert.equal(quantile.value, exact)
        },
      ),
      { seed: 6 },
    )
  })
})

describe('hot-cold', () => {
  test('leaves hot endpoints out, though they were fast', () => {
    const columns = loaded(9, ...fill(15, 0))
    columns.latency.set([1, ...fill(15, 50)])
    const balancer = algorithms['hot-cold'].create(columns, seededRandom(1), { choices: 16 })
    // One in sixteen is above the 0.84 quantile, once that is known.
    assert.ok(!sequence(balancer, 1000).slice(300).includes('a'))
  })

  test('takes the lowest wait of the cold', () => {
    const columns = loaded(1, 1, 0, 1)
    columns.latency.set([30, 10, 25, 40])
    const balancer = algorithms['hot-cold'].create(columns, seededRandom(1), { choices: 4 })
    assert.match(sequence(balancer, 100).slice(50), /^b+$/)
  })
})

describe('prequal', () => {
  const algorithm = algorithms.prequal

  test('the reuse limit is that of the paper', () => {
    const cases = [
      [3, 1, 1.3158],
      [1, 0.25, 3.3898],
      [0.5, 0.25, 11.7647],
    ] as const
    for (const [probesPerRequest, removalsPerRequest, limit] of cases) {
      const found = reuseLimit(100, { probesPerRequest, removalsPerRequest })
      assert.ok(Math.abs(found - limit) < 5e-5)
    }
    assert.equal(reuseLimit(100, { probesPerRequest: 30, removalsPerRequest: 1 }), 1)
    assert.equal(reuseLimit(10, { probesPerRequest: 3, removalsPerRequest: 1 }), Infinity)
  })

  test('asks for three probes a request, of distinct endpoints', () => {
    const columns = loaded(...fill(20, 0))
    const balancer = algorithm.create(columns, seededRandom(1), {})
    assert.equal(balancer.nextProbe?.(0), -1)
    for (let request = 0; request < 50; request++) {
      pick(balancer)
      const probes = fill(4, 0).map(() => balancer.nextProbe?.(0))
      assert.equal(new Set(probes.slice(0, 3)).size, 3)
      assert.equal(probes[3], -1)
    }
  })

  test('half a probe a request is a probe every other request', () => {
    const balancer = algorithm.create(loaded(0, 0, 0), seededRandom(1), { probesPerRequest: 0.5 })
    const probes = fill(10, 0).map(() => {
      pick(balancer)
      return balancer.nextProbe?.(0) === -1 ? 0 : 1
    })
    assert.deepEqual(probes, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
  })

  test('takes the lowest latency of the cold, and of hot ones the fewest in flight', () => {
    const columns = loaded(...fill(20, 0))
    const balancer = algorithm.create(columns, seededRandom(1), { probesPerRequest: 0 })
    for (let i = 0; i < 16; i++) {
      balancer.report?.(i, 0, { ...silent, inFlight: i, latencyMs: 50 - i })
    }
    // The 0.84 quantile of 0 to 15 is 13, so 14 and 15 are hot.
    assert.equal(pick(balancer), 13)
    for (let i = 0; i < 16; i++) columns.usable[i] = i < 14 ? 0 : 1
    assert.equal(pick(balancer), 14)
  })

  test('a used result has one request more in flight', () => {
    const balancer = algorithm.create(loaded(...fill(16, 0)), seededRandom(1), {
      probesPerRequest: 0,
    })
    for (let i = 0; i < 16; i++)
      balancer.report?.(i, 0, { ...silent, inFlight: 2, latencyMs: 10 + i })
    assert.equal(sequence(balancer, 4), 'abcd')
  })

  test('results hold for a second, then it goes by what it sees itself', () => {
    const columns = loaded(0, 0, 7)
    const balancer = algorithm.create(columns, seededRandom(1), { probesPerRequest: 0, choices: 3 })
    for (let i = 0; i < 3; i++)
      balancer.report?.(i, 0, { ...silent, inFlight: 2 - i, latencyMs: 9 - i })
    assert.equal(pick(balancer, { now: 1000 }), 2)
    for (let turn = 0; turn < 20; turn++) assert.notEqual(pick(balancer, { now: 1001 }), 2)
  })

  test('a report without the two figures changes nothing', () => {
    const columns = loaded(0, 5)
    const balancer = algorithm.create(columns, seededRandom(1), { probesPerRequest: 0 })
    balancer.report?.(0, 0, { ...silent, utilization: 0.5 })
    balancer.report?.(1, 0, { ...silent, inFlight: -1, latencyMs: 5 })
    assert.equal(pick(balancer), 0)
  })

  test('the word of an endpoint that failed does not count for a while', () => {
    const columns = loaded(...fill(4, 0))
    const balancer = algorithm.create(columns, seededRandom(1), { probesPerRequest: 0 })
    const tell = (now: number): void => {
      for (let i = 0; i < 4; i++)
        balancer.report?.(i, now, { ...silent, inFlight: 0, latencyMs: i })
    }
    balancer.observe?.(0, 0, 1, 'failure')
    tell(10)
    assert.equal(pick(balancer, { now: 10 }), 1)
    tell(1010)
    assert.equal(pick(balancer, { now: 1010 }), 0)
  })

  test('the pool removes the oldest and the worst in turn', () => {
    const pool = new ProbePool()
    for (let i = 0; i < poolSize; i++) pool.stamp(pool.add(i, i, 100 - i), i, Infinity)
    const left = (): number[] => [...pool.endpoint.subarray(0, pool.size)]
    pool.removeOne(12)
    assert.ok(!left().includes(0))
    pool.removeOne(12)
    assert.ok(!left().includes(15))
    pool.removeOne(99)
    assert.ok(!left().includes(1))
    // None is hot now: the slowest of those left.
    pool.removeOne(99)
    assert.ok(!left().includes(2))
    assert.equal(pool.size, poolSize - 4)
  })

  test('a full pool gives up its oldest result, and a newer one replaces that of its endpoint', () => {
    const pool = new ProbePool()
    for (let i = 0; i < poolSize; i++) pool.stamp(pool.add(i, i, i), i, 2)
    pool.stamp(pool.add(20, 1, 1), 99, 2)
    pool.stamp(pool.add(5, 77, 1), 100, 2)
    const all = [...pool.endpoint.subarray(0, pool.size)].toSorted((a, b) => a - b)
    assert.deepEqual(all, [...Array.from({ length: 15 }, (_, i) => i + 1), 20])
    assert.equal(pool.inFlight[pool.endpoint.indexOf(5)], 77)
  })
})
