import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { unlinkSync } from 'node:fs'
import { test } from 'node:test'
import type { Schedule } from '#src/sources/schedule.ts'
import { FolderStage, configMap } from './folder-stage.ts'
import { ManualTime } from './manual-time.ts'

const rescanMs = 5000

class SilentWatcher extends EventEmitter {
  readonly close = (): void => undefined
}

/**
 * A source whose time passes when the test says so, and which gets no events: the look at everything
 * stands in for those.
 */
class Stage extends FolderStage {
  readonly #time: ManualTime
  /** A step ends by saying when to look at everything next. */
  readonly #steps: { ended: number; wake: (() => void)[] }

  constructor() {
    const time = new ManualTime()
    const steps = { ended: 0, wake: [] as (() => void)[] }
    const schedule: Schedule = (callback, delayMs) => {
      if (delayMs >= 500) {
        steps.ended++
        for (const wake of steps.wake.splice(0)) wake()
      }
      return time.schedule(callback, delayMs)
    }
    super({ schedule, now: time.now, watchEntries: () => new SilentWatcher() })
    this.#time = time
    this.#steps = steps
  }

  get now(): number {
    return this.#time.now()
  }

  /** Lets time pass until a step is made; resolves at its end. */
  async step(ms: number): Promise<void> {
    const { ended } = this.#steps
    this.#time.advance(ms)
    while (this.#steps.ended === ended) {
      await new Promise<void>((resolve) => this.#steps.wake.push(resolve))
    }
  }
}

async function started(): Promise<Stage> {
  const stage = new Stage()
  stage.write('a.yaml', configMap('a', '1'), configMap('b', '1'))
  stage.write('other.yaml', configMap('other', '1'))
  await stage.source.start()
  return stage
}

test('a file that is emptied before it is written anew loses nothing', async () => {
  using stage = await started()
  stage.overwrite('a.yaml', '')
  await stage.step(rescanMs)
  stage.overwrite('a.yaml', `${configMap('a', '2')}---\n${configMap('b', '2')}`)
  await stage.step(80)
  assert.deepEqual(Object.fromEntries(stage.state), { a: '2', b: '2', other: '1' })
  assert.deepEqual(
    stage.changes.flatMap(({ deleted }) => deleted),
    [],
  )
})

test('a file of which only the first part is there yet loses nothing', async () => {
  using stage = await started()
  stage.overwrite('a.yaml', configMap('a', '2'))
  await stage.step(rescanMs)
  assert.equal(stage.state.get('a'), '1')
  stage.overwrite('a.yaml', `${configMap('a', '2')}---\n${configMap('b', '2').slice(0, 30)}`)
  await stage.step(80)
  assert.deepEqual(stage.source.diagnostics, [])
  stage.overwrite('a.yaml', `${configMap('a', '2')}---\n${configMap('b', '2')}`)
  await stage.step(80)
  assert.deepEqual(Object.fromEntries(stage.state), { a: '2', b: '2', other: '1' })
  assert.equal(stage.changes.length, 2)
})

test('a file that is really empty, or really broken, counts at the second look', async () => {
  using stage = await started()
  stage.overwrite('a.yaml', '')
  stage.overwrite('other.yaml', '{')
  await stage.step(rescanMs)
  assert.equal(stage.state.size, 3)
  assert.deepEqual(stage.source.diagnostics, [])
  await stage.step(80)
  assert.deepEqual(Object.fromEntries(stage.state), { other: '1' })
  assert.deepEqual(stage.findings(), ['file-unreadable File other.yaml'])
})

test('a file that is away for a moment loses nothing; one that stays away does', async () => {
  using stage = await started()
  unlinkSync(stage.path('a.yaml'))
  unlinkSync(stage.path('other.yaml'))
  await stage.step(rescanMs)
  assert.equal(stage.state.size, 3)
  stage.write('a.yaml', configMap('a', '2'), configMap('b', '2'))
  await stage.step(80)
  assert.deepEqual(Object.fromEntries(stage.state), { a: '2', b: '2' })
})

test('a file that replaces another is taken at once', async () => {
  using stage = await started()
  stage.write('a.yaml', configMap('a', '2'))
  await stage.step(rescanMs)
  assert.deepEqual(Object.fromEntries(stage.state), { a: '2', other: '1' })
})

test('a file that never settles is taken as it is after a second', async () => {
  using stage = await started()
  stage.overwrite('a.yaml', '')
  await stage.step(rescanMs)
  const startedAt = stage.now
  for (let i = 0; stage.state.size === 3; i++) {
    stage.overwrite('a.yaml', `# version ${i}\n`)
    await stage.step(80)
    assert.ok(stage.now - startedAt < 2000, 'it is waited for without end')
  }
  assert.ok(stage.now - startedAt >= 900)
  assert.deepEqual(Object.fromEntries(stage.state), { other: '1' })
})

test('a change that no event told of is found', async () => {
  using stage = await started()
  stage.write('new/c.yaml', configMap('c', '1'))
  await stage.step(rescanMs)
  assert.equal(stage.state.get('c'), '1')
})
