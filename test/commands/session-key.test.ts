import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Program, ask, createFolder, manifest, startServing, startUpstream } from './instance.ts'

const limits = { timeout: 150_000 }
const oneWorker = ['--workers', '1']

test('replicas with one key make and read the same session cookies', limits, async (t) => {
  const port = await startUpstream(t, (_request, response) => response.end('ok'))
  const annotations = "nginx.ingress.kubernetes.io/affinity: 'cookie'"
  const folder = createFolder(t, { 'web.yaml': manifest('a.test', port, annotations) })
  const keys = createFolder(t, { one: `${'k'.repeat(32)}\n`, other: 'o'.repeat(32) })
  const cookieWith = async (flags: readonly string[], sent = ''): Promise<string> => {
    const { program, ports } = await startServing(t, folder, [...oneWorker, ...flags])
    const headers = { host: 'a.test', ...(sent !== '' && { cookie: sent }) }
    const answer = await ask(ports.http, '/', { headers })
    program.child.kill('SIGTERM')
    await program.ended
    assert.equal(answer.body, 'ok')
    const [cookie = ''] = answer.headers['set-cookie'] ?? []
    return cookie.split(';')[0] ?? ''
  }
  const keyed = ['--session-key-file', join(keys, 'one')]
  const cookie = await cookieWith(keyed)
  assert.match(cookie, /^INGRESSCOOKIE=.+/)
  assert.equal(await cookieWith(keyed, cookie), '', 'another replica knows the session')
  const foreign = await cookieWith(['--session-key-file', join(keys, 'other')], cookie)
  assert.notEqual(foreign, '')
  assert.notEqual(foreign, cookie)
})

const wrong: readonly [what: string, content: string | undefined, message: RegExp][] = [
  ['missing', undefined, /--session-key-file cannot be read: ENOENT/],
  ['empty', ' \n', /--session-key-file must hold 16 to 4096 characters, got 0/],
  ['short', 'secret-text', /--session-key-file must hold 16 to 4096 characters, got 11/],
]

for (const [what, content, message] of wrong) {
  test(`a key file that is ${what} ends the start, and shows nothing of it`, limits, async (t) => {
    const folder = createFolder(t)
    const file = join(createFolder(t), 'key')
    if (content !== undefined) writeFileSync(file, content)
    const ports = ['--http-port', '0', '--https-port', '0', '--admin-port', '0']
    const args = ['serve', '--files', folder, ...ports, '--session-key-file', file]
    const program = new Program(t, args)
    assert.equal(await program.ended, 1)
    assert.match(program.stderr, message)
    assert.doesNotMatch(program.stderr, /secret-text/)
  })
}
