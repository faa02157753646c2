import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createColumns } from '#algorithms/balance/columns.ts'
import { WeightedDraw } from '#algorithms/balance/turns/weighted-draw.ts'
import { hashPair } from '#algorithms/hash.ts'
import { seededRandom } from '#algorithms/random.ts'
import { apertureWeights, apertureWidth } from '#algorithms/topology/aperture.ts'
import { deterministicSubset, randomSubset, rendezvousSubset } from '#algorithms/topology/subset.ts'
import { fill, inputOf } from './support.ts'

const load = (subset: (id: number) => Int32Array): number[] => {
  const counts = fill(300, 0)
  for (let id = 0; id < 300; id++)
    for (const index of subset(id)) counts[index] = (counts[index] as number) + 1
  return counts
}

describe('subsets', () => {
  test('random subsets are as uneven as published', () => {
    let least = 0
    let most = 0
    for (let run = 0; run < 20; run++) {
      const random = seededRandom(run)
      const counts = load(() => randomSubset(300, 90, random))
      least += Math.min(...counts) / 90 / 20
      most += Math.max(...counts) / 90 / 20
    }
    assert.ok(least > 0.72 && least < 0.78, `${least}`)
    assert.ok(most > 1.23 && most < 1.29, `${most}`)
  })

  test('deterministic subsets are exactly even', () => {
    assert.deepEqual(
      load((id) => deterministicSubset(300, 10, id)),
      fill(300, 10),
    )
    const uneven = load((id) => deterministicSubset(300, 70, id))
    assert.ok(Math.max(...uneven) - Math.min(...uneven) < 20)
    assert.deepEqual([...deterministicSubset(3, 10, 5)], [0, 1, 2])
  })

  test('rendezvous subsets change by at most one place for one endpoint', () => {
    const identities = Uint32Array.from({ length: 100 }, (_, i) => hashPair(1, i))
    for (let seed = 0; seed < 50; seed++) {
      const before = [...rendezvousSubset(identities, 10, seed)].map((index) => identities[index])
      const fewer = identities.filter((_, i) => i !== 17)
      const after = [...rendezvousSubset(fewer, 10, seed)].map((index) => fewer[index])
      assert.equal(after.length, 10)
      const kept = before.filter((identity) => after.includes(identity)).length
      assert.ok(kept >= 9)
      if (!before.includes(identities[17])) assert.deepEqual(after, before)
    }
  })
})

describe('aperture', () => {
  test('widths are those of Finagle', () => {
    const vectors = [
      [10, 100, 20],
      [100, 100, 12],
      [7, 20, 14.29],
      [30, 10, 10],
    ] as const
    for (const [peers, endpoints, wide] of vectors) {
      const width = apertureWidth({ peer: 0, peers, endpoints }) * endpoints
      assert.ok(Math.abs(width - wide) < 0.005, `${width}`)
    }
  })

  test('every endpoint gets exactly the same from all balancers together', () => {
    for (const [peers, endpoints] of [
      [10, 100],
      [7, 20],
      [3, 50],
      [13, 17],
      [100, 100],
      [1, 5],
    ] as const) {
      const sums = fill(endpoints, 0)
      for (let peer = 0; peer < peers; peer++) {
        const weights = apertureWeights({ peer, peers, endpoints })
        const total = weights.reduce((sum, own) => sum + own, 0)
        weights.forEach((own, i) => (sums[i] = (sums[i] as number) + own / total))
      }
      for (const sum of sums) assert.ok(Math.abs(sum - peers / endpoints) < 1e-9)
    }
  })

  test('two distinct draws favour an endpoint at the edge as much as in Finagle', () => {
    const vectors = [
      [2, 1],
      [3, 0.61],
      [4, 0.56],
      [6, 0.53],
      [10, 0.52],
    ] as const
    for (const [count, ratio] of vectors) {
      const weights = [...fill(count - 1, 1), 0.5]
      const draw = new WeightedDraw(
        createColumns(weights.map((weight) => ({ weight }))),
        seededRandom(2),
      )
      const counts = fill(count, 0)
      const input = inputOf()
      const turns = 60_000
      for (let turn = 0; turn < turns; turn++) {
        draw.some(input, 2)
        for (const index of draw.drawn.subarray(0, 2)) counts[index] = (counts[index] as number) + 1
      }
      const edge = counts[count - 1] as number
      const others = (2 * turns - edge) / (count - 1)
      assert.ok(Math.abs(edge / others - ratio) < 0.012, `${count}: ${edge / others}`)
    }
  })

  test('no endpoints, no weights', () => {
    assert.equal(apertureWeights({ peer: 0, peers: 3, endpoints: 0 }).length, 0)
  })
})
