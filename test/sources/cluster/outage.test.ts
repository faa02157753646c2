import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { peak, startCrowd } from './crowd-setting.ts'
import type { Crowd, Note } from './crowd-setting.ts'

// Twenty replicas with eight watches each, one API server, one clock: how many requests come a second?

const limits = { timeout: 60_000 }
const replicas = 20
const watches = replicas * 8
const minuteMs = 60_000

interface Case {
  readonly name: string
  /** How the server is before the moment at which counting begins. */
  readonly before: (crowd: Crowd) => Promise<void>
  readonly turn: (crowd: Crowd) => void
  readonly requestsASecond: number
  readonly listsASecond: number
  /** Until everybody knows what has changed. */
  readonly convergedMs: number
}

const cases: readonly Case[] = [
  {
    name: 'gone for five minutes: each comes back in its own time and goes on where it was',
    before: async (crowd) => {
      await outage(crowd, 5 * minuteMs)
    },
    turn: ({ server }) => {
      server.change()
    },
    requestsASecond: watches / 6,
    listsASecond: 0,
    convergedMs: 31_000,
  },
  {
    name: 'gone for five minutes, and the past is forgotten (410)',
    before: async (crowd) => {
      await outage(crowd, 5 * minuteMs)
    },
    turn: ({ server }) => {
      server.forgetThePast()
    },
    requestsASecond: watches / 4,
    listsASecond: watches / 6,
    convergedMs: 37_000,
  },
  {
    name: 'the past is forgotten at one moment for all: lists are spread',
    before: async ({ pass }) => {
      await pass(2000)
    },
    turn: ({ server }) => {
      server.forgetThePast()
      server.endWatches('end')
    },
    // Watches are resumed at once, as that costs a server little.
    requestsASecond: watches * 1.5,
    listsASecond: watches / 3,
    convergedMs: 6000,
  },
  {
    name: '429 for a minute: Retry-After is kept to, and nobody comes back at the same moment',
    before: async ({ server, pass }) => {
      server.mood = 'busy'
      server.endWatches('cut')
      await pass(minuteMs)
    },
    turn: ({ server }) => {
      server.change()
    },
    requestsASecond: watches / 6,
    listsASecond: 0,
    convergedMs: minuteMs + 500,
  },
]

/** All connections break, and nothing answers for so long. */
async function outage({ server, pass }: Crowd, ms: number): Promise<void> {
  server.mood = 'away'
  server.endWatches('cut')
  await pass(minuteMs)
  const settled = server.notes.length
  await pass(ms - minuteMs)
  const during = server.notes.slice(settled)
  assert.ok(peak(during, 1000) <= watches / 4, `${peak(during, 1000)} tries in a second`)
}

async function converge({ time, pass, oldestKnown }: Crowd, before: number): Promise<number> {
  const startMs = time.now()
  while (oldestKnown() <= before && time.now() - startMs < 5 * minuteMs) await pass(500)
  return time.now() - startMs
}

for (const { name, before, turn, requestsASecond, listsASecond, convergedMs } of cases) {
  for (const seed of [1, 2, 3]) {
    test(`${name} (seed ${seed})`, limits, async (t: TestContext) => {
      const crowd = await startCrowd(replicas, seed)
      t.after(crowd.stop)
      assert.equal(crowd.server.openWatches, watches)
      const known = crowd.oldestKnown()
      await before(crowd)
      assert.equal(crowd.oldestKnown(), known)
      const first = crowd.server.notes.length
      turn(crowd)
      crowd.server.mood = 'well'
      const tookMs = await converge(crowd, known)
      const after: readonly Note[] = crowd.server.notes.slice(first)
      const lists = after.filter(({ list }) => list)
      const figures = [peak(after, 1000), peak(lists, 1000), tookMs]
      t.diagnostic(`requests a second, lists a second, ms: ${figures.join(', ')}`)
      const bounds = [requestsASecond, listsASecond, convergedMs]
      figures.forEach((figure, i) => {
        assert.ok(figure <= (bounds[i] as number), `${figures.join(', ')} > ${bounds.join(', ')}`)
      })
      // Nobody is left behind, and nobody asks on and on.
      await crowd.pass(minuteMs)
      assert.equal(crowd.server.openWatches, watches)
      assert.ok(crowd.server.notes.length - first <= 3 * watches)
    })
  }
}
