import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import { RuleMemory } from '#src/shared/rule-memory.ts'
import { EndpointSlots, RuleSlots } from '#src/shared/slots.ts'

const writers = 3
const all = [0, 1, 2]

function endpointSlots(capacity = 4) {
  const memory = EndpointMemory.create(capacity, writers)
  const freed: string[] = []
  return { memory, freed, slots: new EndpointSlots(memory, writers, (_, key) => freed.push(key)) }
}

test('an endpoint keeps its slot while the table names it', () => {
  const { slots } = endpointSlots()
  assert.equal(slots.admit('a'), 1)
  assert.equal(slots.admit('b'), 2)
  assert.equal(slots.admit('a'), 1)
  assert.equal(slots.keyOf(1), 'a')
})

test('a slot is given again only when every worker has let go of it', () => {
  const { slots, memory, freed } = endpointSlots()
  const slot = slots.admit('a')
  memory.inFlight[slot * writers + 1] = 1
  memory.ejectedUntil[slot] = 99
  slots.retire('a', all)
  slots.release(slot, 0)
  slots.release(slot, 2)
  assert.equal(slots.admit('b'), 2, 'worker 1 still holds the slot')
  memory.inFlight[slot * writers + 1] = 0
  slots.release(slot, 1)
  assert.deepEqual(freed, ['a'])
  const generation = memory.generation[slot] as number
  assert.equal(slots.admit('c'), slot)
  assert.equal(memory.generation[slot], generation + 1)
  assert.equal(memory.ejectedUntil[slot], 0, 'nothing is inherited')
})

test('an endpoint that comes back while it is held keeps its slot and history', () => {
  const { slots, memory } = endpointSlots()
  const slot = slots.admit('a')
  memory.requests[slot * writers] = 7
  slots.retire('a', all)
  slots.release(slot, 0)
  assert.equal(slots.admit('a'), slot)
  assert.equal(memory.requests[slot * writers], 7)
  slots.release(slot, 1)
  slots.release(slot, 2)
  assert.equal(slots.keyOf(slot), 'a')
})

test('reports of an earlier stay do not count for a later one', () => {
  const { slots } = endpointSlots()
  const slot = slots.admit('a')
  slots.retire('a', all)
  slots.admit('a')
  slots.retire('a', all)
  for (const writer of all) slots.release(slot, writer)
  assert.equal(slots.keyOf(slot), 'a', 'each worker owes one more report')
  for (const writer of all) slots.release(slot, writer)
  assert.equal(slots.keyOf(slot), undefined)
})

test('a dead worker holds nothing', () => {
  const { slots } = endpointSlots()
  const slot = slots.admit('a')
  slots.retire('a', [0, 1])
  slots.release(slot, 0)
  slots.dropWriter(1)
  assert.equal(slots.keyOf(slot), undefined)
})

test('a full memory shares slot 0, which is never freed or given', () => {
  const { slots, freed } = endpointSlots(2)
  assert.equal(slots.admit('a'), 1)
  assert.equal(slots.admit('b'), 0)
  assert.equal(slots.overflowed, 1)
  slots.retire('b', all)
  assert.equal(slots.overflowed, 0)
  slots.release(0, 0)
  assert.deepEqual(freed, [])
  slots.retire('a', [])
  assert.equal(slots.admit('b'), 1, 'there is room now')
})

test('a rule slot is free when every worker runs a table without the rule', () => {
  const memory = RuleMemory.create(3, writers)
  const slots = new RuleSlots(memory)
  assert.equal(slots.admit('x'), 1)
  slots.retire('x', 5)
  slots.settle(4)
  assert.equal(slots.admit('y'), 2)
  assert.equal(slots.admit('z'), 0)
  slots.settle(5)
  assert.equal(slots.admit('z'), 1)
})

test('a rule that left, came back and left is free only after the last time', () => {
  const slots = new RuleSlots(RuleMemory.create(3, writers))
  slots.admit('x')
  slots.retire('x', 5)
  slots.admit('x')
  slots.retire('x', 7)
  slots.settle(5)
  assert.equal(slots.keyOf(1), 'x')
  slots.settle(7)
  assert.equal(slots.keyOf(1), undefined)
})

/**
 * A model: workers hold slots of what they saw in the table until they report. No slot may have two
 * holders with different keys at any time, whatever the order of reports.
 */
test('no slot ever has two owners', () => {
  const step = fc.oneof(
    fc.record({ op: fc.constant('admit' as const), key: fc.nat(5) }),
    fc.record({ op: fc.constant('retire' as const), key: fc.nat(5) }),
    fc.record({ op: fc.constant('report' as const), writer: fc.nat(2), nth: fc.nat(9) }),
    fc.record({ op: fc.constant('die' as const), writer: fc.nat(2) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const memory = EndpointMemory.create(5, writers)
      const slots = new EndpointSlots(memory, writers, () => undefined)
      const named = new Map<number, number>()
      let held: { writer: number; slot: number; key: number }[] = []
      for (const s of steps) {
        if (s.op === 'admit') {
          const slot = slots.admit(String(s.key))
          if (slot > 0) named.set(s.key, slot)
        } else if (s.op === 'retire') {
          const slot = named.get(s.key)
          const { key } = s
          if (slot !== undefined) held.push(...all.map((writer) => ({ writer, slot, key })))
          named.delete(s.key)
          slots.retire(String(s.key), all)
        } else if (s.op === 'report') {
          const mine = held.filter(({ writer }) => writer === s.writer)
          const report = mine[s.nth % Math.max(1, mine.length)]
          held = held.filter((h) => h !== report)
          if (report !== undefined) slots.release(report.slot, report.writer)
        } else {
          held = held.filter(({ writer }) => writer !== s.writer)
          slots.dropWriter(s.writer)
        }
        const owner = new Map<number, number>()
        const claims = [...held, ...[...named].map(([key, slot]) => ({ key, slot }))]
        for (const { slot, key } of claims) {
          assert.equal(owner.get(slot) ?? key, key, `slot ${slot}`)
          owner.set(slot, key)
        }
        assert.equal(slots.used, owner.size, 'no slot is lost')
      }
    }),
    { numRuns: 500 },
  )
})
