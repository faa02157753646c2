import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { connect } from 'node:tls'
import { createSelfSignedCertificate } from '#src/transport/self-signed.ts'
import { ask, freePorts, Program, until, untilReady } from '#test/commands/instance.ts'
import type { Ports } from '#test/commands/instance.ts'
import { ClusterApi } from './support/cluster-api.ts'
import type { Manifest } from './support/cluster-api.ts'
import { createDataFolder, launchControlPlane, startControlPlane } from './support/control-plane.ts'
import { endpointSliceOf, siteObjects } from './support/site-objects.ts'

const controllerClass = 'headgate.dev/ingress-controller'
const classObject = (name: string, annotations: Record<string, string> = {}): Manifest => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name, annotations },
  spec: { controller: controllerClass },
})
const site = (name: string, addresses: readonly string[]) => ({
  namespace: 'shop',
  name,
  host: `${name}.example`,
  addresses,
  port: 8080,
})

function apiOf(t: TestContext, kubeconfig: string): ClusterApi {
  const api = ClusterApi.ofKubeconfig(kubeconfig)
  t.after(async () => {
    await api.close()
  })
  return api
}

/** Endpoints that answer with their address. */
async function startEndpoints(t: TestContext, ...addresses: string[]): Promise<void> {
  for (const address of addresses) {
    const server = createServer((_request, response) => response.end(address))
    await new Promise<void>((resolve) => server.listen(8080, address, resolve))
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
  }
}

async function startServing(
  t: TestContext,
  kubeconfig: string,
  flags: readonly string[] = [],
): Promise<{ program: Program; ports: Ports }> {
  const [http = 0, https = 0, admin = 0] = await freePorts(3)
  const program = new Program(t, [
    'serve',
    `--kubeconfig=${kubeconfig}`,
    `--http-port=${http}`,
    `--https-port=${https}`,
    `--admin-port=${admin}`,
    '--bind-address=127.0.0.1',
    '--workers=1',
    ...flags,
  ])
  await untilReady(program, admin)
  return { program, ports: { http, https, admin } }
}

async function bodyAt({ http }: Ports, host: string): Promise<string> {
  const { status, body } = await ask(http, '/', { headers: { host } })
  return status === 200 ? body : String(status)
}

async function nameOfCertificate(port: number, servername: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false })
    socket.on('error', reject)
    socket.on('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.subject ?? '')
      socket.destroy()
    })
  })
}

async function findingCodes({ admin }: Ports): Promise<string[]> {
  const { body } = await ask(admin, '/api/diagnostics')
  return (JSON.parse(body) as { code: string }[]).map(({ code }) => code)
}

test('Ingresses of our class and of the default class are served, endpoints as they change', async (t) => {
  const { kubeconfig } = await startControlPlane(t)
  const api = apiOf(t, kubeconfig)
  await startEndpoints(t, '198.18.0.1', '198.18.0.2')
  await api.createNamespace('shop')
  const isDefault = { 'ingressclass.kubernetes.io/is-default-class': 'true' }
  await api.apply([classObject('headgate', isDefault)])
  const { ports } = await startServing(t, kubeconfig)
  assert.equal(await bodyAt(ports, 'web.example'), '404')
  const web = site('web', ['198.18.0.1'])
  await api.apply(siteObjects(web))
  await until(async () => (await bodyAt(ports, 'web.example')) === '198.18.0.1')
  // Without a class: admission fills in the default one.
  const [ingress, ...rest] = siteObjects(site('preset', ['198.18.0.2'])) as [
    Manifest,
    ...Manifest[],
  ]
  const spec = { ...(ingress['spec'] as object), ingressClassName: undefined }
  await api.apply([{ ...ingress, spec }, ...rest])
  await until(async () => (await bodyAt(ports, 'preset.example')) === '198.18.0.2')
  await api.apply([endpointSliceOf({ ...web, addresses: ['198.18.0.2'] })])
  await until(async () => (await bodyAt(ports, 'web.example')) === '198.18.0.2')
  await api.delete(ingress)
  await until(async () => (await bodyAt(ports, 'preset.example')) === '404')
})

