import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { EndpointColumns, Outcome } from '#algorithms/balance/balancer.ts'
import { createColumns } from '#algorithms/balance/columns.ts'
import { algorithms } from '#algorithms/balance/index.ts'
import { LatencyEstimate } from '#algorithms/balance/load/latency.ts'
import { seededRandom } from '#algorithms/random.ts'
import { inputOf } from './support.ts'

const decayMs = 10_000
const penaltyMs = 5000

/** The estimate of endpoint 0 at a time, as a writer reads it. */
function read(estimate: LatencyEstimate, now: number): number {
  const out = new Float64Array(1)
  estimate.read(Int32Array.of(0), 1, inputOf({ now }), out)
  return out[0] as number
}

/** `writers` views of the same memory, each of a worker of its own. */
function views(endpoints: number, writers: number): EndpointColumns[] {
  const memory = createColumns(
    Array.from({ length: endpoints }, () => ({})),
    writers,
  )
  return Array.from({ length: writers }, (_, writer) => ({ ...memory, writer }))
}

function estimatesOf(writers: number): LatencyEstimate[] {
  return views(1, writers).map((columns) => new LatencyEstimate(columns, decayMs, penaltyMs))
}

describe('Peak EWMA', () => {
  test('takes the first sample and every peak at once', () => {
    const [estimate] = estimatesOf(1) as [LatencyEstimate]
    assert.equal(read(estimate, 0), 0)
    estimate.observe(0, 0, 50, 'success')
    assert.equal(read(estimate, 0), 50)
    estimate.observe(0, 10, 2000, 'success')
    assert.equal(read(estimate, 10), 2000)
  })

  test('mixes lower samples in by the time that has passed', () => {
    const [estimate] = estimatesOf(1) as [LatencyEstimate]
    estimate.observe(0, 0, 100, 'success')
    estimate.observe(0, 5000, 20, 'success')
    const kept = Math.exp(-0.5)
    const expected = 100 * kept + 20 * (1 - kept)
    assert.ok(Math.abs(read(estimate, 5000) - expected) < 1e-9)
  })

  test('decays towards 0 while nothing is learnt', () => {
    const [estimate] = estimatesOf(1) as [LatencyEstimate]
    estimate.observe(0, 0, 100, 'success')
    for (const elapsed of [1, 500, 999, 1000, 5000, 60_000]) {
      const exact = 100 * Math.exp(-elapsed / decayMs)
      assert.ok(Math.abs(read(estimate, elapsed) / exact - 1) < 2e-4, `${elapsed} ms`)
    }
    assert.equal(read(estimate, -5), 100)
  })

  test('a sample of no time at all is a sample', () => {
    const [estimate] = estimatesOf(1) as [LatencyEstimate]
    estimate.observe(0, 0, 0, 'success')
    assert.ok(read(estimate, 0) > 0)
  })

  test('any number of writers computes what one would', () => {
    const samples = fc.array(
      fc.record({
        writer: fc.nat(3),
        afterMs: fc.double({ min: 0, max: 20_000, noNaN: true }),
        latencyMs: fc.double({ min: 0.01, max: 5000, noNaN: true }),
      }),
      { minLength: 1, maxLength: 60 },
    )
    fc.assert(
      fc.property(samples, (all) => {
        const [alone] = estimatesOf(1) as [LatencyEstimate]
        const four = estimatesOf(4)
        let now = 0
        for (const { writer, afterMs, latencyMs } of all) {
          now += afterMs
          alone.observe(0, now, latencyMs, 'success')
          four[writer]?.observe(0, now, latencyMs, 'success')
          const expected = read(alone, now + 100)
          for (const estimate of four) {
            // Reading is exact to 0.02 %; learning is exact, so this does not add up.
            assert.ok(Math.abs(read(estimate, now + 100) / expected - 1) < 4e-4)
          }
        }
      }),
      { seed: 1 },
    )
  })

  test('a peak survives a writer that saw an older state', () => {
    const [one, two] = views(1, 2) as [EndpointColumns, EndpointColumns]
    new LatencyEstimate(two, decayMs).observe(0, 0, 30, 'success')
    // Writer one stores a peak at the same instant as writer two stores a low sample it worked out
    // without that peak.
    one.latency[0] = 2000
    one.updated[0] = 1
    two.latency[1] = 31
    two.updated[1] = 1.001
    const estimate = new LatencyEstimate(two, decayMs)
    assert.ok(read(estimate, 2) > 1999)
    estimate.observe(0, 3, 30, 'success')
    assert.ok(read(estimate, 3) > 1998)
  })

  test('the cells of a dead writer may be set to 0', () => {
    const [one, two] = views(1, 2) as [EndpointColumns, EndpointColumns]
    new LatencyEstimate(one, decayMs).observe(0, 0, 400, 'success')
    const estimate = new LatencyEstimate(two, decayMs)
    estimate.observe(0, 1, 90, 'success')
    one.latency[0] = 0
    one.updated[0] = 0
    two.latency[1] = 0
    assert.equal(read(estimate, 5), 0)
    estimate.observe(0, 6, 40, 'success')
    assert.equal(read(estimate, 6), 40)
  })

  test('no failure lowers an estimate', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 9000, noNaN: true }),
        fc.double({ min: 0.01, max: 9000, noNaN: true }),
        fc.double({ min: 0, max: 30_000, noNaN: true }),
        fc.constantFrom<Outcome>('failure', 'overload'),
        (before, latencyMs, afterMs, outcome) => {
          const [estimate] = estimatesOf(1) as [LatencyEstimate]
          estimate.observe(0, 0, before, 'success')
          estimate.observe(0, afterMs, latencyMs, outcome)
          assert.ok(read(estimate, afterMs) >= Math.max(before, latencyMs))
        },
      ),
      { seed: 2 },
    )
  })

  test('overload counts in full at once, another failure from the second in a row', () => {
    const [estimate] = estimatesOf(1) as [LatencyEstimate]
    estimate.observe(0, 0, 100, 'success')
    estimate.observe(0, 10, 1, 'failure')
    assert.ok(read(estimate, 10) < 106)
    assert.ok(estimate.isFailing(0) && estimate.someFailing)
    estimate.observe(0, 20, 1, 'failure')
    assert.equal(read(estimate, 20), penaltyMs)
    estimate.observe(0, 30, 1, 'success')
    assert.ok(!estimate.isFailing(0) && !estimate.someFailing)
    const [other] = estimatesOf(1) as [LatencyEstimate]
    other.observe(0, 0, 100, 'success')
    other.observe(0, 10, 1, 'overload')
    assert.equal(read(other, 10), penaltyMs)
  })

  test('failures follow their endpoint when its index changes', () => {
    const columns = createColumns([{ identity: 5 }, { identity: 6 }])
    const estimate = new LatencyEstimate(columns)
    estimate.observe(1, 0, 1, 'failure')
    Object.assign(columns, createColumns([{ identity: 6 }, { identity: 7 }]))
    estimate.rebuild()
    assert.ok(estimate.isFailing(0) && !estimate.isFailing(1))
    Object.assign(columns, createColumns([{ identity: 7 }]))
    estimate.rebuild()
    assert.ok(!estimate.someFailing)
  })
})

