import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Balancer, EndpointColumns } from '#algorithms/balance/balancer.ts'
import { createColumns } from '#algorithms/balance/columns.ts'
import { algorithms } from '#algorithms/balance/index.ts'
import { sessionKeyMax } from '#algorithms/balance/keyed/sticky-balanced.ts'
import { hashPair } from '#algorithms/hash.ts'
import { seededRandom } from '#algorithms/random.ts'
import { inputOf, pick } from './support.ts'

function shop(count: number, seed = 1): { columns: EndpointColumns; balancer: Balancer } {
  const columns = createColumns(
    Array.from({ length: count }, (_, i) => ({ identity: hashPair(3, i) >>> 0 })),
  )
  const balancer = algorithms['sticky-balanced'].create(columns, seededRandom(seed), {})
  return { columns, balancer }
}

/** A new session: its key, and its endpoint. */
function begin(balancer: Balancer): { key: number; index: number } {
  const input = inputOf()
  const index = balancer.pick(input)
  return { key: input.session, index }
}

function sessionsOf(balancer: Balancer, count: number): { key: number; index: number }[] {
  return Array.from({ length: count }, () => begin(balancer))
}

describe('sticky-balanced', () => {
  test('a session is found again, by every replica', () => {
    const { balancer } = shop(7)
    const replica = shop(7, 99).balancer
    for (const { key, index } of sessionsOf(balancer, 500)) {
      assert.ok(key >= 1 && key <= sessionKeyMax)
      const input = inputOf({ key })
      assert.equal(balancer.pick(input), index)
      assert.equal(input.session, key)
      assert.equal(pick(replica, { key }), index)
    }
  })

  for (const [before, after] of [
    [1, 2],
    [4, 5],
    [9, 10],
    [10, 15],
  ] as const) {
    test(`from ${before} to ${after} endpoints the new ones take their share, and nobody else moves`, () => {
      const sessions = sessionsOf(shop(before).balancer, 20_000)
      const { balancer } = shop(after)
      let moved = 0
      for (const { key, index } of sessions) {
        const now = pick(balancer, { key })
        if (now === index) continue
        assert.ok(now >= before, 'only to a new endpoint')
        moved++
      }
      const share = moved / sessions.length
      const expected = (after - before) / after
      assert.ok(Math.abs(share - expected) < 0.1 * expected, `${share} for ${expected}`)
    })
  }

  test('exactly the sessions of a lost endpoint move', () => {
    const { columns, balancer } = shop(8)
    const sessions = sessionsOf(balancer, 4000)
    columns.weight[3] = 0
    balancer.rebuild()
    for (const { key, index } of sessions) {
      const now = pick(balancer, { key })
      if (index === 3) assert.notEqual(now, 3)
      else assert.equal(now, index)
    }
  })

  test('a session whose endpoint is out has one other meanwhile, under a key of its own, and comes back', () => {
    const { columns, balancer } = shop(5)
    const sessions = sessionsOf(balancer, 400).filter(({ index }) => index === 2)
    assert.ok(sessions.length > 20)
    columns.usable[2] = 0
    const places = new Set<number>()
    for (const { key } of sessions) {
      const input = inputOf({ key })
      const now = balancer.pick(input)
      places.add(now)
      assert.equal(pick(balancer, { key }), now)
      assert.notEqual(input.session, key)
      assert.equal(pick(balancer, { key: input.session }), now)
    }
    assert.deepEqual(
      [...places].toSorted((a, b) => a - b),
      [0, 1, 3, 4],
    )
    columns.usable[2] = 1
    for (const { key } of sessions) assert.equal(pick(balancer, { key }), 2)
  })

  test('a retry leaves the endpoint of the session', () => {
    const { balancer } = shop(3)
    for (const { key, index } of sessionsOf(balancer, 100)) {
      const other = pick(balancer, { key, tried: [index] })
      assert.notEqual(other, index)
      assert.ok(![index, other].includes(pick(balancer, { key, tried: [index, other] })))
    }
  })

  test('a draining endpoint keeps its sessions and gets no new ones', () => {
    const { columns, balancer } = shop(3)
    const { key = 0 } = sessionsOf(balancer, 50).find(({ index }) => index === 1) ?? {}
    columns.usable[1] = 0
    columns.draining = Uint8Array.of(0, 1, 0)
    assert.equal(pick(balancer, { key }), 1)
    for (const { index } of sessionsOf(balancer, 100)) assert.notEqual(index, 1)
  })

  test('new sessions go to the less busy endpoints', () => {
    const { columns, balancer } = shop(4)
    columns.inFlight[0] = 50
    const sessions = sessionsOf(balancer, 4000)
    const atBusy = sessions.filter(({ index }) => index === 0).length
    // Both keys must have their place there: one in sixteen, and not one in four.
    assert.ok(atBusy > 100 && atBusy < 500, String(atBusy))
  })

  test('where hardly any endpoint is well the pick still finds it, without a key if need be', () => {
    const { columns, balancer } = shop(400)
    columns.usable.fill(0)
    columns.usable[123] = 1
    for (let key = 0; key < 50; key++) {
      const input = inputOf({ key })
      assert.equal(balancer.pick(input), 123)
      assert.ok(input.session === 0 || pick(balancer, { key: input.session }) === 123)
    }
  })
})
