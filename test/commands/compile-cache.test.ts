import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createFolder } from './instance.ts'

const root = join(import.meta.dirname, '../..')

/** A copy of the program without libraries: this command needs none. */
function copyOf(t: TestContext): string {
  const folder = createFolder(t, {})
  for (const name of ['src', 'algorithms', 'package.json']) {
    cpSync(join(root, name), join(folder, name), { recursive: true })
  }
  return folder
}

function version(folder: string, environment: Readonly<Record<string, string>> = {}) {
  const { PATH = '' } = process.env
  const program = join(folder, 'src/main.ts')
  const env = { PATH, ...environment }
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'version'], {
    encoding: 'utf8',
    env,
  })
  return { status, stdout, stderr }
}

const kept = (folder: string): number => globSync('**/*', { cwd: folder }).length

test('compiled code is kept beside the libraries, or where NODE_COMPILE_CACHE says', (t) => {
  const folder = copyOf(t)
  const preset = join(folder, 'node_modules/.cache/headgate')
  const other = join(folder, 'elsewhere')
  assert.equal(version(folder, { NODE_COMPILE_CACHE: other }).status, 0)
  assert.ok(kept(other) > 5)
  assert.ok(!existsSync(preset))
  assert.equal(version(folder, { NODE_DISABLE_COMPILE_CACHE: '1' }).status, 0)
  assert.ok(!existsSync(preset))
  assert.equal(version(folder).status, 0)
  assert.ok(kept(preset) > 5)
})

test('where it cannot be kept, the program runs as well', (t) => {
  const folder = copyOf(t)
  writeFileSync(join(folder, 'node_modules'), 'a file')
  const { status, stdout, stderr } = version(folder)
  assert.deepEqual([status, stderr], [0, ''])
  assert.match(stdout, /^headgate \d/)
})
