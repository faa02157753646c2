import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestIds } from '#src/proxy/request-ids.ts'

test('ids are 32 hexadecimal digits, and none comes twice', () => {
  const ids = new RequestIds()
  // More than are drawn at once.
  const made = Array.from({ length: 2000 }, () => ids.make())
  for (const id of made) assert.match(id, /^[\da-f]{32}$/)
  assert.equal(new Set(made).size, made.length)
})
