import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFolder, manifest, startServing } from './instance.ts'
import { Program } from './instance.ts'

const limits = { timeout: 60_000 }

test('status says how an instance stands, or that there is none', limits, async (t) => {
  const folder = createFolder(t, { 'site.yaml': manifest('a.example', 8080) })
  const { ports } = await startServing(t, folder)
  const asked = new Program(t, ['status', `--admin-port=${ports.admin}`])
  assert.equal(await asked.ended, 0, asked.stderr)
  const lines = asked.stdout.split('\n')
  assert.match(lines[0] ?? '', /^headgate \d\S+, ready, since \d{4}-/)
  assert.match(asked.stdout, /^worker 1: \d+ connections$/m)
  assert.match(asked.stdout, /^control plane running, 0 restarts$/m)
  assert.match(asked.stdout, /^source files \/.*: 3 objects$/m)
  assert.match(asked.stdout, /^findings: \d+ errors, \d+ warnings, \d+ notes$/m)

  const none = new Program(t, ['status', '--admin-port=1'])
  assert.equal(await none.ended, 1)
  assert.match(none.stderr, /^headgate: no instance answers at http:\/\/127\.0\.0\.1:1\//)
  const environment = { HOME: folder }
  const cluster = new Program(t, ['status', '--in-cluster'], { environment })
  assert.equal(await cluster.ended, 1)
  assert.match(cluster.stderr, /^headgate: .*\.kube\/config/)
  assert.equal(cluster.stderr.trimEnd().split('\n').length, 1, cluster.stderr)
})
