import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TicketKeys } from '#src/workers/ticket-keys.ts'

test('ticket keys are made anew every four to six hours, until stopped', () => {
  const delaysMs: number[] = []
  const rotated: Uint8Array[] = []
  let due: () => void = assert.fail
  let cancelled = 0
  let random = 0
  const keys = new TicketKeys({
    onRotated: (next) => rotated.push(next),
    random: () => random,
    schedule: (callback, delayMs) => {
      delaysMs.push(delayMs)
      due = callback
      return () => {
        cancelled++
      }
    },
  })
  const first = keys.current
  assert.equal(first.length, 48)
  keys.start()
  random = 0.5
  due()
  assert.deepEqual(rotated, [keys.current])
  assert.notDeepEqual(keys.current, first)
  due()
  assert.equal(rotated.length, 2)
  assert.deepEqual(delaysMs, [14_400_000, 18_000_000, 18_000_000])
  keys.stop()
  assert.equal(cancelled, 1)
})
