import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteBudget } from '#src/sources/cluster/byte-budget.ts'

test('those left out are told once that they fit in, the first first', () => {
  const budget = new ByteBudget(10)
  assert.deepEqual([budget.admit('a', 6), budget.admit('b', 4)], [true, true])
  for (const [key, bytes] of [
    ['c', 7],
    ['d', 3],
    ['e', 2],
    ['f', 1],
  ] as const) {
    assert.equal(budget.admit(key, bytes), false)
  }
  assert.deepEqual(budget.takeFitting(), [])
  budget.release('a')
  assert.deepEqual(budget.takeFitting(), ['d', 'e', 'f'])
  assert.deepEqual([budget.takeFitting(), budget.leftOut], [[], 4])
  assert.equal(budget.admit('d', 7), false)
  assert.equal(budget.admit('e', 2), true)
  budget.release('b')
  assert.deepEqual(budget.takeFitting(), ['c'])
  budget.release('c')
  assert.deepEqual(budget.takeFitting(), ['d'])
})

const step = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  bytes: fc.nat(12),
  gone: fc.boolean(),
})

test('whatever comes and goes, what is held is what was admitted, within the bound', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const budget = new ByteBudget(20)
      const held = new Map<string, number>()
      const leftOut = new Set<string>()
      for (const { key, bytes, gone } of steps) {
        held.delete(key)
        leftOut.delete(key)
        if (gone) budget.release(key)
        else if (budget.admit(key, bytes)) held.set(key, bytes)
        else leftOut.add(key)
        const sum = [...held.values()].reduce((all, size) => all + size, 0)
        assert.deepEqual([budget.bytes, budget.leftOut], [sum, leftOut.size])
        assert.ok(sum <= 20)
        for (const fitting of budget.takeFitting()) assert.ok(leftOut.has(fitting))
      }
    }),
  )
})
