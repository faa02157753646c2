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

const pod: Manifest = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'headgate-1',
    namespace: 'headgate',
    labels: {
      'app.kubernetes.io/name': 'headgate',
      'app.kubernetes.io/component': 'controller',
    },
  },
  spec: { containers: [{ name: 'headgate', image: 'headgate' }] },
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
  ])
  await api.apply([pod])
  await api.patchStatus(pod, {
    podIP: podAddress,
    podIPs: [{ ip: podAddress }],
    conditions: [{ type: 'Ready', status: 'True' }],
  })
  await until(() => instance.stderr.includes('"message":"ready"'))

  const refused = await ask('status')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /only for clients on this machine, or with X-Headgate-Token/)
  const wrong = await ask('status', '--pod=absent')
  assert.match(wrong.stderr, /^headgate: GET .*absent.*404/)

  const data = { 'admin-token': Buffer.from(token).toString('base64') }
  const metadata = { name: 'headgate-secret', namespace: 'headgate' }
  await api.apply([{ apiVersion: 'v1', kind: 'Secret', metadata, data }])
  const status = await ask('status')
  assert.equal(status.code, 0, status.stderr)
  assert.match(status.stdout, /^headgate \S+, ready, since .*\ntable 1\nworker 0: 0 connections\n/)
  const routes = await ask('routes')
  assert.match(routes.stdout, /^a\.example\/ prefix -> web .* # Ingress test\/web$/m)
  const explained = await ask('explain', 'http://a.example/x')
  assert.match(explained.stdout, /web/)
  for (const { stdout, stderr } of [status, refused, routes, explained]) {
    assert.ok(!`${stdout}${stderr}`.includes(token))
  }
})
