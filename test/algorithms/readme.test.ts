import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { algorithms } from '#algorithms/balance/index.ts'

const root = join(import.meta.dirname, '../..')
const file = join(root, 'algorithms/README.md')
const text = readFileSync(file, 'utf8')

test('the decision table names every algorithm once, and no other', () => {
  const table = text.slice(text.indexOf('## Which'), text.indexOf('New endpoints'))
  const named = [...table.matchAll(/\| `([a-z-]+)` +\|/g)].map(([, name]) => name)
  assert.equal(named.length, Object.keys(algorithms).length)
  assert.deepEqual(new Set(named), new Set(Object.keys(algorithms)))
})

test('the example runs', () => {
  const code = /```ts\n([^`]*)```/.exec(text)?.[1] ?? ''
  const run = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', code], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.match(run.stdout, /^[012] true\n$/, run.stderr)
})

test('links and plots exist', () => {
  for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)\)/g)) {
    assert.ok(existsSync(join(dirname(file), target)), target)
  }
})