test('a Secret that is made later is served, and one that goes leaves the default certificate', async (t) => {
  const { kubeconfig } = await startControlPlane(t)
  const api = apiOf(t, kubeconfig)
  await api.createNamespace('shop')
  await api.apply([classObject('headgate')])
  const [ingress, ...rest] = siteObjects(site('web', ['198.18.0.1'])) as [Manifest, ...Manifest[]]
  const tls = [{ hosts: ['web.example'], secretName: 'web-tls' }]
  await api.apply([{ ...ingress, spec: { ...(ingress['spec'] as object), tls } }, ...rest])
  const { ports } = await startServing(t, kubeconfig)
  assert.deepEqual(await findingCodes(ports), ['secret-missing'])
  const { certificatePem, keyPem } = await createSelfSignedCertificate({
    commonName: 'web.example',
    names: ['web.example'],
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
  })
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'web-tls', namespace: 'shop' },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certificatePem, 'tls.key': keyPem },
  }
  await api.apply([secret])
  await until(
    async () => (await nameOfCertificate(ports.https, 'web.example')) === 'CN=web.example',
  )
  await api.delete(secret)
  await until(
    async () => (await nameOfCertificate(ports.https, 'web.example')) !== 'CN=web.example',
  )
})

test('a Role in one namespace is enough for --watch-namespace, and says what is missing', async (t) => {
  const { kubeconfig } = await startControlPlane(t)
  const api = apiOf(t, kubeconfig)
  await startEndpoints(t, '198.18.0.1')
  await api.createNamespace('shop')
  const metadata = { name: 'headgate', namespace: 'shop' }
  const read = { verbs: ['get', 'list', 'watch'] }
  await api.apply([
    classObject('headgate'),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [
        { ...read, apiGroups: ['networking.k8s.io'], resources: ['ingresses'] },
        { ...read, apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'] },
        { ...read, apiGroups: [''], resources: ['services'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'headgate' },
      subjects: [{ kind: 'ServiceAccount', name: 'headgate', namespace: 'shop' }],
    },
    ...siteObjects({ ...site('web', ['198.18.0.1']), annotations: {} }),
  ])
  const reader = api.withToken(await api.createToken('shop', 'headgate'))
  t.after(async () => {
    await reader.close()
  })
  const file = join(createDataFolder(t), 'kubeconfig')
  reader.writeKubeconfig(file)
  const { ports } = await startServing(t, file, ['--watch-namespace=shop'])
  assert.equal(await bodyAt(ports, 'web.example'), '198.18.0.1')
  assert.deepEqual(await findingCodes(ports), ['class-by-name'])
})

test('the API server stands still, then is restarted (410): traffic is untouched, then it converges', async (t) => {
  const folder = createDataFolder(t)
  const first = await launchControlPlane({ folder })
  t.after(first.stop)
  const api = apiOf(t, first.kubeconfig)
  await startEndpoints(t, '198.18.0.1', '198.18.0.2')
  await api.createNamespace('shop')
  const web = site('web', ['198.18.0.1'])
  await api.apply([
    classObject('headgate'),
    ...siteObjects(web),
    ...siteObjects(site('old', ['198.18.0.1'])),
  ])
  const { ports, program } = await startServing(t, first.kubeconfig)
  first.process.kill('SIGSTOP')
  for (let i = 0; i < 50; i++) assert.equal(await bodyAt(ports, 'web.example'), '198.18.0.1')
  first.process.kill('SIGCONT')
  await first.stop()
  for (let i = 0; i < 50; i++) assert.equal(await bodyAt(ports, 'web.example'), '198.18.0.1')
  // What happens while nobody watches is seen afterwards, deletions too.
  const second = await launchControlPlane({ folder, port: first.port })
  t.after(second.stop)
  await api.apply([endpointSliceOf({ ...web, addresses: ['198.18.0.2'] })])
  const [old] = siteObjects(site('old', [])) as [Manifest]
  await api.delete(old)
  await until(async () => (await bodyAt(ports, 'web.example')) === '198.18.0.2')
  await until(async () => (await bodyAt(ports, 'old.example')) === '404')
  await until(async () => (await findingCodes(ports)).length === 0)
  assert.equal(program.running, true)
})
