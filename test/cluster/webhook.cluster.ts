import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Registry } from 'prom-client'
import { defaultCompileSettings } from '#src/compile/settings.ts'
import { AdmissionDuty } from '#src/controller/admission-duty.ts'
import { createApiClient } from '#src/kubernetes/api-client.ts'
import { createLogger } from '#src/observe/log.ts'
import { project } from '#src/snapshot/project.ts'
import { Store } from '#src/snapshot/store.ts'
import { ClusterApi } from './support/cluster-api.ts'
import type { Manifest } from './support/cluster-api.ts'
import { createDataFolder, startControlPlane } from './support/control-plane.ts'
import { run } from './support/kubectl.ts'
import { siteObjects } from './support/site-objects.ts'

/** Its own in this network namespace. */
const port = 9443
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
const configuration: Manifest = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'headgate' },
  webhooks: [
    {
      name: 'ingress.headgate.dev',
      clientConfig: { url: `https://127.0.0.1:${port}/` },
      rules: [
        {
          apiGroups: ['networking.k8s.io'],
          apiVersions: ['v1'],
          operations: ['CREATE', 'UPDATE'],
          resources: ['ingresses'],
        },
      ],
      // So that the test sees when it is not called.
      failurePolicy: 'Fail',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      timeoutSeconds: 5,
    },
  ],
}

async function startWebhook(t: TestContext, kubeconfig: string, api: ClusterApi) {
  const client = await createApiClient({
    cluster: { files: [kubeconfig], context: '' },
    userAgent: 'headgate-test',
  })
  const store = new Store()
  const registry = new Registry()
  const duty = new AdmissionDuty({
    settings: {
      port,
      files: undefined,
      managed: { configuration: 'headgate', namespace: 'ops', secret: 'headgate-webhook' },
    },
    compile: defaultCompileSettings,
    client,
    leading: () => true,
    publishedOf: () => [],
    registry,
    log: createLogger({ format: 'text', level: 'error', now: Date.now, write: () => undefined }),
  })
  t.after(async () => {
    await duty.stop()
    await client.close()
  })
  await duty.start()
  const look = async (): Promise<void> => {
    const kinds = ['networking.k8s.io/v1/ingresses', 'networking.k8s.io/v1/ingressclasses']
    for (const path of [...kinds.map((kind) => `/apis/${kind}`), '/api/v1/services']) {
      for (const object of project(await api.get<object>(path), '').objects) store.put(object)
    }
    duty.compiled({ version: 1, snapshot: store.freeze(), served: [], findings: [] })
  }
  return { look, registry }
}

test('the API server asks, trusts the certificate made here, and shows refusals and warnings', async (t) => {
  const { kubeconfig } = await startControlPlane(t)
  const api = ClusterApi.ofKubeconfig(kubeconfig)
  t.after(async () => {
    await api.close()
  })
  for (const name of ['ops', 'shop']) await api.createNamespace(name)
  const [, service] = siteObjects(site)
  await api.apply([headgateClass, service as Manifest, configuration])
  const { look, registry } = await startWebhook(t, kubeconfig, api)
  await look()
  const folder = createDataFolder(t)
  const apply = async (annotations: object, name = 'web', more: readonly string[] = []) => {
    const [ingress] = siteObjects({ ...site, name })
    const { spec, metadata, ...rest } = ingress as Manifest
    const file = join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify({ ...rest, metadata: { ...metadata, annotations }, spec }))
    return await run('kubectl', ['--kubeconfig', kubeconfig, 'apply', '-f', file, ...more])
  }
  // The authority reaches the configuration, and all of the API server, in a while.
  let applied = await apply({})
  while (/x509|tls|connection|no endpoints/i.test(applied.stderr)) applied = await apply({})
  assert.equal(applied.stderr, '')
  assert.match(applied.stdout, /web created/)
  await look()

  const bad = await apply({ 'nginx.ingress.kubernetes.io/proxy-body-size': 'much' })
  assert.match(bad.stderr, /"ingress\.headgate\.dev" denied the request: nginx\S+proxy-body-size: /)
  assert.match(bad.stderr, /got "much"/)
  const conflict = await apply({}, 'second', ['--dry-run=server'])
  assert.match(
    conflict.stderr,
    /denied the request: spec\.rules\[0\].* belongs to Ingress shop\/web/,
  )
  const [orphan] = siteObjects({ ...site, name: 'orphan', host: 'orphan.example' })
  const file = join(folder, 'orphan.json')
  writeFileSync(file, JSON.stringify(orphan))
  const warned = await run('kubectl', ['--kubeconfig', kubeconfig, 'apply', '-f', file])
  assert.match(warned.stderr, /^Warning: Ingress shop\/orphan: .*The route answers 503\./)
  assert.match(warned.stdout, /orphan created/)
  const metrics = await registry.metrics()
  for (const outcome of ['allowed', 'warned', 'denied']) {
    assert.match(metrics, new RegExp(`webhook_reviews_total\\{outcome="${outcome}"\\} [1-9]`))
  }
})
