import assert from 'node:assert/strict'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { seededRandom } from '#algorithms/random.ts'
import { FolderStage, configMap } from './folder-stage.ts'

const files = ['a.yaml', 'b.yaml', 'sub/a.yaml', 'sub/c.yml', 'sub/deep/d.yaml', 'e/f.yaml']
const folders = ['sub', 'sub/deep', 'e']

/** One thing that somebody may do to a folder. */
type Action = (stage: FolderStage, choose: <Item>(items: readonly Item[]) => Item) => void

const actions: readonly Action[] = [
  (stage, choose) => {
    stage.write(choose(files), content(choose))
  },
  (stage, choose) => {
    const file = choose(files)
    mkdirSync(dirname(stage.path(file)), { recursive: true })
    writeFileSync(stage.path(file), content(choose))
  },
  (stage, choose) => {
    rmSync(stage.path(choose(files)), { force: true })
  },
  (stage, choose) => {
    rmSync(stage.path(choose(folders)), { recursive: true, force: true })
  },
  (stage, choose) => {
    const [from, to] = [stage.path(choose(files)), stage.path(choose(files))]
    if (existsSync(from) && existsSync(dirname(to))) renameSync(from, to)
  },
  (stage, choose) => {
    const [folder, moved] = [stage.path(choose(folders)), stage.path('moved')]
    if (existsSync(folder) && !existsSync(moved)) renameSync(folder, moved)
    else if (!existsSync(folder) && existsSync(dirname(folder)) && existsSync(moved)) {
      renameSync(moved, folder)
    }
  },
  (stage, choose) => {
    mkdirSync(stage.path(choose(folders)), { recursive: true })
  },
]

function content(choose: <Item>(items: readonly Item[]) => Item): string {
  const value = choose(['1', '2', '3', '4'])
  return [1, 2].map(() => configMap(`x${choose(['1', '2', '3', '4', '5'])}`, value)).join('---\n')
}

for (let seed = 1; seed <= 4; seed++) {
  test(
    `after any history the source holds what a fresh look finds, ${seed}`,
    { timeout: 60_000 },
    async () => {
      using stage = new FolderStage()
      await stage.source.start()
      const random = seededRandom(seed)
      const choose = <Item>(items: readonly Item[]): Item =>
        items[Math.floor(random() * items.length)] as Item
      for (let i = 0; i < 80; i++) {
        choose(actions)(stage, choose)
        // Bursts of various lengths: a turn of the event loop, or as long as the source takes.
        const pause = choose([0, 0, 0, 1, 2])
        if (pause > 0) await new Promise<void>((resolve) => setTimeout(resolve, pause * 20))
      }
      using fresh = new FolderStage({ folder: stage.folder })
      await fresh.source.start()
      await stage.holds(Object.fromEntries(fresh.state))
      assert.equal(stage.source.status.objects, fresh.state.size)
    },
  )
}
