import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressesOfNode, addressesOfService, statusEntry } from '#src/feedback/addresses.ts'
import { PublishedAddresses } from '#src/feedback/published-addresses.ts'
import type { PublishSettings } from '#src/feedback/published-addresses.ts'
import { Replicas } from '#src/feedback/replicas.ts'
import { service } from '#test/compile/builders.ts'
import { FakeApi, apiError, surroundings } from './fake-api.ts'

const services: readonly [what: string, parts: Parameters<typeof service>[1], is: string[]][] = [
  ['ClusterIP', { clusterIps: ['fd00::9', '10.0.0.9'] }, ['10.0.0.9', 'fd00::9']],
  ['headless', { clusterIps: ['None'] }, []],
  ['NodePort', { type: 'NodePort', clusterIps: ['10.0.0.9'] }, ['10.0.0.9']],
  [
    'NodePort with external IPs',
    { type: 'NodePort', externalIps: ['192.0.2.2', '192.0.2.1'] },
    ['192.0.2.1', '192.0.2.2'],
  ],
  [
    'LoadBalancer',
    {
      type: 'LoadBalancer',
      loadBalancerAddresses: ['lb.example', '192.0.2.1'],
      externalIps: ['192.0.2.1', '192.0.2.3'],
    },
    ['192.0.2.1', '192.0.2.3', 'lb.example'],
  ],
  ['LoadBalancer that waits', { type: 'LoadBalancer' }, []],
  ['ExternalName', { type: 'ExternalName', externalName: 'edge.example' }, ['edge.example']],
]

for (const [what, parts, is] of services) {
  test(`addresses of a Service: ${what}`, () => {
    assert.deepEqual(addressesOfService(service('edge', parts)), is)
  })
}

test('a node is reached at its external addresses, else at its internal ones', () => {
  const internal = { type: 'InternalIP', address: '10.0.0.1' }
  const external = { type: 'ExternalIP', address: '192.0.2.1' }
  const name = { type: 'Hostname', address: 'lab-1' }
  assert.deepEqual(addressesOfNode([internal, name, external]), ['192.0.2.1'])
  assert.deepEqual(addressesOfNode([internal, name]), ['10.0.0.1'])
  assert.deepEqual(addressesOfNode([name, { type: 'ExternalIP' }, {}]), [])
})

test('an IP is an ip, anything else a host name', () => {
  assert.deepEqual(statusEntry('192.0.2.1'), { ip: '192.0.2.1' })
  assert.deepEqual(statusEntry('2001:db8::1'), { ip: '2001:db8::1' })
  assert.deepEqual(statusEntry('lb.example'), { hostname: 'lb.example' })
})

const labels = { app: 'headgate', 'pod-template-hash': 'abc' }
const podOf = (name: string, more: { node?: string; phase?: string; ends?: boolean } = {}) => ({
  metadata: { name, labels, ...(more.ends === true && { deletionTimestamp: 'now' }) },
  spec: { nodeName: more.node },
  status: { phase: more.phase ?? 'Running' },
})

function stage(pods: readonly ReturnType<typeof podOf>[], publish: Partial<PublishSettings> = {}) {
  const { options, logged } = surroundings()
  const api = new FakeApi()
  api.answer = ({ path, query }) => {
    if (path === '/api/v1/namespaces/ops/pods/pod-a') return podOf('pod-a')
    if (path === '/api/v1/namespaces/ops/pods') {
      assert.deepEqual(query, { labelSelector: 'app=headgate' })
      return { items: pods }
    }
    if (path === '/api/v1/namespaces/ops/services/edge') {
      const spec = { type: 'NodePort', externalIPs: ['192.0.2.44'], ports: [{ port: 80 }] }
      const metadata = { namespace: 'ops', name: 'edge' }
      return { apiVersion: 'v1', kind: 'Service', metadata, spec }
    }
    const [, name] = /^\/api\/v1\/nodes\/(lab-\d)$/.exec(path) ?? []
    if (name === undefined) throw apiError(404)
    return { status: { addresses: [{ type: 'InternalIP', address: `10.0.0.${name.at(-1)}` }] } }
  }
  const replicas = new Replicas(api, { namespace: 'ops', name: 'pod-a' })
  const addresses = new PublishedAddresses({
    client: api,
    replicas,
    log: options.log,
    addresses: [],
    service: undefined,
    ...publish,
  })
  return { api, replicas, addresses, logged }
}

test('nodes of our running Pods, each once', async () => {
  const { addresses } = stage([
    podOf('pod-a', { node: 'lab-2' }),
    podOf('pod-b', { node: 'lab-1' }),
    podOf('pod-c', { node: 'lab-1' }),
    podOf('pod-d', { node: 'lab-3', phase: 'Pending' }),
  ])
  assert.deepEqual(await addresses.find(), ['10.0.0.1', '10.0.0.2'])
})

test('given addresses, then those of the Service, come first', async () => {
  const edge = { namespace: 'ops', name: 'edge' }
  assert.deepEqual(await stage([], { service: edge }).addresses.find(), ['192.0.2.44'])
  const given = stage([], { service: edge, addresses: ['b.example', '192.0.2.7', 'b.example'] })
  assert.deepEqual(await given.addresses.find(), ['192.0.2.7', 'b.example'])
  assert.equal(given.api.requests.length, 0)
})

test('what is not known is said once, and nothing is published', async () => {
  const missing = stage([], { service: { namespace: 'ops', name: 'none' } })
  assert.equal(await missing.addresses.find(), undefined)
  assert.equal(await missing.addresses.find(), undefined)
  assert.equal(missing.logged.length, 1)
  assert.match(missing.logged[0] ?? '', /--publish-service: Service ops\/none does not exist/)
  assert.equal(await stage([podOf('pod-a', { phase: 'Pending' })]).addresses.find(), undefined)
})

const others: readonly [what: string, pods: readonly ReturnType<typeof podOf>[], is: boolean][] = [
  ['nobody but this one', [podOf('pod-a')], false],
  ['one that runs', [podOf('pod-a'), podOf('pod-b')], true],
  ['one that is about to', [podOf('pod-a'), podOf('pod-b', { phase: 'Pending' })], true],
  ['one that ends', [podOf('pod-a'), podOf('pod-b', { ends: true })], false],
  ['one that has ended', [podOf('pod-a'), podOf('pod-b', { phase: 'Failed' })], false],
]

for (const [what, pods, is] of others) {
  test(`other replicas: ${what}`, async () => {
    assert.equal(await stage(pods).replicas.others(), is)
  })
}

test('a Pod without labels knows no others, and says so', async () => {
  const { api, replicas } = stage([])
  api.answer = () => ({ metadata: { name: 'pod-a' } })
  await assert.rejects(replicas.others(), /Pod ops\/pod-a has no labels/)
})
