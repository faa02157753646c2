import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RequestOptions } from 'node:https'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { chooseCluster, loadConfig } from '#src/kubernetes/kube-config.ts'
import { KubeConfigError } from '#src/kubernetes/kube-file.ts'
import { createSelfSignedCertificate } from '#src/transport/self-signed.ts'

interface Parts {
  readonly cluster?: Record<string, unknown>
  readonly user?: Record<string, unknown>
  readonly context?: Record<string, unknown>
  readonly rest?: Record<string, unknown>
}

function configOf({ cluster, user, context, rest }: Parts): string {
  return JSON.stringify({
    'current-context': 'dev',
    contexts: [
      { name: 'dev', context: { cluster: 'c', user: 'u', namespace: 'shop', ...context } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://api.test:6443/', ...cluster } }],
    users: [{ name: 'u', user: { ...user } }],
    ...rest,
  })
}

function folderOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-kube-'))
  t.after(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const year = 365 * 24 * 3_600_000
const pair = async () =>
  await createSelfSignedCertificate({
    commonName: 'somebody',
    names: [],
    notBefore: new Date(Date.now() - year),
    notAfter: new Date(Date.now() + year),
  })
const one = await pair()
const other = await pair()
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const wrong: readonly (readonly [
  what: string,
  text: string,
  expected: RegExp,
  context?: string,
])[] = [
  ['no YAML', 'a: [1', /kubeconfig \S+config: line 1 is not valid YAML/],
  ['no object', '[]', /must hold an object/],
  [
    'no context',
    configOf({ rest: { 'current-context': '' } }),
    /has no current-context; give --context; there are "dev"/,
  ],
  ['unknown context', configOf({}), /context "prod" does not exist; there are "dev"/, 'prod'],
  ['unnamed context', configOf({ rest: { contexts: [{}] } }), /contexts\[0\]\.name is missing/],
  [
    'no cluster in context',
    configOf({ context: { cluster: '' } }),
    /context "dev": cluster is missing/,
  ],
  [
    'unknown cluster',
    configOf({ context: { cluster: 'x' } }),
    /context "dev": cluster "x" does not exist; there are "c"/,
  ],
  [
    'unknown user',
    configOf({ context: { user: 'x' } }),
    /context "dev": user "x" does not exist; there are "u"/,
  ],
  ['no server', configOf({ cluster: { server: '' } }), /cluster "c": server is missing/],
  [
    'server is no URL',
    configOf({ cluster: { server: 'api:6443' } }),
    /cluster "c": server must be an http or https URL/,
  ],
  ['server is no text', configOf({ cluster: { server: 1 } }), /cluster "c": server must be a text/],
  [
    'proxy is no URL',
    configOf({ cluster: { 'proxy-url': 'proxy' } }),
    /cluster "c": proxy-url must be/,
  ],
  [
    'authority is no base64',
    configOf({ cluster: { 'certificate-authority-data': '§' } }),
    /cluster "c": certificate-authority-data must be base64/,
  ],
  [
    'authority is no PEM',
    configOf({ cluster: { 'certificate-authority-data': 'YQ==' } }),
    /cluster "c": certificate-authority is not valid PEM/,
  ],
  [
    'authority is missing',
    configOf({ cluster: { 'certificate-authority': 'gone.pem' } }),
    /cluster "c": certificate-authority cannot be read: ENOENT/,
  ],
  [
    'certificate alone',
    configOf({ user: { 'client-certificate-data': base64(one.certificatePem) } }),
    /user "u": client-key is missing/,
  ],
  [
    'key of another',
    configOf({
      user: {
        'client-certificate-data': base64(one.certificatePem),
        'client-key-data': base64(other.keyPem),
      },
    }),
    /user "u": client-key does not belong to client-certificate/,
  ],
  [
    'key is none',
    configOf({
      user: {
        'client-certificate-data': base64(one.certificatePem),
        'client-key-data': base64('hush'),
      },
    }),
    /user "u": client-key is not valid PEM$/,
  ],
  [
    'token file is missing',
    configOf({ user: { tokenFile: 'gone' } }),
    /user "u": tokenFile cannot be read: ENOENT/,
  ],
  [
    'plugin without command',
    configOf({ user: { exec: {} } }),
    /user "u": exec\.command is missing/,
  ],
  [
    'plugin of another version',
    configOf({
      user: { exec: { command: 'x', apiVersion: 'client.authentication.k8s.io/v1alpha1' } },
    }),
    /user "u": exec\.apiVersion must be client\.authentication\.k8s\.io\/v1 or /,
  ],
  [
    'plugin with arguments that are none',
    configOf({ user: { exec: { command: 'x', args: [1] } } }),
    /user "u": exec\.args must be a list of texts/,
  ],
  [
    'plugin with variables that are none',
    configOf({ user: { exec: { command: 'x', env: [{ name: 'A' }] } } }),
    /user "u": exec\.env must be a list of names with values/,
  ],
]

for (const [what, text, expected, context = ''] of wrong) {
  test(`one line names file, entry and field: ${what}`, async (t) => {
    const folder = folderOf(t, { config: text })
    await assert.rejects(loadConfig({ files: [join(folder, 'config')], context }), (error) => {
      assert.ok(error instanceof KubeConfigError)
      assert.match(error.message, expected)
      assert.doesNotMatch(error.message, /\n|hush/)
      return true
    })
  })
}

test('a file that is not there', async () => {
  await assert.rejects(loadConfig({ files: ['/nowhere/config'], context: '' }), {
    message: /^kubeconfig cannot be read: ENOENT.*\/nowhere\/config/,
  })
})

test('a config is read with its namespace, and paths count from its file', async (t) => {
  const folder = folderOf(t, {
    config: configOf({
      cluster: { 'certificate-authority': 'ca.pem' },
      user: { 'client-certificate': 'own.pem', 'client-key': 'own.key' },
    }),
    'ca.pem': other.certificatePem,
    'own.pem': one.certificatePem,
    'own.key': one.keyPem,
  })
  const { server, namespace, login } = await loadConfig({
    files: [join(folder, 'config')],
    context: '',
  })
  assert.deepEqual([server, namespace], ['https://api.test:6443', 'shop'])
  const options: RequestOptions = {}
  await login(options)
  assert.deepEqual([options.ca, options.cert, options.key].map(String), [
    other.certificatePem,
    one.certificatePem,
    one.keyPem,
  ])
})

test('of several files the first counts for each name, and the first current-context', async (t) => {
  const folder = folderOf(t, {
    first: configOf({ rest: { clusters: [], users: [] } }),
    second: configOf({ rest: { 'current-context': 'other' } }),
    third: configOf({ cluster: { server: 'https://last.test' } }),
  })
  const files = ['first', 'second', 'third'].map((name) => join(folder, name))
  const { server } = await loadConfig({ files, context: '' })
  assert.equal(server, 'https://api.test:6443')
})

test('the proxy of the environment counts where the cluster names none', async (t) => {
  const own = { 'proxy-url': 'http://own.test:3128' }
  const folder = folderOf(t, { without: configOf({}), with: configOf({ cluster: own }) })
  const proxies = { HTTPS_PROXY: 'socks5://user:hush@proxy.test:1080' }
  const proxyOf = async (name: string, given: Record<string, string> = proxies) =>
    (await loadConfig({ files: [join(folder, name)], context: '', proxies: given })).proxyUrl
  assert.equal(await proxyOf('without'), proxies.HTTPS_PROXY)
  assert.equal(await proxyOf('with'), own['proxy-url'])
  assert.equal(await proxyOf('without', { ...proxies, NO_PROXY: '.test' }), '')
  await assert.rejects(proxyOf('without', { HTTPS_PROXY: 'ftp://user:hush@x' }), {
    message: 'HTTPS_PROXY must be an http, https or socks5 URL',
  })
})

const flags = (kubeconfig?: string, context?: string) => ({ kubeconfig, context })

test('which cluster is meant', async () => {
  const environment = { KUBECONFIG: '/a/one:/b/two' }
  assert.deepEqual(await chooseCluster(flags('/x/config'), environment), {
    files: ['/x/config'],
    context: '',
  })
  assert.deepEqual(await chooseCluster(flags(undefined, 'prod'), environment), {
    files: ['/a/one', '/b/two'],
    context: 'prod',
  })
  const proxies = { HTTPS_PROXY: 'http://p.test', no_proxy: 'x', PATH: '/bin' }
  assert.deepEqual(await chooseCluster(flags('/x/config'), proxies), {
    files: ['/x/config'],
    context: '',
    proxies: { HTTPS_PROXY: 'http://p.test', NO_PROXY: 'x' },
  })
  assert.equal(await chooseCluster(flags(), {}), undefined)
  // The variable alone does not make a cluster: there is no service account here.
  assert.equal(await chooseCluster(flags(), { KUBERNETES_SERVICE_HOST: '10.0.0.1' }), undefined)
  await assert.rejects(chooseCluster(flags(undefined, 'prod'), {}), {
    message: '--context prod needs --kubeconfig or KUBECONFIG',
  })
})

test('the cluster around a Pod is found by its environment', async (t) => {
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }
  for (const [name, value] of Object.entries(environment)) {
    process.env[name] = value
    t.after(() => delete process.env[name])
  }
  const { server, login } = await loadConfig({ files: [], context: '' })
  assert.equal(server, 'https://[fd00::1]:6443')
  await assert.rejects(login({}), /serviceaccount\/(ca\.crt|token)/)
})
