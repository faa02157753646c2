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

test('what the Dockerfile copies and runs is there, and .dockerignore leaves it in', () => {
  const ignored = new Set(readFileSync(join(root, '.dockerignore'), 'utf8').split('\n'))
  const steps = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8').split('\n')
  const copied = steps
    .filter((step) => step.startsWith('COPY ') && !step.includes('--from='))
    .flatMap((step) => step.split(' ').slice(1, -1))
  const run = steps.flatMap((step) => step.match(/\bdeploy\/[\w./-]+/g) ?? [])
  const built = ['src/main.ts', 'algorithms', 'deploy/image/build.ts', 'deploy/examples/demo']
  assert.deepEqual(copied, ['package.json', 'package-lock.json', '.'])
  assert.ok(run.includes('deploy/image/root.sh'))
  for (const file of [...copied, ...run, ...built, 'LICENSE']) {
    assert.ok(existsSync(join(root, file)), `${file} is not there`)
    const top = file.split('/')[0] ?? ''
    assert.ok(!ignored.has(top) && !ignored.has(file), `${file} is ignored`)
  }
  // What would make an image large, or another one on each machine.
  for (const name of ['.git', 'node_modules', 'dist']) assert.ok(ignored.has(name))
})

function countLines(file: string): number {
  return readFileSync(file, 'utf8').split('\n').length
}
