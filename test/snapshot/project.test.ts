import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyObject, ObjectByKind } from '#src/snapshot/objects.ts'
import { project } from '#src/snapshot/project.ts'
import { backend, configMap, ingress, ingressClass, secret, service, slice } from './raw.ts'
import type { Raw } from './raw.ts'

/** The only object of a document without problems. */
function one<K extends AnyObject['kind']>(kind: K, document: Raw): ObjectByKind[K] {
  const { objects, problems } = project(document, 'a.yaml')
  assert.deepEqual(problems, [])
  assert.equal(objects.length, 1)
  assert.equal(objects[0]?.kind, kind)
  return objects[0] as ObjectByKind[K]
}

/** Maps of strings have no prototype; a copy has. */
function plain(map: Readonly<Record<string, string>>): Record<string, string> {
  return { ...map }
}

test('an Ingress keeps what routes need', () => {
  const read = one(
    'Ingress',
    ingress(
      {
        ingressClassName: 'headgate',
        defaultBackend: { resource: { apiGroup: 'x.example', kind: 'Bucket', name: 'b' } },
        tls: [{ hosts: ['a.example'], secretName: 'cert' }, {}],
        rules: [
          { host: 'a.example', http: { paths: [{ path: '/', pathType: 'Exact', backend }] } },
          { http: { paths: [{ backend: { service: { name: 'web', port: { name: 'http' } } } }] } },
          { host: 'b.example' },
        ],
      },
      {
        name: 'web',
        namespace: 'shop',
        uid: 'u',
        generation: 3,
        creationTimestamp: '2024-05-01T00:00:00Z',
        annotations: { 'a/b': 'c', 'd/e': null },
        managedFields: [{ manager: 'kubectl' }],
      },
    ),
  )
  assert.equal(read.className, 'headgate')
  assert.equal(read.file, 'a.yaml')
  assert.deepEqual(read.defaultBackend, {
    resource: { apiGroup: 'x.example', kind: 'Bucket', name: 'b' },
  })
  assert.deepEqual(read.tls, [
    { hosts: ['a.example'], secretName: 'cert' },
    { hosts: [], secretName: '' },
  ])
  assert.deepEqual(read.rules, [
    {
      host: 'a.example',
      paths: [{ path: '/', pathType: 'Exact', backend: { service: { name: 'web', port: 80 } } }],
    },
    {
      host: '',
      paths: [
        {
          path: '',
          pathType: 'ImplementationSpecific',
          backend: { service: { name: 'web', port: 'http' } },
        },
      ],
    },
    { host: 'b.example', paths: undefined },
  ])
  const { annotations, labels, ...metadata } = read.metadata
  assert.deepEqual(metadata, {
    namespace: 'shop',
    name: 'web',
    uid: 'u',
    createdMs: Date.UTC(2024, 4, 1),
    generation: 3,
  })
  assert.deepEqual(plain(annotations), { 'a/b': 'c', 'd/e': '' })
  assert.deepEqual(plain(labels), {})
})

test('an IngressClass names its controller and parameters', () => {
  const parameters = { kind: 'Options', name: 'o', scope: 'Namespace', namespace: 'n' }
  const read = one('IngressClass', ingressClass({ controller: 'x.example/c', parameters }))
  assert.equal(read.metadata.namespace, '')
  assert.deepEqual(read.parameters, { kind: 'Options', name: 'o', namespace: 'n' })
})

test('a Service has the defaults of the API server', () => {
  const read = one('Service', service({ ports: [{ port: 80 }] }))
  const { kind, file, metadata, ...rest } = read
  assert.equal(`${kind} ${file} ${metadata.namespace}/${metadata.name}`, 'Service a.yaml shop/web')
  assert.deepEqual(rest, {
    type: 'ClusterIP',
    clusterIps: [],
    externalIps: [],
    externalName: '',
    ports: [{ name: '', port: 80, targetPort: 80, protocol: 'TCP', appProtocol: '' }],
    sessionAffinity: 'None',
    sessionAffinitySeconds: 10_800,
    trafficDistribution: '',
    loadBalancerAddresses: [],
  })
})

