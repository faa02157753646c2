import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { chartFolder, helm, plainManifestsFile } from './support/chart.ts'
import { renderChart, renderPlainManifests } from './support/chart.ts'
import { ClusterApi, manifestsOf } from './support/cluster-api.ts'
import { startControlPlane } from './support/control-plane.ts'

const valuesFiles = globSync(join(import.meta.dirname, 'values/*.yaml')).toSorted()

/** As small as it can be, so that a server without the operator takes ServiceMonitors. */
const serviceMonitorKind = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: servicemonitors.monitoring.coreos.com }
spec:
  group: monitoring.coreos.com
  names: { kind: ServiceMonitor, plural: servicemonitors }
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
`

async function startCluster(t: TestContext): Promise<{ api: ClusterApi; kubeconfig: string }> {
  const { kubeconfig } = await startControlPlane(t)
  const api = ClusterApi.ofKubeconfig(kubeconfig)
  t.after(async () => {
    await api.close()
  })
  return { api, kubeconfig }
}

test('the chart lints clean, strictly, with every set of values', async () => {
  for (const file of valuesFiles) {
    const linted = await helm(['lint', '--strict', '--quiet', chartFolder, '--values', file])
    assert.equal(linted.code, 0, `${basename(file)}: ${linted.stdout}${linted.stderr}`)
  }
})

test('a wrong value is refused with the name of its key', async () => {
  const cases: [string, RegExp][] = [
    ['replicaCount=two', /at '\/replicaCount': got string, want integer/],
    ['servce.type=ClusterIP', /additional properties 'servce' not allowed/],
    ['service.type=Foo', /at '\/service\/type': value must be one of/],
    ['ports.http=70000', /at '\/ports\/http': maximum/],
    ['extraArgs.Foo=1', /invalid propertyName 'Foo'/],
    ['hostNetwork=true', /ports\.http is 80: with hostNetwork a Pod without root cannot open/],
    ['state.volume=claim', /state\.existingClaim names the claim/],
    ['kind=DaemonSet,autoscaling.enabled=true', /a DaemonSet has one Pod for each node/],
    ['watch.namespaces={Shop}', /at '\/watch\/namespaces\/0'/],
    ['image.digest=latest', /at '\/image\/digest'/],
    ['tcp.70000=shop/db:5432', /at '\/tcp': additional properties '70000' not allowed/],
    ['tcp.5432=postgres:5432', /at '\/tcp\/5432': 'postgres:5432' does not match pattern/],
    ['tcp.443=shop/db:5432', /tcp\.443: this port is ports\.https; choose another/],
    ['tcp.8443=shop/db:1,webhook.enabled=true', /tcp\.8443: this port is webhook\.port/],
    [
      'tcp.5432=shop/db:1,watch.namespaces={blog}',
      /tcp\.5432: namespace shop is not one of watch\.namespaces/,
    ],
    ['udp.53=shop/dns:53', /udp: Headgate forwards no UDP; publish these ports by a Service/],
    ['service.nodePorts.tcp.5432=0', /at '\/service\/nodePorts\/tcp\/5432': minimum/],
    ['sslPassthrough=maybe', /at '\/sslPassthrough': got string, want boolean/],
    ['serviceMonitor.enabled=true,admin.service.enabled=false', /needs admin\.service\.enabled/],
  ]
  for (const [set, message] of cases) {
    await assert.rejects(renderChart(['--set', set]), message, set)
  }
})

test('the schema knows every value, and no other', () => {
  const values: unknown = parse(readFileSync(join(chartFolder, 'values.yaml'), 'utf8'))
  const schema: unknown = JSON.parse(readFileSync(join(chartFolder, 'values.schema.json'), 'utf8'))
  compareKeys(values as Fields, schema as Schema, '')
})

test('the plain manifests are the rendered chart', async (t) => {
  t.assert.fileSnapshot(await renderPlainManifests(), plainManifestsFile, { serializers: [String] })
})

test('the API server takes every object, with no field that it does not know', async (t) => {
  const { api } = await startCluster(t)
  for (const namespace of ['headgate', 'shop', 'blog']) await api.createNamespace(namespace)
  await api.apply(serviceMonitorKind)
  await untilServed(api, '/apis/monitoring.coreos.com/v1')
  for (const file of valuesFiles) {
    const objects = manifestsOf(await renderChart(['--values', file]))
    assert.ok(objects.length >= 8, `${basename(file)} renders ${objects.length} objects`)
    await api.apply(objects, '&dryRun=All&fieldValidation=Strict')
  }
  await api.apply(readFileSync(plainManifestsFile, 'utf8'), '&dryRun=All&fieldValidation=Strict')
})

test('helm installs, upgrades and removes; the token stays, and Pods pass the restricted standard', async (t) => {
  const { api, kubeconfig } = await startCluster(t)
  const strict = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await api.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'headgate', labels: strict } },
  ])
  const flags = ['--namespace', 'headgate', '--kubeconfig', kubeconfig]
  await succeed(['install', 'headgate', chartFolder, ...flags], kubeconfig)
  const secretPath = '/api/v1/namespaces/headgate/secrets/headgate-secret'
  const token = (await api.get(secretPath))['data'] as Record<string, string>
  assert.match(Buffer.from(token['admin-token'] ?? '', 'base64').toString(), /^[0-9A-Za-z]{43}$/)
  assert.equal(await countPods(api, 2), 2)

  const change = ['--set', 'replicaCount=3', '--set', 'config.hsts=false']
  await succeed(['upgrade', 'headgate', chartFolder, ...flags, ...change], kubeconfig)
  assert.deepEqual((await api.get(secretPath))['data'], token)
  const config = await api.get('/api/v1/namespaces/headgate/configmaps/headgate')
  assert.deepEqual(config['data'], { hsts: 'false' })
  assert.equal(await countPods(api, 3), 3)

  await succeed(['uninstall', 'headgate', ...flags], kubeconfig)
  assert.equal((await api.ask('GET', secretPath)).status, 200)
  const gone = await api.ask('GET', '/apis/apps/v1/namespaces/headgate/deployments/headgate')
  assert.equal(gone.status, 404)
})

type Fields = Readonly<Record<string, unknown>>

interface Schema {
  readonly additionalProperties?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
}

/** Where the schema lists properties, they are those of the values, but for optional ones. */
function compareKeys(values: Fields, schema: Schema, path: string): void {
  const { properties } = schema
  if (properties === undefined) return
  assert.equal(schema.additionalProperties, false, `${path} takes any key`)
  for (const [key, value] of Object.entries(values)) {
    const inner: Schema | undefined = properties[key]
    assert.ok(inner !== undefined, `the schema lacks ${path}${key}`)
    if (isFields(value)) compareKeys(value, inner, `${path}${key}.`)
  }
  if (path !== '') return
  const extra = Object.keys(properties).filter((key) => key !== 'global' && !(key in values))
  assert.deepEqual(extra, [], 'the schema has keys that values.yaml does not show')
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function succeed(args: readonly string[], kubeconfig: string): Promise<void> {
  const { code, stderr } = await helm(args, kubeconfig)
  assert.equal(code, 0, stderr)
}

/** Waits until there are that many Pods; nothing schedules them here. */
async function countPods(api: ClusterApi, expected: number): Promise<number> {
  const path = '/api/v1/namespaces/headgate/pods?labelSelector=app.kubernetes.io/name=headgate'
  for (;;) {
    const { items } = await api.get<{ items: readonly unknown[] }>(path)
    if (items.length >= expected) return items.length
    await pause()
  }
}

/** A kind is served a moment after its definition is there. */
async function untilServed(api: ClusterApi, path: string): Promise<void> {
  while ((await api.ask('GET', path)).status !== 200) await pause()
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50))
}