test('four workers that share columns balance as one, by every algorithm that looks at load', () => {
  for (const name of [
    'least-requests',
    'two-choices',
    'peak-ewma',
    'hot-cold',
    'least-time',
  ] as const) {
    const alone = meanWait(name, 1)
    const four = meanWait(name, 4)
    assert.ok(Math.abs(four / alone - 1) < 0.1, `${name}: ${alone} ${four}`)
  }
})

/** Mean requests ahead at the picked endpoint, of requests that meet the workers in turn. */
function meanWait(name: keyof typeof algorithms, writers: number): number {
  const endpoints = 10
  const columns = views(endpoints, writers)
  const balancers = columns.map((own, writer) => {
    return algorithms[name].create(own, seededRandom(writer + 1), {})
  })
  const random = seededRandom(99)
  const held: { index: number; writer: number; since: number }[] = []
  const input = inputOf()
  let waited = 0
  const requests = 10_000
  for (let request = 0; request < requests; request++) {
    const writer = request % writers
    input.now = request
    const index = (balancers[writer] as (typeof balancers)[0]).pick(input)
    const { inFlight } = columns[writer] as EndpointColumns
    for (let own = 0; own < writers; own++) waited += inFlight[index * writers + own] as number
    inFlight[index * writers + writer] = (inFlight[index * writers + writer] as number) + 1
    held.push({ index, writer, since: request })
    // Endpoint 0 is twice as slow: its requests stay twice as long.
    while (held.length > 40)
      finishOne(held, random, (end) => {
        const cell = end.index * writers + end.writer
        inFlight[cell] = (inFlight[cell] as number) - 1
        const latencyMs = (request - end.since) * (end.index === 0 ? 2 : 1)
        balancers[end.writer]?.observe?.(end.index, request, latencyMs, 'success')
      })
  }
  return waited / requests
}

interface Held {
  readonly index: number
  readonly writer: number
  readonly since: number
}

function finishOne(held: Held[], random: () => number, end: (held: Held) => void): void {
  const place = Math.floor(random() * held.length)
  const chosen = held[place] as Held
  if (chosen.index === 0 && random() < 0.5) return
  held[place] = held.at(-1) as Held
  held.pop()
  end(chosen)
}
