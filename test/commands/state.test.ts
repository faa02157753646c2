import assert from 'node:assert/strict'
import { existsSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Program, ask, createFolder, manifest, startServing, startUpstream } from './instance.ts'
import { until } from './instance.ts'

const limits = { timeout: 60_000 }
const toHost = { headers: { host: 'a.example' } }

interface Status {
  readonly sources: readonly { readonly restored?: { readonly savedAt: string } }[]
}

test(
  'a restart without its source serves the last good state until the source is back',
  limits,
  async (t) => {
    const upstream = await startUpstream(t, (_request, response) => response.end('up'))
    const manifests = createFolder(t, { 'site.yaml': manifest('a.example', upstream) })
    const state = join(createFolder(t), 'made')
    const file = join(state, 'state.ndjson.gz')
    const first = await startServing(t, manifests, [`--state-dir=${state}`])
    await until(() => existsSync(file))
    assert.equal(statSync(state).mode & 0o777, 0o700)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    first.program.child.kill('SIGKILL')
    await first.program.ended

    renameSync(manifests, `${manifests}.away`)
    const { program, ports } = await startServing(t, manifests, [`--state-dir=${state}`])
    assert.equal((await ask(ports.http, '/', toHost)).body, 'up')
    const status = JSON.parse((await ask(ports.admin, '/api/status')).body) as Status
    assert.match(status.sources[0]?.restored?.savedAt ?? '', /^\d{4}-/)
    const metrics = (await ask(ports.admin, '/metrics')).body
    assert.match(metrics, /^headgate_state_restored 1$/m)
    assert.match(program.stderr, /"message":"the last good state is served/)
    assert.match((await ask(ports.admin, '/api/diagnostics')).body, /"code": "state-restored"/)

    renameSync(`${manifests}.away`, manifests)
    writeFileSync(join(manifests, 'site.yaml'), manifest('b.example', upstream))
    await until(async () => (await ask(ports.http, '/', toHost)).status === 404)
    const after = JSON.parse((await ask(ports.admin, '/api/status')).body) as Status
    assert.equal(after.sources[0]?.restored, undefined)
    assert.match((await ask(ports.admin, '/metrics')).body, /^headgate_state_restored 0$/m)
  },
)

test('a state that cannot be used is one line, and the source is served', limits, async (t) => {
  const upstream = await startUpstream(t, (_request, response) => response.end('up'))
  const manifests = createFolder(t, { 'site.yaml': manifest('a.example', upstream) })
  const state = createFolder(t, { 'state.ndjson.gz': 'rubbish' })
  const { program, ports } = await startServing(t, manifests, [`--state-dir=${state}`])
  assert.equal((await ask(ports.http, '/', toHost)).body, 'up')
  await until(() => program.stderr.includes('"message":"the state file is ignored"'))
  const lines = program.stderr.split('\n').filter((line) => line.includes('state file'))
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /state\.ndjson\.gz","problem":"it is damaged"/)
})

test('flags of the state that are wrong are one line', limits, async (t) => {
  const folder = createFolder(t, { 'short.key': 'short', taken: '' })
  const base = ['serve', `--files=${folder}`, '--http-port=0', '--https-port=0', '--admin-port=0']
  const cases: [string[], number, RegExp][] = [
    [[`--state-dir=${folder}/taken`], 1, /--state-dir cannot be made: .*EEXIST/],
    [['--state-dir=/proc/headgate'], 1, /--state-dir cannot be made: .*\/proc\/headgate/],
    [[`--state-key-file=${folder}/short.key`], 2, /--state-key-file needs --state-dir/],
    [
      [`--state-dir=${folder}/state`, `--state-key-file=${folder}/short.key`],
      1,
      /--state-key-file must hold 16 characters or more, got 5/,
    ],
    [
      [`--state-dir=${folder}/state`, `--state-key-file=${folder}/absent`],
      1,
      /--state-key-file cannot be read: .*absent/,
    ],
  ]
  await Promise.all(
    cases.map(async ([flags, code, line]) => {
      const program = new Program(t, [...base, ...flags])
      assert.equal(await program.ended, code, program.stderr)
      assert.match(program.stderr, line)
      assert.equal(program.stderr.trimEnd().split('\n').length, 1, program.stderr)
      assert.doesNotMatch(program.stderr, /short"/)
    }),
  )
})
