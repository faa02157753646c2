import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchesLabels, parseLabelSelector } from '#src/compile/label-selector.ts'

const labels = { env: 'live', team: 'shop', 'example.com/tier': 'a', empty: '' }

const rows: readonly (readonly [string, boolean])[] = [
  ['', true],
  ['env=live', true],
  ['env==live', true],
  ['env = live , team=shop', true],
  ['env=test', false],
  ['env!=test', true],
  ['env!=live', false],
  ['gone!=x', true],
  ['env', true],
  ['gone', false],
  ['!gone', true],
  ['! env', false],
  ['env in (live, test)', true],
  ['env in (test)', false],
  ['env notin (test)', true],
  ['env notin (live,test)', false],
  ['gone notin (x)', true],
  ['gone in (x)', false],
  ['example.com/tier in (a,b),env=live', true],
  ['example.com/tier in (a,b),env=test', false],
  ['empty=', true],
  ['constructor', false],
]

for (const [selector, expected] of rows) {
  test(`${JSON.stringify(selector)} ${expected ? 'matches' : 'does not match'}`, () => {
    const requirements = parseLabelSelector(selector)
    assert.ok(requirements !== undefined)
    assert.equal(matchesLabels(requirements, labels), expected)
  })
}

for (const selector of [
  '=',
  'a=b=c',
  'env in live',
  'env in (live',
  'env live',
  'a,',
  ',',
  '!',
  '-a',
  'a=b c',
]) {
  test(`${JSON.stringify(selector)} is no selector`, () => {
    assert.equal(parseLabelSelector(selector), undefined)
  })
}

test('reading is total', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const requirements = parseLabelSelector(text)
      if (requirements !== undefined) matchesLabels(requirements, labels)
    }),
  )
})
