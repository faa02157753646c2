import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backoff } from '#src/workers/backoff.ts'
import { Heartbeat } from '#src/workers/heartbeat.ts'

test('the first restart is immediate, later ones wait longer, a sound life starts over', () => {
  const backoff = new Backoff({ firstMs: 500, maxMs: 3000, soundMs: 60_000 })
  const delays = [0, 0, 0, 0, 0, 0, 59_999, 60_000, 0].map((livedMs) => backoff.next(livedMs))
  assert.deepEqual(delays, [0, 500, 1000, 2000, 3000, 3000, 3000, 0, 500])
})

test('a thread is given up after so many checks without a beat', () => {
  let beats = 0
  const heartbeat = new Heartbeat(() => beats, 3)
  assert.deepEqual([heartbeat.check(), heartbeat.check(), heartbeat.check()], [true, true, true])
  beats++
  assert.equal(heartbeat.check(), true)
  assert.deepEqual([heartbeat.check(), heartbeat.check(), heartbeat.check()], [true, true, false])
  heartbeat.reset()
  assert.equal(heartbeat.check(), true)
})
