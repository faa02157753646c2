import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Program, ask, freePorts, until, untilReady } from '#test/commands/instance.ts'
import { ClusterApi } from './support/cluster-api.ts'
import type { Manifest } from './support/cluster-api.ts'
import { createDataFolder, startControlPlane } from './support/control-plane.ts'
import { siteObjects } from './support/site-objects.ts'

const site = {
  namespace: 'shop',
  name: 'web',
  host: 'web.example',
  addresses: ['198.18.6.1'],
  port: 8080,
}
const read = ['get', 'list', 'watch']
const account: Manifest = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'headgate', namespace: site.namespace },
}

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

const reading: readonly Rule[] = [
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: read },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
  { apiGroups: [''], resources: ['services'], verbs: read },
]
const leading: Rule = {
  apiGroups: ['coordination.k8s.io'],
  resources: ['leases'],
  verbs: ['get', 'create', 'update'],
}

function granting(rules: readonly Rule[]): Manifest[] {
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'headgate' } }
  const subject = { kind: 'ServiceAccount', name: 'headgate', namespace: site.namespace }
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'headgate' }
  return [
    { ...rbac, kind: 'ClusterRole', rules },
    { ...rbac, kind: 'ClusterRoleBinding', roleRef, subjects: [subject] },
  ]
}

async function startEndpoint(t: TestContext): Promise<void> {
  const server = createServer((_request, response) => response.end('served'))
  await new Promise<void>((resolve) => server.listen(site.port, site.addresses[0], resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
}

/** What was logged that a pattern finds, as often as it was. */
function linesWith(program: Program, pattern: RegExp): string[] {
  return program.stderr.split('\n').filter((line) => pattern.test(line))
}

/** Rights that the account lacks, and the line that says so. */
const missing = {
  classes: /RBAC does not allow to list and watch ingressclasses\.networking\.k8s\.io/,
  secrets: /RBAC does not allow to list and watch secrets \(name web-tls\) in namespace shop/,
  lease: /cannot get resource \\"leases\\" in API group \\"coordination\.k8s\.io\\"/,
  status: /cannot patch resource \\"ingresses\/status\\" in API group \\"networking\.k8s\.io\\"/,
  events: /cannot create resource \\"events\\" in API group \\"events\.k8s\.io\\"/,
}

test('each right that is missing is one line that names verb and resource; the rest works', async (t) => {
  const { kubeconfig } = await startControlPlane(t)
  const api = ClusterApi.ofKubeconfig(kubeconfig)
  t.after(async () => {
    await api.close()
  })
  await startEndpoint(t)
  await api.createNamespace(site.namespace)
  const [ingress, ...others] = siteObjects(site)
  assert.ok(ingress)
  const tls = [{ hosts: [site.host], secretName: 'web-tls' }]
  const annotations = { 'nginx.ingress.kubernetes.io/ssl-redirect': 'false' }
  const metadata = { ...ingress.metadata, annotations }
  const spec = { ...(ingress['spec'] as object), tls, ingressClassName: 'headgate' }
  await api.apply([account, ...granting(reading), { ...ingress, metadata, spec }, ...others])
  const file = join(createDataFolder(t), 'kubeconfig')
  const reader = api.withToken(await api.createToken(site.namespace, 'headgate'))
  reader.writeKubeconfig(file)
  await reader.close()

  const [http = 0, admin = 0] = await freePorts(2)
  const program = new Program(t, [
    'serve',
    `--kubeconfig=${file}`,
    `--http-port=${http}`,
    '--https-port=0',
    `--admin-port=${admin}`,
    '--workers=1',
    '--bind-address=127.0.0.1',
    '--watch-namespace=shop',
    '--election-namespace=shop',
    '--publish-status-address=192.0.2.10',
  ])
  await untilReady(program, admin)
  const body = async (): Promise<string> =>
    (await ask(http, '/', { headers: { host: site.host } })).body
  assert.equal(await body(), 'served')
  await until(() => linesWith(program, missing.lease).length > 0)
  await until(() => linesWith(program, missing.secrets).length > 0)
  // Without classes it is served by the name of ours, which is said in place of an error.
  assert.equal(linesWith(program, missing.classes).length, 0)
  assert.match((await ask(admin, '/api/diagnostics')).body, /class-by-name/)

  // Granted while it runs: it leads, and finds out what else is missing.
  await api.apply(granting([...reading, leading]))
  await until(async () => (await ask(admin, '/metrics')).body.includes('headgate_leader 1'))
  await until(() => linesWith(program, missing.status).length > 0)
  await until(() => linesWith(program, missing.events).length > 0)
  for (const [name, pattern] of Object.entries(missing)) {
    assert.ok(linesWith(program, pattern).length <= 1, `${name} is said more than once`)
  }
  assert.equal(await body(), 'served')
})
