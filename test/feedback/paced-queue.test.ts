import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PacedQueue } from '#src/feedback/paced-queue.ts'
import { ApiError } from '#src/kubernetes/api-error.ts'
import { surroundings } from './fake-api.ts'

const perSecond = 50
const burst = 100

/** A queue that does its jobs, or fails them, as the test says. */
function stage() {
  const { time, options, pass } = surroundings()
  const doneAt: number[] = []
  const triedAt: number[] = []
  const server: { failure: Error | undefined } = { failure: undefined }
  const queue = new PacedQueue<string>({
    ...options,
    perSecond,
    burst,
    parallelMax: 4,
    lengthMax: 10_000,
    work: async () => {
      triedAt.push(time.now())
      await Promise.resolve()
      if (server.failure !== undefined) throw server.failure
      doneAt.push(time.now())
    },
  })
  const fill = (count: number, name: string): void => {
    for (let i = 0; i < count; i++) queue.add(`${name}-${i}`, '')
  }
  return { queue, fill, pass, time, server, doneAt, triedAt }
}

/** The most that fall into any second. */
function peakOf(times: readonly number[]): number {
  return Math.max(0, ...times.map((at) => times.filter((t) => t >= at && t < at + 1000).length))
}

const unreachable = new ApiError('PATCH /it', { status: 0, reason: 'Unreachable', message: 'gone' })

test('a row of changes may go out at once; what waits at the start goes out at the rate', async () => {
  const { queue, fill, pass, doneAt } = stage()
  fill(500, 'first')
  queue.start()
  await pass(15_000, 10)
  assert.equal(doneAt.length, 500)
  assert.ok(peakOf(doneAt) <= perSecond + 1, `${peakOf(doneAt)} in a second`)
  doneAt.length = 0
  fill(burst, 'second')
  await pass(100, 1)
  assert.equal(doneAt.length, burst)
})

test('after an outage what has gathered goes out at the rate, and one job asks before all others', async () => {
  const { queue, fill, pass, server, doneAt, triedAt } = stage()
  queue.start()
  await pass(10_000)
  server.failure = unreachable
  fill(400, 'gathered')
  await pass(240_000)
  assert.ok(triedAt.length < 20, `${triedAt.length} tries in four minutes`)
  server.failure = undefined
  await pass(90_000, 10)
  assert.equal(doneAt.length, 400)
  assert.ok(peakOf(doneAt) <= perSecond + 1, `${peakOf(doneAt)} in a second`)
})

test('the queue rests for as long as the API server asks for', async () => {
  const { queue, fill, pass, server, triedAt, time } = stage()
  const failure = { status: 429, reason: '', message: 'busy', retryAfterMs: 20_000 }
  server.failure = new ApiError('PATCH /it', failure)
  queue.start()
  fill(1, 'job')
  await pass(1000)
  const sinceMs = triedAt[0] ?? time.now()
  await pass(29_000)
  assert.equal(triedAt.length, 1)
  await pass(2000)
  assert.equal(triedAt.length, 2)
  assert.ok((triedAt[1] ?? 0) - sinceMs >= 20_000)
})
