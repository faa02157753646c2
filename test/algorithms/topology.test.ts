import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seededRandom } from '#algorithms/random.ts'
import { hintedEndpoints } from '#algorithms/topology/hints.ts'
import {
  loadAwareShares,
  localityWeights,
  smoothUtilization,
} from '#algorithms/topology/locality.ts'
import { choosePriority, priorityLoads } from '#algorithms/topology/priority.ts'
import { chooseZone, planZones } from '#algorithms/topology/zone-aware.ts'
import { fill } from './support.ts'

describe('priority failover', () => {
  test("loads are Envoy's, in its whole-number arithmetic", () => {
    const vectors: [healthy: number[], loads: number[]][] = [
      [
        [100, 100],
        [100, 0],
      ],
      [
        [72, 100],
        [100, 0],
      ],
      [
        [71, 100],
        [99, 1],
      ],
      [
        [50, 100],
        [70, 30],
      ],
      [
        [25, 100],
        [35, 65],
      ],
      [
        [0, 100],
        [0, 100],
      ],
      [
        [25, 25],
        [50, 50],
      ],
      [
        [25, 25, 100],
        [35, 35, 30],
      ],
      [
        [25, 25, 20],
        [37, 35, 28],
      ],
    ]
    for (const [healthy, loads] of vectors) {
      const levels = healthy.map((own) => ({ total: 100, healthy: own }))
      // Panic apart: it would ask for the number of hosts where all levels are in it.
      const found = priorityLoads(levels, { panicThreshold: 0 })
      assert.deepEqual(found.healthy, loads, healthy.join())
    }
  })

  test('degraded endpoints take what the healthy cannot', () => {
    // Health of 10, 20 and 10 % and degraded 20, 10 and 0 %, with a factor of 1.
    const levels = [
      { total: 10, healthy: 1, degraded: 2 },
      { total: 10, healthy: 2, degraded: 1 },
      { total: 10, healthy: 1, degraded: 0 },
    ]
    const found = priorityLoads(levels, { overprovisioning: 1, panicThreshold: 0 })
    assert.deepEqual(found.healthy, [16, 28, 14])
    assert.deepEqual(found.degraded, [28, 14, 0])
  })

  test('a level below half of its health panics, if all levels together lack capacity', () => {
    const few = priorityLoads([{ total: 10, healthy: 4 }])
    assert.deepEqual(few.panic, [true])
    const enough = priorityLoads([{ total: 10, healthy: 8 }])
    assert.deepEqual(enough.panic, [false])
    const helped = priorityLoads([
      { total: 10, healthy: 4 },
      { total: 10, healthy: 10 },
    ])
    assert.deepEqual(helped.panic, [false, false])
    assert.deepEqual(helped.healthy, [56, 44])
  })

  test('when every level panics, endpoints count and not their health', () => {
    const found = priorityLoads([
      { total: 6, healthy: 0 },
      { total: 3, healthy: 0 },
    ])
    assert.deepEqual(found.healthy, [67, 33])
    const behindEmpty = priorityLoads([
      { total: 0, healthy: 0 },
      { total: 3, healthy: 0 },
    ])
    assert.deepEqual(behindEmpty.healthy, [0, 100])
  })

  test('without any endpoint there is no level', () => {
    for (const levels of [[], [{ total: 0, healthy: 0 }]]) {
      assert.equal(choosePriority(priorityLoads(levels), 5), undefined)
    }
  })

  test('a hash chooses a level by its load', () => {
    const loads = { healthy: [35, 15], degraded: [0, 50], panic: [false, false] }
    const counts = new Map<number | undefined, number>()
    for (let hash = 0; hash < 1000; hash++) {
      const level = choosePriority(loads, hash)
      counts.set(level, (counts.get(level) ?? 0) + 1)
    }
    assert.deepEqual(
      [...counts],
      [
        [0, 350],
        [1, 150],
        [-2, 500],
      ],
    )
    assert.equal(choosePriority(loads, 34), 0)
    assert.equal(choosePriority(loads, 35), 1)
  })
})

