import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createColumns, createPickInput } from '#algorithms/balance/columns.ts'
import { algorithms } from '#algorithms/balance/index.ts'
import { SmoothWeighted } from '#algorithms/balance/turns/smooth-weighted.ts'
import { WeightedDraw } from '#algorithms/balance/turns/weighted-draw.ts'
import { seededRandom } from '#algorithms/random.ts'
import { chiSquare, fill, inputOf, pick, sequence, shares } from './support.ts'

const first = (): number => 0

function weightsOf(...weights: number[]) {
  return createColumns(weights.map((weight) => ({ weight })))
}

describe('round-robin', () => {
  const algorithm = algorithms['round-robin']

  test('n picks in a row meet every endpoint once, wherever they begin', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const balancer = algorithm.create(weightsOf(1, 1, 1, 1, 1), seededRandom(seed), {})
      const picks = sequence(balancer, 23)
      for (let start = 0; start + 5 <= picks.length; start++) {
        assert.equal(new Set(picks.slice(start, start + 5)).size, 5)
      }
    }
  })

  test('begins anywhere', () => {
    const counts = fill(8, 0)
    for (let seed = 0; seed < 1000; seed++) {
      const index = pick(algorithm.create(createColumns(fill(8, {})), seededRandom(seed * 77), {}))
      counts[index] = (counts[index] as number) + 1
    }
    // 99.9 % of chi-square with 7 degrees of freedom.
    assert.ok(chiSquare(counts, fill(8, 125)) < 24.3)
  })

  test('an unusable endpoint does not double the load of its neighbour', () => {
    const columns = createColumns(fill(6, {}))
    columns.usable[2] = 0
    columns.usable[3] = 0
    const balancer = algorithm.create(columns, seededRandom(1), {})
    const counts = shares(balancer, columns, 4000)
    assert.deepEqual(counts, [0.25, 0.25, 0, 0, 0.25, 0.25])
  })

  test('an endpoint that comes back is met again within a round', () => {
    const columns = createColumns(fill(5, {}))
    const balancer = algorithm.create(columns, first, {})
    columns.usable[1] = 0
    sequence(balancer, 9)
    columns.usable[1] = 1
    assert.ok(sequence(balancer, 10).includes('b'))
    assert.equal(new Set(sequence(balancer, 5)).size, 5)
  })

  test('a retry takes another endpoint and costs the tried one no turn', () => {
    const balancer = algorithm.create(createColumns(fill(3, {})), first, {})
    assert.equal(pick(balancer, { tried: [0] }), 1)
    assert.equal(pick(balancer), 0)
    assert.equal(pick(balancer), 2)
  })

  test('while slow start is on, new endpoints get less and old ones the same', () => {
    const columns = weightsOf(1, 7, 1)
    columns.since.set([0, 0, 100_000])
    const balancer = algorithm.create(columns, seededRandom(1), { slowStartMs: 60_000 })
    const [a, b, c] = shares(balancer, columns, 21_000, { now: 106_000 }) as [
      number,
      number,
      number,
    ]
    assert.ok(Math.abs(a - 1 / 2.1) < 0.001 && Math.abs(b - 1 / 2.1) < 0.001)
    assert.ok(Math.abs(c - 0.1 / 2.1) < 0.001)
  })
})

describe('weighted (static stride)', () => {
  const algorithm = algorithms.weighted

  test('gives the sequence of gRPC for 5, 1, 1', () => {
    assert.equal(
      sequence(algorithm.create(weightsOf(5, 1, 1), first, {}), 21),
      'acaabaaacaabaaacaabaa',
    )
  })

  test('equal weights take turns', () => {
    assert.equal(sequence(algorithm.create(weightsOf(2, 2, 2), first, {}), 9), 'abcabcabc')
  })

  test('shares are exact to one step of the heaviest, from any start', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        (weights, seed) => {
          const columns = weightsOf(...weights)
          const balancer = algorithm.create(columns, seededRandom(seed), {})
          const sum = weights.reduce((all, own) => all + own, 0)
          const picks = sum * 200
          shares(balancer, columns, picks).forEach((share, i) => {
            const exact = (weights[i] as number) / sum
            assert.ok(Math.abs(share - exact) <= 2 / picks + 4 / 65_535, `${share} ${exact}`)
          })
        },
      ),
      { numRuns: 50, seed: 5 },
    )
  })

  test('the light ones keep their proportions while the heavy one is out', () => {
    const columns = weightsOf(60_000, 1, 2)
    columns.usable[0] = 0
    const balancer = algorithm.create(columns, seededRandom(3), {})
    const [a, b, c] = shares(balancer, columns, 30_000) as [number, number, number]
    assert.equal(a, 0)
    assert.ok(Math.abs(b - 1 / 3) < 0.01 && Math.abs(c - 2 / 3) < 0.01)
  })

  test('a change of weights does not begin the sequence anew', () => {
    const columns = weightsOf(1, 1, 1, 1)
    const balancer = algorithm.create(columns, first, {})
    const before = sequence(balancer, 6)
    balancer.rebuild()
    assert.equal(before + sequence(balancer, 6), 'abcdabcdabcd')
  })
})

