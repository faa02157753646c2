import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atEndOfTurn, turnClock } from '#src/exchange/turn.ts'

/** Behind the end of this turn. */
const nextTurn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve))

/** A clock that goes on by one with each look. */
function countingClock(): () => number {
  let looks = 0
  return () => ++looks
}

test('a clock is looked at once a turn, whoever asks', async () => {
  const clock = turnClock(countingClock())
  const other = turnClock(countingClock())
  assert.deepEqual([clock(), clock(), other(), clock()], [1, 1, 1, 1])
  await nextTurn()
  assert.deepEqual([clock(), other(), clock()], [2, 2, 2])
  // A turn in which nobody asks costs nothing and tells nothing.
  await nextTurn()
  await nextTurn()
  assert.equal(clock(), 3)
})

test('a turn ends behind its events, and work that is added meanwhile belongs to it', async () => {
  const clock = turnClock(countingClock())
  const seen: string[] = []
  atEndOfTurn(() => {
    seen.push(`first at ${clock()}`)
    atEndOfTurn(() => seen.push(`added at ${clock()}`))
  })
  atEndOfTurn(() => seen.push(`second at ${clock()}`))
  seen.push(`event at ${clock()}`)
  queueMicrotask(() => seen.push(`task at ${clock()}`))
  await nextTurn()
  assert.deepEqual(seen, ['event at 1', 'task at 1', 'first at 1', 'second at 1', 'added at 1'])
  // What was told while the turn ended is not told in the next one.
  assert.equal(clock(), 2)
})

test('work that throws does not keep the turn from ending', async () => {
  const clock = turnClock(countingClock())
  const seen: string[] = []
  const failures: unknown[] = []
  const listener = (error: unknown): void => void failures.push(error)
  process.setUncaughtExceptionCaptureCallback(listener)
  atEndOfTurn(() => {
    throw new Error('broken')
  })
  atEndOfTurn(() => seen.push('next'))
  assert.equal(clock(), 1)
  await nextTurn()
  await nextTurn()
  process.setUncaughtExceptionCaptureCallback(null)
  assert.equal(failures.length, 1)
  assert.deepEqual(seen, ['next'])
  assert.equal(clock(), 2)
})
