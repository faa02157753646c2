import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Program, createFolder, freePorts, manifest, until } from '#test/commands/instance.ts'
import { ClusterApi } from './support/cluster-api.ts'
import type { Manifest } from './support/cluster-api.ts'
import { startControlPlane } from './support/control-plane.ts'
import { run } from './support/kubectl.ts'

const program = join(import.meta.dirname, '../../src/kubectl-headgate.ts')
const token = 'a token of the test'
const podAddress = '198.18.9.1'
const adminPort = 9281
const secretName = 'edge-headgate-secret'

/** A Pod as the chart makes it, of a release and with a port that are not the usual ones. */
function podOf(name: string): Manifest {
  const ports = [{ name: 'admin', containerPort: adminPort }]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'headgate',
      labels: {
        'app.kubernetes.io/name': 'headgate',
        'app.kubernetes.io/component': 'controller',
      },
    },
    spec: {
      containers: [{ name: 'headgate', image: 'headgate', ports }],
      volumes: [{ name: 'secret', secret: { secretName } }],
    },
  }
}

test('kubectl headgate asks the instance through the API server', async (t) => {
  const { kubeconfig } = await startControlPlane(t)
  const api = ClusterApi.ofKubeconfig(kubeconfig)
  t.after(async () => {
    await api.close()
  })
  const files = createFolder(t, { 'site.yaml': manifest('a.example', 8080), token })
  const bin = createFolder(t)
  symlinkSync(program, join(bin, 'kubectl-headgate'))
  const ask = async (...args: string[]) =>
    await run('kubectl', ['headgate', ...args, '--kubeconfig', kubeconfig], {
      env: { PATH: `${bin}:${process.env['PATH']}` },
    })

  await api.createNamespace('headgate')
  const none = await ask('status')
  assert.equal(none.code, 1)
  assert.match(
    none.stderr,
    /^headgate: no Pod of Headgate is ready in namespace headgate \(0 found/,
  )

  const [http = 0] = await freePorts(1)
  const instance = new Program(t, [
    'serve',
    `--files=${files}`,
    `--http-port=${http}`,
    '--https-port=0',
    '--bind-address=127.0.0.1',
    '--workers=1',
    `--admin-bind-address=${podAddress}`,
    `--admin-token-file=${files}/token`,
    `--admin-port=${adminPort}`,
  ])
  const start = async (name: string, ready: boolean): Promise<void> => {
    await api.apply([podOf(name)])
    await api.patchStatus(podOf(name), {
      podIP: podAddress,
      podIPs: [{ ip: podAddress }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    })
  }
  await start('headgate-1', true)
  await until(() => instance.stderr.includes('"message":"ready"'))

  const refused = await ask('status')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /only for clients on this machine, or with X-Headgate-Token/)
  assert.match(
    refused.stderr,
    /; no token was sent: Secret headgate\/edge-headgate-secret has no admin-token that you may read\n$/,
  )
  const wrong = await ask('status', '--pod=absent')
  assert.match(wrong.stderr, /^headgate: GET .*absent.*404/)

  const data = { 'admin-token': Buffer.from(token).toString('base64') }
  const metadata = { name: secretName, namespace: 'headgate' }
  await api.apply([{ apiVersion: 'v1', kind: 'Secret', metadata, data }])
  const status = await ask('status')
  assert.equal(status.code, 0, status.stderr)
  assert.match(status.stdout, /^headgate \S+, ready, since .*\ntable 1\nworker 0: 0 connections\n/)
  const routes = await ask('routes')
  assert.match(routes.stdout, /^a\.example\/ prefix -> web .* # Ingress test\/web$/m)
  const explained = await ask('explain', 'http://a.example/x')
  assert.match(explained.stdout, /web/)
  const linted = await ask('lint')
  assert.deepEqual(
    [linted.code, linted.stdout, linted.stderr],
    [0, 'the running instance: 0 errors, 0 warnings, 0 notes\n', ''],
  )
  const file = join(createFolder(t, { 'bad.yaml': '{ not yaml' }), 'bad.yaml')
  assert.match(
    (await ask('lint', file)).stdout,
    /bad\.yaml: .*\(file-unreadable\)\n1 file, 0 objects/,
  )

  const other = join(createFolder(t, { token: 'another token' }), 'token')
  const mistaken = await ask('status', `--admin-token-file=${other}`)
  assert.equal(mistaken.code, 1)
  assert.match(mistaken.stderr, /^headgate: GET \S+: 403 only for clients .*\n$/)
  assert.doesNotMatch(mistaken.stderr, /another token/)

  // Of several the first that is ready answers, and it is said which that is.
  await start('headgate-0', false)
  assert.equal((await ask('status')).stderr, '')
  await start('headgate-2', true)
  const several = await ask('status')
  assert.match(several.stdout, /^headgate \S+, ready/)
  assert.equal(
    several.stderr,
    'asking Pod headgate-1, one of 2 that are ready; --pod names another\n',
  )
  assert.equal((await ask('status', '--pod=headgate-2')).stderr, '')
  for (const { stdout, stderr } of [status, refused, routes, explained]) {
    assert.ok(!`${stdout}${stderr}`.includes(token))
  }
})