describe('smooth-weighted', () => {
  test("goes through nginx's states for 5, 1, 1", () => {
    const columns = weightsOf(5, 1, 1)
    const balancer = new SmoothWeighted(columns, first)
    // Before and after each pick; before is after, plus the weights.
    const states = [
      [5, 1, 1],
      [-2, 1, 1],
      [3, 2, 2],
      [-4, 2, 2],
      [1, 3, 3],
      [1, -4, 3],
      [6, -3, 4],
      [-1, -3, 4],
      [4, -2, 5],
      [4, -2, -2],
      [9, -1, -1],
      [2, -1, -1],
      [7, 0, 0],
      [0, 0, 0],
    ]
    let picks = ''
    for (let turn = 0; turn < 7; turn++) {
      const before = balancer.state.map((own, i) => own + (columns.weight[i] as number))
      assert.deepEqual([...before], states[2 * turn])
      picks += sequence(balancer, 1)
      assert.deepEqual([...balancer.state], states[2 * turn + 1])
    }
    assert.equal(picks, 'aabacaa')
  })

  test('gives the known sequences', () => {
    const cases: [number[], string][] = [
      [[3, 2, 1], 'abacba'],
      [[3, 1], 'aaba'],
      [[1, 1, 1], 'abc'],
    ]
    for (const [weights, expected] of cases) {
      const balancer = new SmoothWeighted(weightsOf(...weights), first)
      assert.equal(sequence(balancer, expected.length * 2), expected + expected)
    }
  })

  test('a failure takes an endpoint out, and each pick gives a unit back', () => {
    const balancer = new SmoothWeighted(weightsOf(3, 1), first)
    balancer.observe(0, 0, 5, 'failure')
    assert.equal(sequence(balancer, 1), 'b')
    // Effective weights are now 1, 2, 3 and then whole again.
    const counts = sequence(balancer, 400).match(/a/g)?.length ?? 0
    assert.ok(Math.abs(counts / 400 - 0.75) < 0.01)
  })

  test('begins anywhere, with exact shares', () => {
    const starts = new Set<string>()
    for (let seed = 1; seed <= 60; seed++) {
      const columns = weightsOf(5, 1, 1)
      const balancer = new SmoothWeighted(columns, seededRandom(seed))
      starts.add(sequence(balancer, 7))
      assert.ok(Math.abs((shares(balancer, columns, 7000)[1] as number) - 1 / 7) < 0.001)
    }
    assert.ok(starts.size > 3)
  })
})

describe('random', () => {
  test('shares follow the weights', () => {
    const columns = weightsOf(1, 2, 3, 0, 4)
    const balancer = algorithms.random.create(columns, seededRandom(8), {})
    const counts = shares(balancer, columns, 100_000).map((share) => share * 100_000)
    assert.equal(counts[3], 0)
    const drawn = counts.filter((_, i) => i !== 3)
    // 99.9 % of chi-square with 3 degrees of freedom.
    assert.ok(chiSquare(drawn, [10_000, 20_000, 30_000, 40_000]) < 16.3)
  })

  test('shares among what is usable follow the weights, also where nearly nothing is', () => {
    const columns = createColumns(Array.from({ length: 50 }, (_, i) => ({ weight: 1 + (i % 2) })))
    columns.usable.fill(0)
    columns.usable[10] = 1
    columns.usable[11] = 1
    const balancer = algorithms.random.create(columns, seededRandom(8), {})
    const counts = shares(balancer, columns, 30_000)
    assert.ok(Math.abs((counts[10] as number) - 1 / 3) < 0.01)
    assert.ok(Math.abs((counts[11] as number) - 2 / 3) < 0.01)
  })
})

describe('weighted draw', () => {
  test('several draws are distinct, as many as there are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 1, 1, 5), { maxLength: 9 }),
        fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (weights, usable, wanted) => {
          const columns = weightsOf(...weights)
          weights.forEach((_, i) => (columns.usable[i] = usable[i] === true ? 1 : 0))
          const draw = new WeightedDraw(columns, seededRandom(2))
          const found = draw.some(createPickInput(), wanted)
          const open = weights.filter((weight, i) => weight > 0 && usable[i] === true).length
          assert.equal(found, Math.min(wanted, open))
          assert.equal(new Set(draw.drawn.subarray(0, found)).size, found)
        },
      ),
      { seed: 11 },
    )
  })

  test('pairs are all equally likely', () => {
    const draw = new WeightedDraw(createColumns(fill(5, {})), seededRandom(4))
    const counts = new Map<string, number>()
    const input = inputOf()
    for (let turn = 0; turn < 40_000; turn++) {
      draw.some(input, 2)
      const pair = [...draw.drawn.subarray(0, 2)].join()
      counts.set(pair, (counts.get(pair) ?? 0) + 1)
    }
    assert.equal(counts.size, 20)
    // 99.9 % of chi-square with 19 degrees of freedom.
    assert.ok(chiSquare([...counts.values()], fill(20, 2000)) < 43.8)
  })
})
