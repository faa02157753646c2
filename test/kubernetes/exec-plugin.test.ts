import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { ExecPlugin } from '#src/kubernetes/exec-plugin.ts'
import { until } from '#test/commands/instance.ts'

const limits = { timeout: 30_000 }
const apiVersion = 'client.authentication.k8s.io/v1'

const credential = (status: object | undefined, more: object = {}): string =>
  JSON.stringify({ apiVersion, kind: 'ExecCredential', status, ...more })

/** A plugin that is this shell script; each run of it adds a line to the file `runs`. */
function pluginOf(t: TestContext, script: string, { timeoutMs = 10_000, installHint = '' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-exec-'))
  t.after(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const command = join(folder, 'login')
  const become = (text: string): void => {
    writeFileSync(command, `#!/bin/sh\necho $$ >> ${folder}/runs\n${text}\n`)
    chmodSync(command, 0o755)
  }
  become(script)
  const settings = { command, args: [], env: {}, apiVersion, installHint }
  const runs = (): string[] => readFileSync(join(folder, 'runs'), 'utf8').trim().split('\n')
  return { plugin: new ExecPlugin(settings, timeoutMs), become, runs, folder }
}

const print = (text: string): string => `cat <<'END'\n${text}\nEND`

const wrong: readonly (readonly [what: string, script: string, expected: RegExp])[] = [
  ['it fails', 'echo "no network" >&2; exit 3', /login ended with code 3: no network$/],
  ['it is killed', 'kill -9 $$', /login ended with SIGKILL: it says nothing$/],
  ['no JSON', 'echo hush', /login did not print JSON$/],
  ['nothing', '', /login did not print JSON$/],
  ['another object', print('{"kind":"Secret"}'), /login did not print an ExecCredential$/],
  ['no status', print(credential(undefined)), /login printed neither status\.token nor/],
  [
    'another version',
    print(credential({ token: 'hush' }, { apiVersion: 'client.authentication.k8s.io/v1beta1' })),
    /login did not print apiVersion client\.authentication\.k8s\.io\/v1, as exec\.apiVersion/,
  ],
  [
    'a certificate without key',
    print(credential({ clientCertificateData: 'hush' })),
    /login printed no status\.clientKeyData$/,
  ],
  [
    'an expiry that is none',
    print(credential({ token: 'hush', expirationTimestamp: 'soon' })),
    /login printed a status\.expirationTimestamp that is none$/,
  ],
  ['too much', 'yes hush', /login prints more than 1048576 bytes$/],
]

for (const [what, script, expected] of wrong) {
  test(`a plugin that does not log in is one line: ${what}`, limits, async (t) => {
    const { plugin } = pluginOf(t, script)
    await assert.rejects(plugin.login(0), ({ message }: Error) => {
      assert.match(message, expected)
      assert.doesNotMatch(message, /\n|hush/)
      return true
    })
  })
}

test('a plugin that is not there: what to install', limits, async (t) => {
  const { folder } = pluginOf(t, '')
  const settings = { command: join(folder, 'gone'), args: [], env: {}, apiVersion }
  const plugin = new ExecPlugin({ ...settings, installHint: 'apt install gone' })
  await assert.rejects(
    plugin.login(0),
    /^Error: exec plugin gone cannot be started: spawn .*ENOENT; apt install gone$/,
  )
})

test('a plugin that hangs is killed', limits, async (t) => {
  const { plugin, runs } = pluginOf(t, 'exec sleep 1000', { timeoutMs: 300 })
  await assert.rejects(plugin.login(0), /login has not ended within 0\.3 s$/)
  await until(() => {
    try {
      process.kill(Number(runs()[0]), 0)
      return false
    } catch {
      return true
    }
  })
})

test(
  'failing, then working: it is asked again after a rest, and what it gave is kept',
  limits,
  async (t) => {
    const { plugin, become, runs } = pluginOf(t, 'exit 1')
    await assert.rejects(plugin.login(0))
    become(print(credential({ token: 'one' })))
    await assert.rejects(plugin.login(4999), /ended with code 1/)
    assert.equal(runs().length, 1)
    assert.deepEqual(await plugin.login(5000), { token: 'one', certificate: '', key: '' })
    await plugin.login(6000)
    assert.equal(runs().length, 2)
  },
)

test('what has expired is asked for again', limits, async (t) => {
  const expirationTimestamp = '2026-01-01T00:00:00Z'
  const { plugin, become, runs } = pluginOf(
    t,
    print(credential({ token: 'one', expirationTimestamp })),
  )
  const expiryMs = Date.parse(expirationTimestamp)
  await plugin.login(0, expiryMs - 1000)
  become(print(credential({ clientCertificateData: 'C', clientKeyData: 'K' })))
  assert.equal((await plugin.login(0, expiryMs - 1)).token, 'one')
  assert.deepEqual(await plugin.login(0, expiryMs), { token: '', certificate: 'C', key: 'K' })
  assert.equal(runs().length, 2)
})
