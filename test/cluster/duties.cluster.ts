import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Registry } from 'prom-client'
import { Compiler } from '#src/compile/compiler.ts'
import { defaultCompileSettings } from '#src/compile/settings.ts'
import { ClusterDuties } from '#src/controller/cluster-duties.ts'
import { createApiClient } from '#src/kubernetes/api-client.ts'
import { createLogger } from '#src/observe/log.ts'
import { project } from '#src/snapshot/project.ts'
import { Store } from '#src/snapshot/store.ts'
import { certificateReaders } from '#src/transport/certificate-readers.ts'
import { ClusterApi } from './support/cluster-api.ts'
import type { Manifest } from './support/cluster-api.ts'
import { startControlPlane } from './support/control-plane.ts'
import { kubectl } from './support/kubectl.ts'
import { siteObjects } from './support/site-objects.ts'

/** Short, so that the test is. */
const timing = { leaseMs: 3000, renewDeadlineMs: 2000, retryMs: 400 }
const site = {
  namespace: 'shop',
  name: 'web',
  host: 'shop.example',
  addresses: ['198.18.0.1'],
  port: 8080,
}
const headgateClass: Manifest = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name: 'headgate' },
  spec: { controller: 'headgate.dev/ingress-controller' },
}
const lists = [
  '/apis/networking.k8s.io/v1/ingresses',
  '/apis/networking.k8s.io/v1/ingressclasses',
  '/api/v1/services',
]

/** A replica with its own view of the cluster, which it takes when the test says so. */
class Replica {
  readonly duties: ClusterDuties
  readonly store = new Store()
  readonly registry = new Registry()
  readonly logged: string[] = []
  readonly cut: () => Promise<void>
  readonly #compiler = new Compiler(defaultCompileSettings, certificateReaders)
  readonly #api: ClusterApi
  #version = 0

  // oxlint-disable-next-line max-params -- made in one place
  private constructor(
    api: ClusterApi,
    client: Awaited<ReturnType<typeof createApiClient>>,
    name: string,
    publish: readonly string[],
  ) {
    this.#api = api
    this.cut = async () => {
      await client.close()
    }
    this.duties = new ClusterDuties({
      client,
      registry: this.registry,
      publishedOf: (namespace, ingress) => this.store.publishedOf(namespace, ingress),
      timing,
      settings: {
        identity: name,
        pod: { namespace: 'ops', name },
        election: { id: 'headgate-leader', namespace: 'ops' },
        publish: { addresses: publish, service: undefined },
        updateStatus: true,
        controllerClass: 'headgate.dev/ingress-controller',
        namespaces: [],
      },
      onLeading: () => undefined,
      log: createLogger({
        format: 'text',
        level: 'debug',
        now: Date.now,
        write: (line) => this.logged.push(line),
      }),
    })
  }

  static async create(
    t: TestContext,
    { api, kubeconfig, name, publish = ['192.0.2.10'] }: ReplicaOptions,
  ): Promise<Replica> {
    const cluster = { files: [kubeconfig], context: '' }
    const client = await createApiClient({ cluster, userAgent: 'headgate-test' })
    const replica = new Replica(api, client, name, publish)
    t.after(async () => {
      await replica.duties.stop()
      await client.close()
    })
    await replica.duties.start()
    return replica
  }

  /** Reads everything, compiles it, and takes it for settled. */
  async look(): Promise<void> {
    for (const path of lists) {
      const list = await this.#api.get<object>(path)
      for (const object of project(list, '').objects) this.store.put(object)
    }
    const snapshot = this.store.freeze()
    const { served, diagnostics: findings } = this.#compiler.compile(snapshot, Date.now())
    const version = ++this.#version
    this.duties.settled(version)
    this.duties.compiled({ version, snapshot, served, findings })
  }
}

interface ReplicaOptions {
  readonly api: ClusterApi
  readonly kubeconfig: string
  readonly name: string
  readonly publish?: readonly string[]
}

/** Asks until the answer is right; the test's time-out ends it. */
async function until(question: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await question())) await new Promise((resolve) => setTimeout(resolve, 50))
}

/** A Pod of ours; what tells revisions apart is another one each. */
function podOf(name: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'ops', labels: { app: 'headgate', 'pod-template-hash': name } },
    spec: { nodeName: 'lab-1', containers: [{ name: 'headgate', image: 'headgate' }] },
  }
}

async function startCluster(t: TestContext) {
  const { kubeconfig } = await startControlPlane(t)
  const api = ClusterApi.ofKubeconfig(kubeconfig)
  t.after(async () => {
    await api.close()
  })
  for (const name of ['ops', 'shop']) await api.createNamespace(name)
  await api.apply([headgateClass, ...siteObjects(site)])
  const shown = async (): Promise<string> =>
    await kubectl(
      kubeconfig,
      'get ingress web -n shop -o jsonpath={.status.loadBalancer}'.split(' '),
    )
  const holder = async (): Promise<string> =>
    await kubectl(
      kubeconfig,
      'get lease headgate-leader -n ops -o jsonpath={.spec.holderIdentity}'.split(' '),
    )
  return { api, kubeconfig, shown, holder }
}

