import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hashPair, mixInteger } from '#algorithms/hash.ts'
import { jumpHash } from '#algorithms/hash/jump.ts'
import { Maglev, fillSlots, maglevSize } from '#algorithms/hash/maglev.ts'
import { MultiProbe } from '#algorithms/hash/multi-probe.ts'
import { membersOf } from '#algorithms/hash/placement.ts'
import type { PlacedNodes, Placement } from '#algorithms/hash/placement.ts'
import { Rendezvous } from '#algorithms/hash/rendezvous.ts'
import { Ring } from '#algorithms/hash/ring.ts'
import { fill } from './support.ts'

type Nodes = PlacedNodes & { count: number; weight: Float64Array; identity: Uint32Array }

function nodesOf(weights: readonly number[]): Nodes {
  return {
    count: weights.length,
    weight: Float64Array.from(weights),
    identity: Uint32Array.from(weights, (_, i) => hashPair(77, i)),
  }
}

const kinds: Record<string, (nodes: PlacedNodes) => Placement> = {
  maglev: (nodes) => new Maglev(nodes),
  ring: (nodes) => new Ring(nodes),
  rendezvous: (nodes) => new Rendezvous(nodes),
  'multi-probe': (nodes) => new MultiProbe(nodes),
}

function homes(placement: Placement, keys: number): Int32Array {
  return Int32Array.from({ length: keys }, (_, key) => placement.locate(mixInteger(key + 1)))
}

function counted(found: Int32Array, nodes: number): number[] {
  const counts = fill(nodes, 0)
  for (const node of found) counts[node] = (counts[node] as number) + 1
  return counts
}

for (const [name, create] of Object.entries(kinds)) {
  describe(name, () => {
    test('the order of the nodes does not matter', () => {
      const nodes = nodesOf([1, 1, 2, 1, 3])
      const reversed = {
        ...nodes,
        weight: nodes.weight.toReversed(),
        identity: nodes.identity.toReversed(),
      }
      const forward = homes(create(nodes), 2000)
      const backward = homes(create(reversed), 2000)
      forward.forEach((node, key) => assert.equal(backward[key], 4 - node))
    })

    test('signed and unsigned hashes are the same', () => {
      const placement = create(nodesOf(fill(7, 1)))
      for (let key = 0; key < 500; key++) {
        const hash = mixInteger(key)
        assert.equal(placement.locate(hash | 0), placement.locate(hash >>> 0))
      }
    })

    test('the first and the last hash have a node', () => {
      const placement = create(nodesOf(fill(3, 1)))
      for (const hash of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
        assert.ok(placement.locate(hash) >= 0 && placement.locate(hash) < 3)
      }
    })

    test('nodes without weight have no keys, and no nodes mean none', () => {
      const nodes = nodesOf([1, 0, 1])
      const placement = create(nodes)
      assert.equal(counted(homes(placement, 2000), 3)[1], 0)
      nodes.weight.fill(0)
      placement.rebuild()
      assert.equal(placement.locate(5), -1)
      nodes.weight[1] = 2
      placement.rebuild()
      assert.equal(placement.locate(5), 1)
    })

    test('two nodes of the same identity share the keys', () => {
      const nodes = nodesOf(fill(4, 1))
      nodes.identity[3] = nodes.identity[2] as number
      const [, , third, fourth] = counted(homes(create(nodes), 8000), 4)
      assert.ok((third as number) > 1000 && (fourth as number) > 1000)
    })

    test('shares follow the weights', () => {
      const weights = [1, 2, 4, 1]
      const counts = counted(homes(create(nodesOf(weights)), 80_000), 4)
      const tolerance = name === 'rendezvous' || name === 'maglev' ? 0.05 : 0.35
      counts.forEach((own, i) => {
        const exact = (80_000 * (weights[i] as number)) / 8
        assert.ok(Math.abs(own / exact - 1) < tolerance, `${own} ${exact}`)
      })
    })

    test('when a node goes, few keys move but its own, and they come back', () => {
      const nodes = nodesOf(fill(20, 1))
      const placement = create(nodes)
      const before = homes(placement, 20_000)
      nodes.weight[7] = 0
      placement.rebuild()
      const without = homes(placement, 20_000)
      const moved = before.filter((node, key) => node !== 7 && without[key] !== node).length
      // Only a table moves others at all.
      assert.ok(moved <= (name === 'maglev' ? 0.03 * 20_000 : 0), `${moved} moved`)
      assert.ok(!without.includes(7))
      nodes.weight[7] = 1
      placement.rebuild()
      assert.deepEqual(homes(placement, 20_000), before)
    })
  })
}

