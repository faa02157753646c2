// Faults found in other products, each shown to be absent here: where it is a rule, that is written
// out beside ours and both meet the same input.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Outcome } from '#algorithms/balance/balancer.ts'
import { createColumns } from '#algorithms/balance/columns.ts'
import { algorithms } from '#algorithms/balance/index.ts'
import type { AlgorithmName } from '#algorithms/balance/index.ts'
import { medianRule } from '#algorithms/health/median-rule.ts'
import { OutlierDetector } from '#algorithms/health/outlier-detector.ts'
import { successRateRule } from '#algorithms/health/outlier-rules.ts'
import type { Random } from '#algorithms/random.ts'
import { seededRandom } from '#algorithms/random.ts'
import { runSlowServer } from '../../bench/simulate/slow-server.ts'
import { meanTime } from '../../bench/simulate/supermarket.ts'
import { fill, inputOf, pick, sequence } from './support.ts'

/** It keeps the first of a list of candidates when a better one appears, and tosses a coin. */
function caddyChoice(loads: readonly number[], random: Random): number {
  const [a, b] = twoDistinct(loads.length, random)
  return random() < 0.5 ? a : b
}

describe('Caddy: of two choices the better one is picked, not either', () => {
  test('for loads 5 and 3', () => {
    const random = seededRandom(1)
    const columns = createColumns([{}, {}])
    columns.inFlight.set([5, 3])
    const ours = algorithms['two-choices'].create(columns, random, {})
    const theirs = fill(1000, 0).map(() => caddyChoice([5, 3], random))
    assert.ok(theirs.filter((index) => index === 0).length > 400)
    assert.equal(sequence(ours, 1000), 'b'.repeat(1000))
  })

  test('so at load 0.9 the mean time is 2.69 service times, not 10', () => {
    const options = {}
    const events = 1_500_000
    const ours = meanTime({ algorithm: 'two-choices', options, servers: 100, load: 0.9, events })
    assert.ok(Math.abs(ours - 2.66) < 0.12, `${ours}`)
  })
})

test('Envoy: two choices are distinct, so that small sets wait no longer than they must', () => {
  // With replacement, two of three draw the same endpoint in a third of the picks.
  const columns = createColumns([{}, {}, {}])
  columns.inFlight.set([9, 1, 1])
  const random = seededRandom(2)
  const withReplacement = fill(3000, 0).map(() => {
    const a = Math.floor(random() * 3)
    const b = Math.floor(random() * 3)
    return (columns.inFlight[a] as number) <= (columns.inFlight[b] as number) ? a : b
  })
  assert.ok(withReplacement.includes(0))
  const ours = algorithms['two-choices'].create(columns, seededRandom(2), {})
  assert.ok(!sequence(ours, 3000).includes('a'))
  // Simulated figures: 4.27 distinct, 4.62 with replacement.
  const mean = meanTime({
    algorithm: 'two-choices',
    options: {},
    servers: 3,
    load: 0.9,
    events: 3_000_000,
  })
  assert.ok(Math.abs(mean - 4.27) < 0.2, `${mean}`)
})

test('Envoy and Traefik: weights 5, 1, 1 give no burst of four', () => {
  for (const name of ['weighted', 'smooth-weighted'] as const) {
    const columns = createColumns([{ weight: 5 }, { weight: 1 }, { weight: 1 }])
    const picks = sequence(
      algorithms[name].create(columns, () => 0, {}),
      700,
    )
    assert.ok(longestRun(picks) <= 4 - (name === 'smooth-weighted' ? 0 : 1), picks.slice(0, 21))
    for (let start = 0; start + 7 <= picks.length; start++) {
      assert.equal(picks.slice(start, start + 7).match(/a/g)?.length, 5)
    }
  }
  const theirs = earliestDeadlineFirst([5, 1, 1], 700)
  assert.equal(theirs.slice(0, 21), 'aaaabcaaaaaabcaaaabca')
  assert.equal(longestRun(theirs), 6)
})

describe('Envoy: outliers do not mask each other, and a small set has its one ejection', () => {
  test('two of five, three of ten and five of twenty are found', () => {
    for (const [bad, count] of [
      [2, 5],
      [3, 10],
      [5, 20],
    ] as const) {
      const requests = fill(count, 100)
      const failures = requests.map((_, i) => (i < bad ? 100 : 0))
      const window = { count, requests, failures }
      assert.equal(sum(successRateRule()(window)), 0)
      assert.equal(sum(medianRule()(window)), bad)
    }
  })

  test('in sets of fewer than ten one endpoint may go', () => {
    for (const count of [2, 5, 9]) {
      const envoy = new OutlierDetector(count, { ejectAtLeastOne: false })
      const ours = new OutlierDetector(count)
      for (let i = 0; i < 5; i++) {
        envoy.record(0, 0, false)
        ours.record(0, 0, false)
      }
      assert.deepEqual([envoy.ejectedCount, ours.ejectedCount], [0, 1])
    }
  })
})

