import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Memo } from '#src/compile/memo.ts'

function counting() {
  const memo = new Memo<number>()
  let made = 0
  const ask = (key: unknown, ...inputs: readonly unknown[]): number =>
    memo.get(key, inputs, () => ++made)
  return { memo, ask }
}

test('a result is kept while its inputs are the same', () => {
  const { ask } = counting()
  const input = {}
  assert.equal(ask('a', input, 1), 1)
  assert.equal(ask('a', input, 1), 1)
  assert.equal(ask('a', input, 2), 2)
  assert.equal(ask('a', {}, 2), 3)
  assert.equal(ask('a', {}), 4)
  assert.equal(ask('b', input, 1), 5)
})

test('what a round does not ask for is dropped', () => {
  const { memo, ask } = counting()
  ask('a')
  ask('b')
  memo.sweep()
  assert.equal(ask('a'), 1)
  memo.sweep()
  assert.equal(ask('b'), 3)
  assert.equal(ask('a'), 1)
})
