import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createSelfSignedCertificate } from '#src/transport/self-signed.ts'
import { answerStatus, ScriptedApiServer } from '#test/support/api-server.ts'
import { call } from './call.ts'
import { ask, createFolder, freePorts, Program, until } from './instance.ts'

const limits = { timeout: 60_000 }

const configOf = (parts: Record<string, unknown>): string =>
  JSON.stringify({
    'current-context': 'dev',
    contexts: [{ name: 'dev', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://api.test:6443' } }],
    users: [{ name: 'u', user: {} }],
    ...parts,
  })

/** What is wrong in the file itself; undefined for one that is not there. */
const wrong: readonly (readonly [
  what: string,
  text: string | undefined,
  flags: readonly string[],
  line: RegExp,
])[] = [
  ['it is not there', undefined, [], /kubeconfig cannot be read: ENOENT/],
  ['no YAML', 'clusters: [', [], /kubeconfig \S+: line 1 is not valid YAML/],
  ['empty', '', [], /kubeconfig \S+: must hold an object/],
  [
    'unknown context',
    configOf({}),
    ['--context=prod'],
    /context "prod" does not exist; there are "dev"/,
  ],
  ['no cluster', configOf({ clusters: [] }), [], /context "dev": cluster "c" does not exist$/m],
  [
    'no server',
    configOf({ clusters: [{ name: 'c', cluster: {} }] }),
    [],
    /cluster "c": server is missing/,
  ],
  [
    'a client certificate that cannot be read',
    configOf({ users: [{ name: 'u', user: { 'client-certificate': 'gone.pem' } }] }),
    [],
    /user "u": client-certificate cannot be read: ENOENT.*gone\.pem/,
  ],
]

for (const [what, text, flags, line] of wrong) {
  test(`a kubeconfig that is wrong is one line and exit code 1: ${what}`, limits, async (t) => {
    const file = join(createFolder(t), 'config')
    if (text !== undefined) writeFileSync(file, text)
    for (const command of ['serve', 'status', 'migrate']) {
      const inCluster = command === 'status' ? ['--in-cluster'] : []
      const { code, err } = await call(command, ...inCluster, `--kubeconfig=${file}`, ...flags)
      assert.equal(code, 1, err)
      assert.match(err, line)
      assert.match(err, /^headgate: [^\n]*\n$/)
    }
  })
}

test('no cluster at all is a wrong call', limits, async () => {
  const { code, err } = await call('serve')
  assert.deepEqual([code, err.split('\n').length], [2, 2])
})

const dayMs = 86_400_000
const pairOf = async (name: string, ageMs = dayMs, leftMs = dayMs) =>
  await createSelfSignedCertificate({
    commonName: name,
    names: [name],
    notBefore: new Date(Date.now() - ageMs),
    notAfter: new Date(Date.now() + leftMs),
  })

/** A server that takes one token, with a kubeconfig in which something does not fit it. */
async function startServer(t: TestContext, { name = 'localhost', leftMs = dayMs } = {}) {
  const own = await pairOf(name, 3 * dayMs, leftMs)
  const server = new ScriptedApiServer({ cert: own.certificatePem, key: own.keyPem })
  await server.listen()
  t.after(() => {
    server.close()
  })
  server.intercept = (asked) => {
    if (asked.request.headers.authorization === 'Bearer good') return false
    answerStatus(asked, 401, 'Unauthorized', 'Unauthorized')
    return true
  }
  return { server, own }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** What only the server can tell: it may be an outage, or be mended any moment, and so is tried on. */
const refused: readonly (readonly [
  what: string,
  kubeconfig: (t: TestContext) => Promise<string>,
  problem: RegExp,
])[] = [
  [
    'unknown authority',
    async (t) => {
      const { server } = await startServer(t)
      const other = await pairOf('localhost')
      const cluster = { 'certificate-authority-data': base64(other.certificatePem) }
      return server.kubeconfig(t, { cluster, user: { token: 'good' } })
    },
    /its certificate is not signed by certificate-authority \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
  ],
  [
    'a certificate for another host',
    async (t) => {
      const { server, own } = await startServer(t, { name: 'elsewhere.test' })
      const cluster = { 'certificate-authority-data': base64(own.certificatePem) }
      return server.kubeconfig(t, { cluster, user: { token: 'good' } })
    },
    /does not match certificate's altnames: Host: localhost\. is not .*elsewhere\.test/,
  ],
  [
    'an expired certificate',
    async (t) => {
      const { server, own } = await startServer(t, { leftMs: -dayMs })
      const cluster = { 'certificate-authority-data': base64(own.certificatePem) }
      return server.kubeconfig(t, { cluster, user: { token: 'good' } })
    },
    /its certificate has expired \(CERT_HAS_EXPIRED\)/,
  ],
  [
    'an expired token',
    async (t) => {
      const { server, own } = await startServer(t)
      const cluster = { 'certificate-authority-data': base64(own.certificatePem) }
      return server.kubeconfig(t, { cluster, user: { token: 'old' } })
    },
    /401 Unauthorized/,
  ],
  [
    'nobody there',
    async (t) => {
      const [port = 0] = await freePorts(1)
      const { server } = await startServer(t)
      return server.kubeconfig(t, { cluster: { server: `https://127.0.0.1:${port}` } })
    },
    /connect ECONNREFUSED 127\.0\.0\.1:\d+/,
  ],
  [
    'a proxy that is not there',
    async (t) => {
      const [port = 0] = await freePorts(1)
      const { server } = await startServer(t)
      const proxy = `http://user:hush@127.0.0.1:${port}`
      return server.kubeconfig(t, { cluster: { 'proxy-url': proxy } })
    },
    /through the proxy 127\.0\.0\.1:\d+: connect ECONNREFUSED/,
  ],
]

for (const [what, kubeconfig, problem] of refused) {
  test(`what only the server can tell ends a command with one line: ${what}`, limits, async (t) => {
    const { code, err } = await call('migrate', `--kubeconfig=${await kubeconfig(t)}`)
    assert.equal(code, 1, err)
    assert.match(err, problem)
    assert.match(err, /^headgate: [^\n]*\n$/)
    assert.doesNotMatch(err, /hush/)
  })
}

for (const [what, kubeconfig, problem] of refused.slice(0, 1)) {
  test(`serve says so and tries on, as in an outage: ${what}`, limits, async (t) => {
    const [admin = 0] = await freePorts(1)
    const ports = ['--http-port=0', '--https-port=0', `--admin-port=${admin}`, '--workers=1']
    const program = new Program(t, ['serve', `--kubeconfig=${await kubeconfig(t)}`, ...ports])
    const outage = /does not answer as it should; nothing was read yet.*/
    await until(() => outage.test(program.stderr) || !program.running)
    assert.match(outage.exec(program.stderr)?.[0] ?? program.stderr, problem)
    assert.equal((await ask(admin, '/readyz')).status, 503)
  })
}