describe('"Peak EWMA" that is not', () => {
  test('one slow answer is enough to stay away', () => {
    const columns = createColumns([{}, {}])
    columns.latency.fill(167)
    const ours = algorithms['peak-ewma'].create(columns, seededRandom(1), {})
    ours.observe?.(0, 100, 2000, 'success')
    // A plain average with the same time constant would be at 185 ms still.
    assert.ok((columns.latency[0] as number) === 2000)
    assert.equal(sequence(ours, 20), 'b'.repeat(20))
  })

  test('requests in flight count before the first answer comes', () => {
    const columns = createColumns([{}, {}])
    columns.latency.set([100, 120])
    const ours = algorithms['peak-ewma'].create(columns, seededRandom(1), {})
    const picks = fill(100, 0).map(() => {
      const index = pick(ours)
      columns.inFlight[index] = (columns.inFlight[index] as number) + 1
      return index
    })
    // Without the term all hundred would go to the first.
    assert.ok(picks.filter((index) => index === 0).length < 60)
  })

  test("in Linkerd's scenario it beats two choices by requests in flight", () => {
    const peak = runSlowServer('peak-ewma').successPercent
    const least = runSlowServer('two-choices').successPercent
    assert.ok(peak >= 99.85 && least >= 99.3 && peak > least, `${peak} ${least}`)
    assert.ok(Math.abs(runSlowServer('round-robin').successPercent - 95.4545) < 0.1)
  })
})

const learning: readonly AlgorithmName[] = ['peak-ewma', 'hot-cold', 'least-time', 'prequal']

for (const name of learning) {
  describe(`Traefik: ${name}`, () => {
    test('does not flood an endpoint that has no sample yet', () => {
      const { counts } = trafficOf(name, { endpoints: 5, fresh: true })
      assert.ok((counts[0] as number) < 0.3, `${counts[0]}`)
      assert.ok((counts[0] as number) > 0.02, `${counts[0]}`)
    })

    test('is not drawn to fast refusals', () => {
      const { counts } = trafficOf(name, { endpoints: 5, fails: 'overload' })
      // Less than half of its part, within a second of the first refusal.
      assert.ok((counts[0] as number) < 1 / 10, `${counts[0]}`)
    })

    test('is not drawn to fast errors', () => {
      const { counts } = trafficOf(name, { endpoints: 5, fails: 'failure' })
      assert.ok((counts[0] as number) < 1 / 10, `${counts[0]}`)
    })
  })
}

interface Traffic {
  readonly endpoints: number
  /** Endpoint 0 has no history, and is as fast as the others. */
  readonly fresh?: boolean
  /** How endpoint 0 fails, after a millisecond. */
  readonly fails?: Outcome
}

interface Pending {
  readonly at: number
  readonly index: number
  readonly outcome: Outcome
  readonly latencyMs: number
}

/** Shares of 300 requests a second over two seconds, where each takes 100 ms. */
function trafficOf(name: AlgorithmName, { endpoints, fresh = false, fails }: Traffic) {
  const columns = createColumns(fill(endpoints, {}))
  columns.latency.fill(100)
  if (fresh) columns.latency[0] = 0
  columns.updated.fill(1000)
  const balancer = algorithms[name].create(columns, seededRandom(3), {})
  const input = inputOf({ now: 1000 })
  let pending: Pending[] = []
  const counts = fill(endpoints, 0)
  const total = 600
  // The first second is for learning what is fast; what is new counts from the start.
  const first = fresh ? 0 : total / 2
  for (let request = 0; request < total; request++) {
    input.now += 1000 / 300
    const done = pending.filter(({ at }) => at <= input.now).toSorted((a, b) => a.at - b.at)
    pending = pending.filter(({ at }) => at > input.now)
    for (const { at, index, outcome, latencyMs } of done) {
      columns.inFlight[index] = (columns.inFlight[index] as number) - 1
      balancer.observe?.(index, at, latencyMs, outcome)
    }
    const index = balancer.pick(input)
    columns.inFlight[index] = (columns.inFlight[index] as number) + 1
    const outcome = index === 0 && fails !== undefined ? fails : 'success'
    const latencyMs = outcome === 'success' ? 100 : 1
    pending.push({ at: input.now + latencyMs, index, latencyMs, outcome })
    if (request >= first) counts[index] = (counts[index] as number) + 1
  }
  return { counts: counts.map((own) => own / (total - first)) }
}

function twoDistinct(count: number, random: Random): [number, number] {
  const a = Math.floor(random() * count)
  const b = Math.floor(random() * (count - 1))
  return [a, b < a ? b : b + 1]
}

/** The scheduler of Envoy and Traefik: the earliest deadline is picked, the first added of equals. */
function earliestDeadlineFirst(weights: readonly number[], picks: number): string {
  let order = 0
  const queue = weights.map((weight, index) => ({ at: 1 / weight, order: order++, index }))
  let text = ''
  for (let turn = 0; turn < picks; turn++) {
    queue.sort((a, b) => a.at - b.at || a.order - b.order)
    const next = queue[0] as (typeof queue)[0]
    text += 'abc'.charAt(next.index)
    next.at += 1 / (weights[next.index] as number)
    next.order = order++
  }
  return text
}

function longestRun(picks: string): number {
  return Math.max(...(picks.match(/(.)\1*/g) ?? ['']).map((run) => run.length))
}

function sum(values: Uint8Array): number {
  return values.reduce((all, own) => all + own, 0)
}