function slotsOf(weights: readonly number[]): Int32Array {
  const table = new Maglev(nodesOf(weights))
  return Int32Array.from({ length: maglevSize }, (_, slot) => {
    return table.locate(Math.floor(((slot + 0.5) / maglevSize) * 2 ** 32))
  })
}

describe('maglev tables', () => {
  const example = { size: 7, offset: [3, 0, 3], skip: [4, 2, 1] }

  test('the example of the paper', () => {
    const slots = fillSlots({ ...example, turnEvery: [1, 1, 1] })
    assert.deepEqual([...slots], [1, 0, 1, 0, 2, 2, 0])
    const without = fillSlots({ size: 7, offset: [3, 3], skip: [4, 1], turnEvery: [1, 1] })
    assert.deepEqual([...without], [0, 0, 0, 0, 1, 1, 1])
  })

  test('counts differ by one at most', () => {
    const counts = counted(slotsOf(fill(1000, 1)), 1000)
    assert.deepEqual(
      [...new Set(counts)].toSorted((a, b) => a - b),
      [65, 66],
    )
  })

  test('weights 1 and 2 get the counts that Envoy documents', () => {
    assert.deepEqual(counted(slotsOf([1, 2]), 2), [21_846, 43_691])
  })

  test('a node far lighter than a slot costs no time and gets a slot or none', () => {
    const weights = [1e6, ...fill(2000, 1)]
    const counts = counted(slotsOf(weights), weights.length)
    assert.ok((counts[0] as number) > 63_000)
    assert.ok(counts.slice(1).every((own) => own <= 1))
  })
})

describe('jump hash', () => {
  test('gives the known buckets', () => {
    const vectors: [bigint, number, number][] = [
      [10_863_919_174_838_991n, 11, 6],
      [2_016_238_256_797_177_309n, 11, 3],
      [1_673_758_223_894_951_030n, 11, 5],
      [2n, 100_001, 80_343],
      [2201n, 100_001, 22_152],
      [2202n, 100_001, 15_018],
    ]
    for (const [key, buckets, bucket] of vectors) {
      const high = Number(BigInt.asIntN(32, key >> 32n))
      const low = Number(BigInt.asIntN(32, key))
      assert.equal(jumpHash(high, low, buckets), bucket, `${key}`)
    }
  })

  test('agrees with 64-bit arithmetic', () => {
    for (let key = 0; key < 500; key++) {
      const high = mixInteger(key)
      const low = mixInteger(key + 1_000_000)
      const whole = (BigInt.asUintN(32, BigInt(high)) << 32n) | BigInt.asUintN(32, BigInt(low))
      for (const buckets of [1, 2, 7, 1000]) {
        assert.equal(jumpHash(high, low, buckets), plainJump(whole, buckets))
      }
    }
  })

  test('with one bucket more, a key stays or goes to the new one', () => {
    for (let key = 0; key < 3000; key++) {
      const before = jumpHash(key, mixInteger(key), 10)
      const after = jumpHash(key, mixInteger(key), 11)
      assert.ok(after === before || after === 10)
    }
  })
})

/** The same with big integers, slow and plain. */
function plainJump(key: bigint, buckets: number): number {
  let state = key
  let bucket = -1
  for (let next = 0; next < buckets;) {
    bucket = next
    state = BigInt.asUintN(64, state * 2_862_933_555_777_941_757n + 1n)
    next = Math.floor((bucket + 1) * (2 ** 31 / (Number(state >> 33n) + 1)))
  }
  return bucket
}

test('weighted rendezvous is exact to 1 % at a million keys', () => {
  const weights = [1, 2, 3, 4]
  const counts = counted(homes(new Rendezvous(nodesOf(weights)), 1_000_000), 4)
  counts.forEach((own, i) => {
    assert.ok(Math.abs(own / ((weights[i] as number) * 100_000) - 1) < 0.01)
  })
})

test('equal weights of rendezvous place keys as no weights do', () => {
  const equal = homes(new Rendezvous(nodesOf(fill(9, 2.5))), 3000)
  const almost = homes(new Rendezvous(nodesOf([...fill(8, 2.5), 2.5 + 1e-12])), 3000)
  assert.deepEqual(equal, almost)
})

test('membersOf sorts by identity and tells equal ones apart', () => {
  const { index, identity } = membersOf({
    count: 4,
    weight: Float64Array.of(1, 1, 0, 1),
    identity: Uint32Array.of(9, 3, 1, 9),
  })
  assert.deepEqual([...index], [1, 0, 3])
  assert.equal(new Set(identity).size, 3)
})
