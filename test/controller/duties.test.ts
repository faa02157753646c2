import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SettledViews, combineDuties } from '#src/controller/duties.ts'
import type { CompiledView, Duties } from '#src/controller/duties.ts'
import { Store } from '#src/snapshot/store.ts'

const view = (version: number): CompiledView => ({
  version,
  snapshot: new Store().freeze(),
  served: [],
  findings: [],
})

/** `c3` is a view of version 3, `s3` that version 3 settles; what comes out is versions or `-`. */
const stories: readonly [story: string, acted: string][] = [
  ['c1 s1', '- 1'],
  ['c1 s1 c1', '- 1 1'],
  ['c1 c2 s1 s2', '- - 1 2'],
  ['c1 c2 s2', '- - 2'],
  ['c1 c2 c3 c4 s1 s4', '- - - - 1 4'],
  ['c1 c2 c3 s2 s3', '- - - 1 3'],
  ['s3 c4 s4', '- - 4'],
  ['c1 s1 c2 c2 s2', '- 1 - - 2'],
]

for (const [story, acted] of stories) {
  test(`views are acted upon when every worker runs them: ${story}`, () => {
    const views = new SettledViews()
    const seen = story.split(' ').map((step) => {
      const version = Number(step.slice(1))
      const found = step.startsWith('c') ? views.compiled(view(version)) : views.settled(version)
      return found === undefined ? '-' : String(found.version)
    })
    assert.equal(seen.join(' '), acted)
  })
}

test('of two views of one version the later counts', () => {
  const views = new SettledViews()
  const [first, second] = [view(1), view(1)]
  views.compiled(first)
  views.compiled(second)
  assert.equal(views.settled(1), second)
})

test('what has started is stopped when the next cannot start', async () => {
  const done: string[] = []
  const duty = (name: string, fails = false): Duties => ({
    async start() {
      await Promise.resolve()
      if (fails) throw new Error('no port')
      done.push(`start ${name}`)
    },
    compiled: () => undefined,
    settled: () => undefined,
    async stop() {
      await Promise.resolve()
      done.push(`stop ${name}`)
    },
  })
  const all = combineDuties([duty('a'), duty('b', true), duty('c')])
  await assert.rejects(all.start(), /no port/)
  assert.deepEqual(done, ['start a', 'stop a', 'stop b', 'stop c'])
})