describe('localities', () => {
  test('a locality gives way when it has lost more than its reserve', () => {
    const [first, second] = localityWeights([
      { weight: 1, total: 2, available: 2 },
      { weight: 2, total: 2, available: 1 },
    ]) as unknown as [number, number]
    assert.ok(Math.abs((100 * first) / (first + second) - 41.7) < 0.05)
    const whole = localityWeights([{ weight: 3, total: 100, available: 72 }])
    assert.equal(whole[0], 3)
    assert.deepEqual([...localityWeights([{ weight: 3, total: 0, available: 0 }])], [0])
  })

  test('traffic stays in the zone until that is fuller than the others', () => {
    const even = loadAwareShares(
      [
        { healthy: 4, utilization: 0.5 },
        { healthy: 4, utilization: 0.45 },
      ],
      0,
    )
    assert.deepEqual([...even], [0.97, 0.03])
    const full = loadAwareShares(
      [
        { healthy: 4, utilization: 0.9 },
        { healthy: 4, utilization: 0.2 },
      ],
      0,
    )
    assert.ok(Math.abs((full[0] as number) - 0.1 / 0.9) < 1e-9)
    const allFull = loadAwareShares(
      [
        { healthy: 1, utilization: 1 },
        { healthy: 3, utilization: 1.2 },
      ],
      0,
    )
    assert.deepEqual([...allFull], [0.25, 0.75])
    const none = loadAwareShares(
      [
        { healthy: 0, utilization: 0 },
        { healthy: 0, utilization: 0 },
      ],
      0,
    )
    assert.deepEqual([...none], [0, 0])
    const alone = loadAwareShares(
      [
        { healthy: 2, utilization: 0.7 },
        { healthy: 0, utilization: 0 },
      ],
      0,
    )
    assert.deepEqual([...alone], [1, 0])
    const empty = loadAwareShares(
      [
        { healthy: 0, utilization: 0 },
        { healthy: 2, utilization: 0.5 },
      ],
      0,
    )
    assert.deepEqual([...empty], [0, 1])
  })

  test('noise of 5 % in the utilization does not make it flap', () => {
    const random = seededRandom(1)
    let own = 0.6
    let other = 0.6
    for (let second = 0; second < 1000; second++) {
      own = smoothUtilization(own, 0.6 * (0.95 + 0.1 * random()))
      other = smoothUtilization(other, 0.6 * (0.95 + 0.1 * random()))
      const shares = loadAwareShares(
        [
          { healthy: 4, utilization: own },
          { healthy: 4, utilization: other },
        ],
        0,
      )
      assert.equal(shares[0], 0.97)
    }
  })

  test('zone-aware routing keeps what fits and sends the surplus where there is room', () => {
    const plan = planZones({ balancers: [4, 4, 2], endpoints: [5, 10, 5], own: 0 })
    assert.equal(plan?.stays, 0.625)
    assert.deepEqual(plan.residual, [0, 10_000, 15_000])
    const counts = fill(3, 0)
    const random = seededRandom(3)
    for (let i = 0; i < 60_000; i++) {
      const zone = chooseZone(plan, 0, random(), random())
      counts[zone] = (counts[zone] as number) + 1
    }
    counts.forEach((own, zone) =>
      assert.ok(Math.abs(own / 60_000 - ([0.625, 0.25, 0.125][zone] as number)) < 0.008),
    )
  })

  test('all stays where the zone has its share of the endpoints', () => {
    const plan = planZones({ balancers: [1, 1], endpoints: [4, 2], own: 0 })
    assert.equal(plan?.stays, 1)
    assert.equal(chooseZone(plan, 0, 0.999, 0.5), 0)
  })

  test('every endpoint gets the same when each zone follows its plan', () => {
    const balancers = [3, 1, 2]
    const endpoints = [2, 5, 5]
    const perZone = fill(3, 0)
    balancers.forEach((count, own) => {
      const plan = planZones({ balancers, endpoints, own })
      assert.ok(plan !== undefined)
      const sent = count / 6
      const total = plan.residual.at(-1) as number
      perZone[own] = (perZone[own] as number) + sent * plan.stays
      endpoints.forEach((_, zone) => {
        const room = (plan.residual[zone] as number) - (plan.residual[zone - 1] ?? 0)
        perZone[zone] = (perZone[zone] as number) + (sent * (1 - plan.stays) * room) / total
      })
    })
    endpoints.forEach((count, zone) =>
      assert.ok(Math.abs((perZone[zone] as number) - count / 12) < 1e-4),
    )
  })

  test('zones do not count with few endpoints or none at home', () => {
    assert.equal(planZones({ balancers: [1, 1], endpoints: [3, 2], own: 0 }), undefined)
    assert.equal(planZones({ balancers: [1, 1], endpoints: [0, 9], own: 0 }), undefined)
    assert.equal(planZones({ balancers: [0, 1], endpoints: [5, 9], own: 0 }), undefined)
  })
})

const endpoint = (zones: string, nodes = '', ready = true) => ({
  ready,
  zoneHints: zones === '' ? [] : zones.split(','),
  nodeHints: nodes === '' ? [] : nodes.split(','),
})

describe('hints', () => {
  const here = { zone: 'a', node: 'n1' }
  const cases: [what: string, endpoints: ReturnType<typeof endpoint>[], kept: number[]][] = [
    ['zone hints keep the zone', [endpoint('a'), endpoint('b'), endpoint('a,b')], [1, 0, 1]],
    ['no hints keep all', [endpoint(''), endpoint('')], [1, 1]],
    ['one without a hint voids them all', [endpoint('a'), endpoint('')], [1, 1]],
    [
      'one that is not ready voids none',
      [endpoint('a'), endpoint('', '', false), endpoint('b')],
      [1, 0, 0],
    ],
    ['no hint for the zone keeps all', [endpoint('b'), endpoint('c')], [1, 1]],
    [
      'a hint on an endpoint that is not ready does not count',
      [endpoint('a', '', false), endpoint('b')],
      [1, 1],
    ],
    ['node hints go before zone hints', [endpoint('a', 'n1'), endpoint('a', 'n2')], [1, 0]],
    ['without the node the zone counts', [endpoint('a', 'n2'), endpoint('b', 'n3')], [1, 0]],
    ['a node hint that is missing voids node hints', [endpoint('a', 'n1'), endpoint('a')], [1, 1]],
  ]
  for (const [what, endpoints, kept] of cases) {
    test(what, () => assert.deepEqual([...hintedEndpoints(endpoints, here)], kept))
  }
  test('an unknown place keeps all', () => {
    const nowhere = { zone: '', node: '' }
    assert.deepEqual([...hintedEndpoints([endpoint('a'), endpoint('b')], nowhere)], [1, 1])
  })
})
