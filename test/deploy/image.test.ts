import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

test('the built program is JavaScript that runs by itself', (t) => {
  const out = mkdtempSync(join(tmpdir(), 'headgate-build-'))
  t.after(() => {
    rmSync(out, { recursive: true, force: true })
  })
  const script = join(root, 'deploy/image/build.ts')
  const flags = ['--disable-warning=ExperimentalWarning', script, join(out, 'app')]
  const built = spawnSync(process.execPath, flags, { encoding: 'utf8' })
  assert.equal(built.status, 0, built.stderr)
  symlinkSync(join(root, 'node_modules'), join(out, 'node_modules'))

  const program = join(out, 'app/src/main.js')
  const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], options)
  const options = { encoding: 'utf8', cwd: out } as const
  assert.match(run('version').stdout, /^headgate \d+\.\d+\.\d+ /)
  const linted = run('lint', join(out, 'app/deploy/examples/demo'))
  assert.equal(linted.status, 0, linted.stdout + linted.stderr)

  // A line of the built code is that line of the sources.
  const sources = join(root, 'src/commands/serve.ts')
  assert.equal(countLines(join(out, 'app/src/commands/serve.js')), countLines(sources))
  assert.ok(!existsSync(join(out, 'app/test')))
})

test('the warm-up of the image fails with a program that does not start', (t) => {
  const out = mkdtempSync(join(tmpdir(), 'headgate-build-'))
  t.after(() => {
    rmSync(out, { recursive: true, force: true })
  })
  const script = join(root, 'deploy/image/build.ts')
  const flags = ['--disable-warning=ExperimentalWarning', script, join(out, 'app')]
  assert.equal(spawnSync(process.execPath, flags).status, 0)
  symlinkSync(join(root, 'node_modules'), join(out, 'node_modules'))
  rmSync(join(out, 'app/src/commands/serve.js'))
  const broken = spawnSync(process.execPath, [join(out, 'app/warm.js')], { encoding: 'utf8' })
  assert.equal(broken.status, 1, 'a program that cannot serve passes')
})

function countLines(file: string): number {
  return readFileSync(file, 'utf8').split('\n').length
}
