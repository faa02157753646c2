import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Program, ask, freePorts } from '#test/commands/instance.ts'
import { ClusterApi } from './support/cluster-api.ts'
import type { Manifest } from './support/cluster-api.ts'
import { startControlPlane } from './support/control-plane.ts'
import { kubectl } from './support/kubectl.ts'
import { ingressOf, siteObjects } from './support/site-objects.ts'

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

/** Asks until the answer is right; the test's time-out ends it. */
async function until(question: () => Promise<boolean>): Promise<void> {
  while (!(await question())) await new Promise((resolve) => setTimeout(resolve, 200))
}

async function startReplica(t: TestContext, kubeconfig: string, name: string) {
  const [http = 0, admin = 0] = await freePorts(2)
  const ports = ['--http-port', String(http), '--https-port', '0', '--admin-port', String(admin)]
  const flags = ['--kubeconfig', kubeconfig, '--workers', '1']
  const publish = ['--publish-status-address', '192.0.2.10']
  const program = new Program(t, ['serve', ...ports, ...flags, ...publish], {
    environment: { POD_NAME: name, POD_NAMESPACE: 'ops' },
  })
  const leads = async (): Promise<boolean> => {
    const { body } = await ask(admin, '/api/status').catch(() => ({ body: '{}' }))
    return (JSON.parse(body) as { leader?: boolean }).leader === true
  }
  return { program, leads }
}

test('two replicas: the leader is killed, the other writes; it stops, and the Lease is free', async (t) => {
  const { kubeconfig } = await startControlPlane(t)
  const api = ClusterApi.ofKubeconfig(kubeconfig)
  t.after(async () => {
    await api.close()
  })
  for (const name of ['ops', 'shop']) await api.createNamespace(name)
  await api.apply([headgateClass, ...siteObjects(site)])
  const jsonpath = async (what: string): Promise<string> =>
    await kubectl(kubeconfig, ['get', ...what.split(' ')])
  const address = async (name: string): Promise<string> =>
    await jsonpath(`ingress ${name} -n shop -o jsonpath={.status.loadBalancer.ingress[*].ip}`)
  const holder = async (): Promise<string> =>
    await jsonpath('lease headgate-leader -n ops -o jsonpath={.spec.holderIdentity}')

  const a = await startReplica(t, kubeconfig, 'pod-a')
  await until(a.leads)
  const b = await startReplica(t, kubeconfig, 'pod-b')
  await until(async () => (await address('web')) === '192.0.2.10')
  assert.match(await holder(), /^pod-a_/)
  const reasonsOf = async (name: string): Promise<string> => {
    const chosen = `--field-selector involvedObject.kind=Ingress,involvedObject.name=${name}`
    return await jsonpath(`events -n shop ${chosen} -o jsonpath={.items[*].reason}`)
  }
  await until(async () => (await reasonsOf('web')) === 'Accepted')

  a.program.child.kill('SIGKILL')
  const annotations = { 'nginx.ingress.kubernetes.io/proxy-body-size': 'much' }
  const second = ingressOf({ ...site, name: 'second', host: 'b.example', annotations })
  await api.apply([second])
  await until(b.leads)
  assert.match(await holder(), /^pod-b_/)
  await until(async () => (await address('second')) === '192.0.2.10')
  await until(async () => {
    const reasons = await reasonsOf('second')
    return reasons.includes('AnnotationInvalid') && reasons.includes('ServiceMissing')
  })

  b.program.child.kill('SIGTERM')
  assert.equal(await b.program.ended, 0)
  assert.equal(await holder(), '')
  // Nobody knows whether it was the last: no Pod of its name is there.
  assert.equal(await address('web'), '192.0.2.10')
  assert.match(b.program.stderr, /whether this is the last replica is not known/)
})
