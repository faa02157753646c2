import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gcraAdmit, gcraRate } from '#algorithms/limit/gcra.ts'
import { seededRandom } from '#algorithms/random.ts'
import { LimitMemory, admitted, refused, tooMany, uncounted } from '#src/shared/limit-memory.ts'

function refusals(memory: LimitMemory, client: string, count: number, now: number): number {
  const rate = gcraRate(0.1, 4)
  let sum = 0
  for (let i = 0; i < count; i++)
    if (memory.admit(memory.keyOf('l', client), rate, now) === refused) sum++
  return sum
}

test('a burst passes exactly, and then one request an interval', () => {
  const memory = LimitMemory.create(64, 1)
  assert.equal(refusals(memory, 'a', 10, 5000), 6)
  assert.equal(refusals(memory, 'a', 2, 14_999), 2)
  assert.equal(refusals(memory, 'a', 2, 15_000), 1)
  assert.equal(refusals(memory, 'b', 10, 15_000), 6, 'another client')
  assert.equal(refusals(memory, 'a', 10, 1e9), 6, 'after a long time')
})

test('two attached memories keep one count', () => {
  const memory = LimitMemory.create(64, 2)
  const other = LimitMemory.attach(structuredClone(memory.buffers()))
  assert.equal(refusals(memory, 'a', 3, 1000) + refusals(other, 'a', 3, 1000), 2)
})

test('the decisions are those of GCRA, at any rate and time', () => {
  const random = seededRandom(7)
  for (const [perSecond, burst] of [
    [1 / 60, 1],
    [4, 5],
    [100, 501],
    [10_000, 2],
  ] as const) {
    const memory = LimitMemory.create(64, 1)
    const rate = gcraRate(perSecond, burst)
    let arrival = 0
    let now = 1e7 * random()
    for (let i = 0; i < 2000; i++) {
      now += random() * rate.intervalMs * 1.5
      // Rounding to ticks may decide either way where the model is undecided.
      const margin = Math.abs(now - (arrival - rate.toleranceMs))
      const expected = gcraAdmit(rate, arrival, now)
      const admission = memory.admit(memory.keyOf('l', 'a'), rate, now)
      if (margin > rate.intervalMs / 8) {
        assert.equal(admission, expected < 0 ? refused : admitted, `${perSecond} at ${now}`)
      }
      if (admission !== refused) arrival = Math.max(now, arrival) + rate.intervalMs
    }
  }
})

test('a flood of clients neither grows the table nor refuses a new one', () => {
  const memory = LimitMemory.create(64, 1)
  const rate = gcraRate(1, 1)
  for (let i = 0; i < 20_000; i++) {
    assert.notEqual(memory.admit(memory.keyOf('l', `client ${i}`), rate, 1000 + i), refused)
  }
  const { tags } = memory.buffers()
  assert.equal(tags.length, 64)
})

test('requests under way are counted exactly, and given back', () => {
  const memory = LimitMemory.create(64, 2)
  const places = [0, 1, 0].map((writer) => memory.acquire(memory.keyOf('c', 'a'), 3, writer))
  assert.ok(places.every((place) => place >= 0))
  assert.equal(memory.acquire(memory.keyOf('c', 'a'), 3, 0), tooMany)
  assert.ok(memory.acquire(memory.keyOf('c', 'b'), 3, 0) >= 0)
  memory.release(places[1] as number, 1)
  assert.ok(memory.acquire(memory.keyOf('c', 'a'), 3, 1) >= 0)
})

test('a dead worker gives back what it held', () => {
  const memory = LimitMemory.create(64, 2)
  for (const writer of [0, 1]) assert.ok(memory.acquire(memory.keyOf('c', 'a'), 2, writer) >= 0)
  memory.clearWriter(1)
  assert.ok(memory.acquire(memory.keyOf('c', 'a'), 2, 0) >= 0)
  assert.equal(memory.acquire(memory.keyOf('c', 'a'), 2, 0), tooMany)
})

test('where every place is in use a further client is not counted', () => {
  const memory = LimitMemory.create(8, 1)
  const places = Array.from({ length: 9 }, (_, i) =>
    memory.acquire(memory.keyOf('c', `${i}`), 1, 0),
  )
  assert.equal(places.filter((place) => place === uncounted).length, 1)
})

test('a key that is kept is the same one for its client and limit alone', () => {
  const memory = LimitMemory.create(64, 1)
  const key = memory.keyOf('l', 'a')
  assert.equal(memory.keyOf('l', 'a', key), key)
  for (const [limit, client] of [
    ['l', 'b'],
    ['m', 'a'],
  ] as const) {
    assert.deepEqual(memory.keyOf(limit, client, key), memory.keyOf(limit, client))
    assert.notDeepEqual(memory.keyOf(limit, client, key), key)
  }
})
