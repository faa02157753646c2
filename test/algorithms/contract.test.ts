import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Algorithm, Balancer, EndpointColumns } from '#algorithms/balance/balancer.ts'
import { createColumns, createPickInput } from '#algorithms/balance/columns.ts'
import { algorithmName, algorithms, aliases } from '#algorithms/balance/index.ts'
import { mixInteger } from '#algorithms/hash.ts'
import { seededRandom } from '#algorithms/random.ts'

// The contract that every balancer keeps. A new algorithm is under test the moment it is registered.
for (const [name, algorithm] of Object.entries(algorithms)) {
  describe(name, () => {
    test('picks nothing where there is nothing', () => {
      assert.equal(picker(algorithm, []).pick(), -1)
      assert.equal(picker(algorithm, [{ usable: false }]).pick(), -1)
      assert.equal(picker(algorithm, [{ weight: 0 }, { weight: 0 }]).pick(), -1)
      assert.equal(picker(algorithm, [{ usable: false }, { weight: 0 }]).pick(), -1)
    })

    test('always picks the only one', () => {
      const { pick } = picker(algorithm, [{}])
      for (let turn = 0; turn < 50; turn++) assert.equal(pick(turn), 0)
    })

    test('uses both of two', () => {
      const { pick } = picker(algorithm, [{}, {}])
      assert.equal(new Set(Array.from({ length: 200 }, (_, turn) => pick(turn))).size, 2)
    })

    test('picks only what is usable, has a weight and was not tried, where there is such', () => {
      fc.assert(
        fc.property(
          fc.array(fc.record({ usable: fc.boolean(), weight: weights, inFlight: loads }), {
            maxLength: 12,
          }),
          fc.array(fc.nat(11), { maxLength: 6 }),
          fc.integer({ min: 1 }),
          (endpoints, tried, seed) => {
            const { columns, pick } = picker(algorithm, endpoints, seed)
            endpoints.forEach(({ inFlight }, i) => (columns.inFlight[i] = inFlight))
            for (let turn = 0; turn < 5; turn++) {
              const index = pick(seed + turn, tried)
              const open = indicesOf(columns)
              const fresh = open.filter((i) => !tried.includes(i))
              if (open.length === 0) assert.equal(index, -1)
              else assert.ok((fresh.length > 0 ? fresh : open).includes(index))
            }
          },
        ),
        { numRuns: 60, seed: 1 },
      )
    })

    test('follows `usable` from pick to pick without a rebuild', () => {
      const random = seededRandom(9)
      const { columns, pick } = picker(algorithm, [{}, { weight: 3 }, {}, {}, {}])
      for (let turn = 0; turn < 300; turn++) {
        columns.usable[Math.floor(random() * 5)] = random() < 0.5 ? 1 : 0
        const open = indicesOf(columns)
        const index = pick(turn)
        assert.ok(open.length === 0 ? index === -1 : open.includes(index), `turn ${turn}`)
      }
    })

    test('goes on when the set changes between picks', () => {
      const random = seededRandom(4)
      const { columns, balancer, pick } = picker(algorithm, [{}, {}, {}])
      for (let turn = 0; turn < 60; turn++) {
        changeSet(columns, Math.floor(random() * 7), random)
        balancer.rebuild()
        for (let again = 0; again < 5; again++) {
          const index = pick(turn * 5 + again)
          const open = indicesOf(columns)
          assert.ok(open.length === 0 ? index === -1 : open.includes(index), `turn ${turn}`)
        }
      }
    })

    test('replays from its seed', () => {
      assert.deepEqual(replay(algorithm, 42), replay(algorithm, 42))
    })

    test('has a summary for the reference page', () => {
      assert.match(algorithm.summary, /^[A-Z].*\.$/)
    })
  })
}

test('names are kebab-case, and aliases name algorithms and hide none', () => {
  for (const name of Object.keys(algorithms)) assert.match(name, /^[a-z]+(-[a-z]+)*$/)
  for (const [alias, name] of Object.entries(aliases)) {
    assert.ok(Object.hasOwn(algorithms, name))
    assert.ok(!Object.hasOwn(algorithms, alias))
    assert.equal(algorithmName(alias), name)
  }
  assert.equal(algorithmName('peak-ewma'), 'peak-ewma')
  assert.equal(algorithmName('constructor'), undefined)
  assert.equal(algorithmName('no-such'), undefined)
})

const weights = fc.constantFrom(0, 0.5, 1, 1, 2, 10)
const loads = fc.nat(20)

interface Endpoint {
  readonly usable?: boolean
  readonly weight?: number
}

function picker(algorithm: Algorithm, endpoints: readonly Endpoint[], seed = 1) {
  const columns = createColumns(
    endpoints.map(({ weight = 1 }, i) => ({ weight, identity: mixInteger(i + 1) })),
  )
  endpoints.forEach(({ usable = true }, i) => (columns.usable[i] = usable ? 1 : 0))
  const balancer: Balancer = algorithm.create(columns, seededRandom(seed), {})
  const input = createPickInput()
  const pick = (key = 1, tried: readonly number[] = []): number => {
    input.key = mixInteger(key)
    input.now += 7
    input.tried.set(tried)
    input.triedCount = tried.length
    return balancer.pick(input)
  }
  return { columns, balancer, pick }
}

function indicesOf({ count, usable, weight }: EndpointColumns): number[] {
  const all = Array.from({ length: count }, (_, i) => i)
  return all.filter((i) => usable[i] === 1 && (weight[i] as number) > 0)
}

/** New arrays in the same object, as a table change makes them. */
function changeSet(columns: EndpointColumns, count: number, random: () => number): void {
  const fresh = createColumns(
    Array.from({ length: count }, () => ({
      weight: Math.floor(random() * 3),
      identity: Math.floor(random() * 8) + 1,
    })),
  )
  for (let i = 0; i < count; i++) fresh.usable[i] = random() < 0.8 ? 1 : 0
  Object.assign(columns, fresh)
}

/** Picks, load and answers of a few hundred requests. */
function replay(algorithm: Algorithm, seed: number): number[] {
  const { columns, balancer, pick } = picker(algorithm, [{}, { weight: 2 }, {}, {}, {}], seed)
  return Array.from({ length: 300 }, (_, turn) => {
    const index = pick(turn)
    columns.inFlight[index] = ((columns.inFlight[index] as number) + 1) % 5
    balancer.observe?.(index, turn * 7, 5 + ((turn * index) % 11), 'success')
    return index
  })
}