test('one replica leads and writes; cut off, it is followed, and what it left is taken over', async (t) => {
  const { api, kubeconfig, shown, holder } = await startCluster(t)
  const a = await Replica.create(t, { api, kubeconfig, name: 'pod-a' })
  await until(() => a.duties.leading)
  const b = await Replica.create(t, { api, kubeconfig, name: 'pod-b' })
  await Promise.all([a.look(), b.look()])
  await until(async () => (await shown()) === '{"ingress":[{"ip":"192.0.2.10"}]}')
  assert.equal(await holder(), 'pod-a')
  assert.equal(b.duties.leading, false)

  await a.cut()
  await until(() => b.duties.leading)
  assert.equal(a.duties.leading, false)
  assert.equal(await holder(), 'pod-b')
  await kubectl(kubeconfig, [
    ...'patch ingress web -n shop --type merge -p'.split(' '),
    '{"spec":{"ingressClassName":"theirs"}}',
  ])
  await b.look()
  await until(async () => (await shown()) === '{}')
})

test('findings and acceptance are Events that kubectl shows', async (t) => {
  const { api, kubeconfig } = await startCluster(t)
  const broken = siteObjects({ ...site, name: 'broken', host: 'broken.example' })[0] as Manifest
  const annotations = { 'nginx.ingress.kubernetes.io/proxy-body-size': 'much' }
  await api.apply([{ ...broken, metadata: { ...broken.metadata, annotations } }])
  const a = await Replica.create(t, { api, kubeconfig, name: 'pod-a' })
  await until(() => a.duties.leading)
  await a.look()
  await until(async () => (await a.registry.metrics()).includes('events_total{result="written"} 3'))
  const by = 'headgate.dev/ingress-controller'
  const events = await kubectl(kubeconfig, [
    ...`get events.events.k8s.io -n shop --field-selector reportingController=${by}`.split(' '),
    ...'--sort-by=.reason -o'.split(' '),
    'jsonpath={range .items[*]}{.type} {.reason} {.regarding.name} {.reportingController}: {.note}{"\\n"}{end}',
  ])
  const lines = events.trim().split('\n')
  assert.equal(lines[0], `Normal Accepted web ${by}: in force as written`)
  assert.match(lines[1] ?? '', /^Warning AnnotationInvalid broken \S+: .*proxy-body-size.*"much"/)
  assert.match(lines[2] ?? '', /^Warning ServiceMissing broken \S+: /)
  // Whoever leads next knows what was said.
  await a.duties.stop()
  const b = await Replica.create(t, { api, kubeconfig, name: 'pod-b' })
  await until(() => b.duties.leading)
  await b.look()
  await api.apply(siteObjects({ ...site, name: 'third', host: 'third.example' }))
  await b.look()
  await until(async () => (await b.registry.metrics()).includes('events_total{result="written"} 1'))
  const after = await kubectl(
    kubeconfig,
    `get events.events.k8s.io -n shop --field-selector reportingController=${by} -o name`.split(
      ' ',
    ),
  )
  assert.equal(after.trim().split('\n').length, 4)
})

test('addresses of nodes; a rolling update leaves them, the last replica takes them away', async (t) => {
  const { api, kubeconfig, shown } = await startCluster(t)
  const node: Manifest = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'lab-1' } }
  await api.apply([node, podOf('pod-a'), podOf('pod-b')])
  const addresses = [
    { type: 'InternalIP', address: '10.0.0.1' },
    { type: 'ExternalIP', address: '192.0.2.77' },
  ]
  await api.patchStatus(node, { addresses })
  for (const name of ['pod-a', 'pod-b']) await api.patchStatus(podOf(name), { phase: 'Running' })
  const a = await Replica.create(t, { api, kubeconfig, name: 'pod-a', publish: [] })
  await until(() => a.duties.leading)
  await a.look()
  await until(async () => (await shown()) === '{"ingress":[{"ip":"192.0.2.77"}]}')
  await a.look()
  const stoppedMs = performance.now()
  await a.duties.stop()
  assert.equal(await shown(), '{"ingress":[{"ip":"192.0.2.77"}]}')
  await kubectl(kubeconfig, 'delete pod pod-a -n ops --grace-period=0 --force'.split(' '))
  const b = await Replica.create(t, { api, kubeconfig, name: 'pod-b', publish: [] })
  await until(() => b.duties.leading)
  assert.ok(performance.now() - stoppedMs < 20_000)
  await b.look()
  await b.duties.stop()
  assert.equal(await shown(), '{}')
})
