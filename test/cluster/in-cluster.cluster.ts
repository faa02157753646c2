import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import {
  Program,
  ask,
  createFolder,
  freePorts,
  until,
  untilReady,
} from '#test/commands/instance.ts'
import { ClusterApi } from './support/cluster-api.ts'
import type { Manifest } from './support/cluster-api.ts'
import { createDataFolder, launchControlPlane } from './support/control-plane.ts'
import { endpointSliceOf, siteObjects } from './support/site-objects.ts'

const site = {
  namespace: 'shop',
  name: 'web',
  host: 'web.example',
  addresses: ['198.18.5.1'],
  port: 8080,
}
const account: Manifest = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'headgate', namespace: site.namespace },
}
const read = { verbs: ['get', 'list', 'watch'] }
const rights: readonly Manifest[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'headgate' },
    rules: [
      { ...read, apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'ingressclasses'] },
      { ...read, apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'] },
      { ...read, apiGroups: [''], resources: ['services'] },
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'headgate' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'headgate' },
    subjects: [{ kind: 'ServiceAccount', name: 'headgate', namespace: site.namespace }],
  },
]

/** A folder as the kubelet projects it: its files are links into one that is replaced as a whole. */
class Projection {
  readonly folder: string
  #round = 0

  constructor(t: TestContext) {
    this.folder = createFolder(t)
  }

  write(files: Readonly<Record<string, string>>): void {
    const round = `..${++this.#round}`
    const at = (name: string): string => join(this.folder, name)
    mkdirSync(at(round))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(at(round), name), text)
    symlinkSync(round, at('..data_tmp'))
    renameSync(at('..data_tmp'), at('..data'))
    if (this.#round > 1) return
    for (const name of Object.keys(files)) symlinkSync(`..data/${name}`, at(name))
  }
}

/** In front of a program: a folder becomes the service account of its Pod. */
function inPod(folder: string): readonly string[] {
  const place = '/run/secrets/kubernetes.io/serviceaccount'
  const script = `mount -t tmpfs tmpfs /run && mkdir -p ${place} && mount --bind "$0" ${place} && exec "$@"`
  return ['unshare', '-m', 'sh', '-c', script, folder]
}

function authorityOf(kubeconfig: string): string {
  const { clusters } = parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }]
  }
  const data = clusters[0].cluster['certificate-authority-data'] ?? ''
  return Buffer.from(data, 'base64').toString('utf8')
}

async function startEndpoints(t: TestContext, ...addresses: string[]): Promise<void> {
  for (const address of addresses) {
    const server = createServer((_request, response) => response.end(address))
    await new Promise<void>((resolve) => server.listen(site.port, address, resolve))
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
  }
}

test('in a Pod no flag is needed: address, authority, namespace and a token that rotates are around it', async (t) => {
  const folder = createDataFolder(t)
  const first = await launchControlPlane({ folder })
  t.after(first.stop)
  const api = ClusterApi.ofKubeconfig(first.kubeconfig)
  t.after(async () => {
    await api.close()
  })
  await startEndpoints(t, '198.18.5.1', '198.18.5.2')
  await api.createNamespace(site.namespace)
  const headgateClass: Manifest = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'headgate' },
    spec: { controller: 'headgate.dev/ingress-controller' },
  }
  await api.apply([account, ...rights, headgateClass, ...siteObjects(site)])
  const projection = new Projection(t)
  const project = async (): Promise<void> => {
    projection.write({
      token: await api.createToken(site.namespace, 'headgate'),
      'ca.crt': authorityOf(first.kubeconfig),
      namespace: site.namespace,
    })
  }
  await project()

  const [http = 0, admin = 0] = await freePorts(2)
  const ports = [`--http-port=${http}`, '--https-port=0', `--admin-port=${admin}`]
  const program = new Program(t, ['serve', ...ports, '--workers=1', '--log-level=debug'], {
    within: inPod(projection.folder),
    environment: {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(first.port),
      // Loopback is never asked through a proxy.
      HTTPS_PROXY: 'http://127.0.0.1:1',
    },
  })
  const body = async (): Promise<string> =>
    (await ask(http, '/', { headers: { host: site.host } })).body
  await untilReady(program, admin)
  assert.equal(await body(), '198.18.5.1')
  // The namespace of the Lease is that of the Pod, where this account has no rights.
  await until(() => /leases.* in the namespace \\?"shop\\?"/.test(program.stderr))

  // Another account of the same name: the old token counts no more.
  await api.delete(account)
  await api.apply([account])
  await project()
  await first.stop()
  const second = await launchControlPlane({ folder, port: first.port })
  t.after(second.stop)
  await api.apply([endpointSliceOf({ ...site, addresses: ['198.18.5.2'] })])
  await until(async () => (await body()) === '198.18.5.2')
  assert.equal(program.running, true)
})

test('in a Pod whose variables are wrong: one line, exit 1', async (t) => {
  const projection = new Projection(t)
  projection.write({ token: 'any', 'ca.crt': '', namespace: 'shop' })
  const program = new Program(t, ['serve', '--http-port=0', '--https-port=0', '--admin-port=0'], {
    within: inPod(projection.folder),
    environment: { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: 'tcp://x' },
  })
  assert.equal(await program.ended, 1)
  assert.match(
    program.stderr,
    /^headgate: KUBERNETES_SERVICE_HOST "127\.0\.0\.1" and KUBERNETES_SERVICE_PORT "tcp:\/\/x" must name the API server\n$/,
  )
})
