import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statePlaces } from '#src/policies/state-places.ts'

test('no two policies keep what they know in the same place', () => {
  const places = Object.values(statePlaces)
  assert.equal(new Set(places).size, places.length)
})