test('a Service keeps its ports, addresses and affinity', () => {
  const read = one(
    'Service',
    service(
      {
        type: 'LoadBalancer',
        clusterIP: '10.0.0.1',
        selector: { app: 'web' },
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
        trafficDistribution: 'PreferClose',
        ports: [
          { name: 'http', port: 80, targetPort: 'pod-http', nodePort: 30_080 },
          { name: 'dns', port: 53, targetPort: 0, protocol: 'UDP', appProtocol: 'x' },
        ],
      },
      {
        status: {
          loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.example' }, {}] },
        },
      },
    ),
  )
  assert.deepEqual(read.clusterIps, ['10.0.0.1'])
  assert.equal(read.sessionAffinitySeconds, 60)
  assert.deepEqual(read.loadBalancerAddresses, ['192.0.2.1', 'lb.example'])
  assert.deepEqual(
    read.ports.map(({ name, targetPort, protocol }) => [name, targetPort, protocol]),
    [
      ['http', 'pod-http', 'TCP'],
      ['dns', 53, 'UDP'],
    ],
  )
})

test('conditions of endpoints that are absent mean ready and serving', () => {
  const read = one(
    'EndpointSlice',
    slice({
      addressType: 'IPv4',
      ports: [
        { name: 'http', port: 8080 },
        { name: 'every', port: null },
      ],
      endpoints: [
        { addresses: ['10.0.0.1', '10.0.0.2'] },
        { addresses: ['10.0.0.3'], conditions: { ready: false, serving: null, terminating: true } },
        {
          addresses: ['10.0.0.4'],
          zone: 'z',
          nodeName: 'n',
          targetRef: { kind: 'Pod', uid: 'u', name: 'p' },
          hints: { forZones: [{ name: 'z' }], forNodes: [{ name: 'n' }] },
        },
      ],
    }),
  )
  assert.equal(read.metadata.namespace, 'default')
  assert.equal(read.serviceName, 'web')
  assert.deepEqual(read.ports, [{ name: 'http', port: 8080, protocol: 'TCP', appProtocol: '' }])
  const conditions = read.endpoints.map(({ address, ready, serving, terminating }) => {
    return [address, ready, serving, terminating]
  })
  assert.deepEqual(conditions, [
    ['10.0.0.1', true, true, false],
    ['10.0.0.3', false, true, true],
    ['10.0.0.4', true, true, false],
  ])
  const { zone, nodeName, zoneHints, nodeHints, targetUid, targetName } = read.endpoints[2] ?? {}
  assert.deepEqual(
    [zone, nodeName, zoneHints, nodeHints, targetUid, targetName],
    ['z', 'n', ['z'], ['n'], 'u', 'p'],
  )
})

test('a slice without endpoints or ports is empty', () => {
  for (const nothing of [null, undefined, []]) {
    const read = one(
      'EndpointSlice',
      slice({ addressType: 'IPv6', ports: nothing, endpoints: nothing }),
    )
    assert.deepEqual([read.ports, read.endpoints], [[], []])
  }
})

test('a Secret holds bytes; stringData wins over data', () => {
  const data = { a: 'aGk=', b: '/w==', c: 'b2xk', 'tls.crt': 'aG\nk=\r\n', e: '' }
  const read = one('Secret', secret({ data, stringData: { c: 'né' } }))
  assert.equal(read.type, 'Opaque')
  assert.deepEqual(plain(read.data), { a: 'hi', b: '\xff', c: 'n\xc3\xa9', 'tls.crt': 'hi', e: '' })
})

test('data of a ConfigMap are strings', () => {
  const { data } = one('ConfigMap', configMap({ 'keep-alive': '75' }))
  assert.deepEqual(plain(data), { 'keep-alive': '75' })
})

test('maps answer for their entries alone', () => {
  const data = JSON.parse('{"__proto__": "x", "constructor": "y"}') as unknown
  const read = one('ConfigMap', configMap(data))
  assert.equal(read.data['__proto__'], 'x')
  assert.equal(read.data['constructor'], 'y')
  assert.equal(read.data['toString'], undefined)
  assert.equal(({} as Raw)['x'], undefined)
})

test('a Namespace has a phase', () => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } }
  assert.equal(one('Namespace', namespace).phase, 'Active')
  assert.equal(
    one('Namespace', { ...namespace, status: { phase: 'Terminating' } }).phase,
    'Terminating',
  )
})
