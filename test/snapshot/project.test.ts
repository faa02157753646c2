import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { kinds } from '#src/snapshot/objects.ts'
import type { AnyObject, ObjectByKind } from '#src/snapshot/objects.ts'
import { isBuiltInGroup, project } from '#src/snapshot/project.ts'

type Raw = Record<string, unknown>

/** The only object of a document without problems. */
function one<K extends AnyObject['kind']>(kind: K, document: Raw): ObjectByKind[K] {
  const { objects, problems } = project(document, 'a.yaml')
  assert.deepEqual(problems, [])
  assert.equal(objects.length, 1)
  assert.equal(objects[0]?.kind, kind)
  return objects[0] as ObjectByKind[K]
}

/** `field: message` of everything that is wrong with a document. */
function wrong(document: unknown): string[] {
  return project(document, 'a.yaml').problems.map(({ field, message }) => `${field}: ${message}`)
}

/** Maps of strings have no prototype; a copy has. */
function plain(map: Readonly<Record<string, string>>): Record<string, string> {
  return { ...map }
}

const backend = { service: { name: 'web', port: { number: 80 } } }

function ingress(spec: unknown, metadata: unknown = { name: 'web', namespace: 'shop' }): Raw {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec }
}

function service(spec: unknown, more: Raw = {}): Raw {
  const metadata = { name: 'web', namespace: 'shop' }
  return { apiVersion: 'v1', kind: 'Service', metadata, spec, ...more }
}

function slice(more: Raw): Raw {
  const metadata = { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } }
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, ...more }
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
  const raw = (spec: unknown): Raw => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'headgate', namespace: 'is-dropped' },
    spec,
  })
  const parameters = { kind: 'Options', name: 'o', scope: 'Namespace', namespace: 'n' }
  const read = one('IngressClass', raw({ controller: 'x.example/c', parameters }))
  assert.equal(read.metadata.namespace, '')
  assert.deepEqual(read.parameters, { kind: 'Options', name: 'o', namespace: 'n' })
  assert.deepEqual(wrong(raw({})), ['spec.controller: is required'])
  assert.deepEqual(
    wrong(raw({ controller: 'c', parameters: { kind: 'O', name: 'o', scope: 'Namespace' } })),
    ['spec.parameters.namespace: is required'],
  )
})

test('a Service has the defaults of the API server', () => {
  const read = one('Service', service({ ports: [{ port: 80 }] }))
  const { kind, file, metadata, ...rest } = read
  assert.equal(`${kind} ${file} ${metadata.namespace}/${metadata.name}`, 'Service a.yaml shop/web')
  assert.deepEqual(rest, {
    type: 'ClusterIP',
    clusterIps: [],
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
  const read = one('Secret', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data: { a: 'aGk=', b: '/w==', c: 'b2xk', 'tls.crt': 'aG\nk=\r\n', e: '' },
    stringData: { c: 'né' },
  })
  assert.equal(read.type, 'Opaque')
  assert.deepEqual(plain(read.data), { a: 'hi', b: '\xff', c: 'n\xc3\xa9', 'tls.crt': 'hi', e: '' })
})

test('no problem of a Secret shows a value', () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }
  for (const value of ['hunter2', 'aGk', 'a===', '=aGk', 'aGk-', 1234567, true, ['hunter2']]) {
    const said = wrong({ ...secret, data: { key: value } })
    assert.ok(said.length > 0, String(value))
    assert.match(said[0] ?? '', /^data\[key\]: must be (base64|a string)$/)
  }
  const said = wrong({ ...secret, stringData: { key: 1234567 } })
  assert.deepEqual(said, ['stringData[key]: must be a string'])
})

test('data of a ConfigMap are strings', () => {
  const config = (data: unknown): Raw => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c' },
    data,
  })
  assert.deepEqual(plain(one('ConfigMap', config({ 'keep-alive': '75' })).data), {
    'keep-alive': '75',
  })
  assert.deepEqual(wrong(config({ 'keep-alive': 75, gzip: true })), [
    'keep-alive: must be a string, got 75',
    'gzip: must be a string, got true',
  ])
  assert.deepEqual(wrong(config({ 'a b': 'x' })), [
    'a b: has a key that is not of letters, digits, -, _ and . alone',
  ])
  assert.match(wrong(config({ a: 'x'.repeat(1 << 20), b: 'y' }))[0] ?? '', /^data: must not exceed/)
})

test('maps answer for their entries alone', () => {
  const data = JSON.parse('{"__proto__": "x", "constructor": "y"}') as unknown
  const read = one('ConfigMap', {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } },
    data,
  })
  assert.equal(read.data['__proto__'], 'x')
  assert.equal(read.data['constructor'], 'y')
  assert.equal(read.data['toString'], undefined)
  assert.equal(({} as Raw)['x'], undefined)
  const inherited = Object.create({ kind: 'ConfigMap' }) as unknown
  assert.deepEqual(wrong(inherited), ['kind: is required'])
})

test('a Namespace has a phase', () => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } }
  assert.equal(one('Namespace', namespace).phase, 'Active')
  assert.equal(
    one('Namespace', { ...namespace, status: { phase: 'Terminating' } }).phase,
    'Terminating',
  )
})

// What the API server refuses as well. Each object has this one fault.
const refused: readonly (readonly [Raw, string])[] = [
  [ingress({}, {}), 'metadata.name: is required'],
  [
    ingress({}, { name: 'Web' }),
    'metadata.name: must be lower-case letters, digits, - and ., as in a DNS name, got "Web"',
  ],
  [
    ingress({}, { name: 'a', namespace: 'a.b' }),
    'metadata.namespace: must be at most 63 lower-case letters, digits and -, got "a.b"',
  ],
  [ingress({}, { name: 7 }), 'metadata.name: must be a string, got 7'],
  [ingress({}, 'x'), 'metadata: must be an object, got "x"'],
  [
    ingress({}, { name: 'a', creationTimestamp: 'yesterday' }),
    'metadata.creationTimestamp: must be a time such as 2026-01-31T12:00:00Z, got "yesterday"',
  ],
  [
    ingress({}, { name: 'a', creationTimestamp: '2024-13-01T00:00:00Z' }),
    'metadata.creationTimestamp: must be a time such as 2026-01-31T12:00:00Z, got "2024-13-01T00:00:00Z"',
  ],
  [ingress({}, { name: 'a', annotations: { 'x/y': false } }), 'x/y: must be a string, got false'],
  [
    ingress({}, { name: 'a', annotations: { 'x y': '' } }),
    'x y: has a key that is no valid annotation key',
  ],
  [
    ingress({}, { name: 'a', labels: { x: '-' } }),
    'metadata.labels[x]: must be at most 63 letters, digits, -, _ and ., got "-"',
  ],
  [ingress([]), 'spec: must be an object, got a list'],
  [ingress({ rules: 'none' }), 'spec.rules: must be a list, got "none"'],
  [ingress({ rules: [7] }), 'spec.rules[0]: must be an object, got 7'],
  [ingress({ rules: [{ http: {} }] }), 'spec.rules[0].http.paths: is required'],
  [
    ingress({ rules: [{ http: { paths: [{ path: '/' }] } }] }),
    'spec.rules[0].http.paths[0].backend: is required',
  ],
  [
    ingress({ rules: [{ http: { paths: [{ pathType: 'Glob', backend }] } }] }),
    'spec.rules[0].http.paths[0].pathType: must be one of Exact, Prefix, ImplementationSpecific, got "Glob"',
  ],
  [ingress({ defaultBackend: {} }), 'spec.defaultBackend.service: is required'],
  [
    ingress({ defaultBackend: { service: { name: 'a' } } }),
    'spec.defaultBackend.service.port: is required',
  ],
  [
    ingress({ defaultBackend: { service: { name: 'a', port: {} } } }),
    'spec.defaultBackend.service.port.number: is required',
  ],
  [
    ingress({ defaultBackend: { service: { name: 'a', port: { number: 0 } } } }),
    'spec.defaultBackend.service.port.number: must be a whole number from 1 to 65535, got 0',
  ],
  [
    ingress({ defaultBackend: { service: { name: 'a', port: { number: '80' } } } }),
    'spec.defaultBackend.service.port.number: must be a whole number from 1 to 65535, got "80"',
  ],
  [
    ingress({ defaultBackend: { service: { name: 'a', port: { name: 'h', number: 1 } } } }),
    'spec.defaultBackend.service.port.number: excludes name',
  ],
  [
    ingress({ defaultBackend: { service: { name: 'a', port: { name: '80' } } } }),
    'spec.defaultBackend.service.port.name: must be the name of a port, got "80"',
  ],
  [
    ingress({ defaultBackend: { ...backend, resource: { kind: 'k', name: 'n' } } }),
    'spec.defaultBackend.resource: excludes service',
  ],
  [
    service({ type: 'Headless' }),
    'spec.type: must be one of ClusterIP, NodePort, LoadBalancer, ExternalName, got "Headless"',
  ],
  [service({ type: 'ExternalName' }), 'spec.externalName: is required'],
  [service({ ports: [{ name: 'a' }] }), 'spec.ports[0].port: is required'],
  [
    service({ ports: [{ port: 80.5 }] }),
    'spec.ports[0].port: must be a whole number from 1 to 65535, got 80.5',
  ],
  [service({ ports: [{ port: 80 }, { port: 81 }] }), 'spec.ports[1].name: repeats the name ""'],
  [
    service({
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } },
    }),
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds: must be a whole number from 1 to 86400, got 0',
  ],
  [slice({ endpoints: [] }), 'addressType: is required'],
  [slice({ addressType: 'IPv4', endpoints: [{}] }), 'endpoints[0].addresses: must name an address'],
  [
    slice({ addressType: 'IPv4', endpoints: [{ addresses: ['a'], conditions: { ready: 'yes' } }] }),
    'endpoints[0].conditions.ready: must be true or false, got "yes"',
  ],
  [
    slice({ addressType: 'IPv4', ports: [{ port: 1, protocol: 'tcp' }] }),
    'ports[0].protocol: must be one of TCP, UDP, SCTP, got "tcp"',
  ],
  [
    { ...ingress({}), apiVersion: 'extensions/v1beta1' },
    'apiVersion: must be networking.k8s.io/v1, got "extensions/v1beta1"',
  ],
  [{ ...ingress({}), apiVersion: 'v1' }, 'apiVersion: must be networking.k8s.io/v1, got "v1"'],
  [{ ...ingress({}), apiVersion: null }, 'apiVersion: must be networking.k8s.io/v1, got nothing'],
  [{ ...ingress({}), apiVersion: 1 }, 'apiVersion: must be a string, got 1'],
]

test('what the API server refuses is reported with field and value, and not used', () => {
  for (const [document, expected] of refused) {
    const { objects, problems } = project(document, '')
    assert.deepEqual(
      problems.map(({ field, message, harms }) => `${harms} ${field}: ${message}`),
      [`object ${expected}`],
    )
    assert.deepEqual(objects, [], expected)
  }
})

test('problems name their object', () => {
  const { problems } = project(service({ type: 'x' }), '')
  const [{ kind, namespace, name }] = problems as [(typeof problems)[0]]
  assert.deepEqual([kind, namespace, name], ['Service', 'shop', 'web'])
})

test('a misspelt field is passed over with a word, and the names that are known there', () => {
  const document = ingress({ ingressClasName: 'x', rules: [{ hosts: 'a' }] })
  const { objects, problems } = project(document, '')
  assert.equal(objects.length, 1)
  assert.deepEqual(
    problems.map(({ harms, field, message, known }) => [harms, field, message, known.length]),
    [
      ['field', 'spec.ingressClasName', 'is not a known field', 4],
      ['field', 'spec.rules[0].hosts', 'is not a known field', 2],
    ],
  )
})

test('what is no object at all is a problem; nothing is none', () => {
  for (const nothing of [null, undefined]) {
    assert.deepEqual(project(nothing, ''), { file: '', objects: [], problems: [], foreign: [] })
  }
  assert.deepEqual(wrong('text'), [': must be a Kubernetes object, got "text"'])
  assert.deepEqual(wrong([]), [': must be a Kubernetes object, got a list'])
  assert.deepEqual(wrong({ metadata: { name: 'x' } }), ['kind: is required'])
  assert.deepEqual(wrong({ kind: 7 }), ['kind: must be a string, got 7'])
})

test('kinds that are not ours are named and nothing else', () => {
  const others: readonly (readonly [string, string])[] = [
    ['apps/v1', 'Deployment'],
    ['serving.knative.dev/v1', 'Service'],
    ['networking.internal.knative.dev/v1alpha1', 'Ingress'],
    ['v1', 'ingress'],
  ]
  for (const [apiVersion, kind] of others) {
    const document = { apiVersion, kind, metadata: { name: 'n' }, spec: 7 }
    const { objects, problems, foreign } = project(document, '')
    assert.deepEqual([objects, problems], [[], []])
    assert.deepEqual(foreign, [{ apiVersion, kind, namespace: '', name: 'n' }])
  }
  assert.deepEqual(
    ['v1', 'apps/v1', 'discovery.k8s.io/v1', 'x.example/v1', 'multicluster.x-k8s.io/v1'].map(
      isBuiltInGroup,
    ),
    [true, true, true, false, false],
  )
})

test('lists are taken apart; a bad item harms only itself', () => {
  const good = service({ ports: [{ port: 80 }] })
  const { objects, problems } = project(
    {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        good,
        service({ type: 'x' }),
        { kind: 'List', items: [ingress({ defaultBackend: backend })] },
        7,
        null,
      ],
    },
    'l.yaml',
  )
  assert.deepEqual(
    objects.map(({ kind, file }) => `${kind} ${file}`),
    ['Service l.yaml', 'Ingress l.yaml'],
  )
  assert.equal(problems.length, 2)
  const { apiVersion, kind, ...bare } = good
  assert.deepEqual([apiVersion, kind], ['v1', 'Service'])
  const typed = { apiVersion: 'v1', kind: 'ServiceList', items: [bare] }
  assert.equal(project(typed, '').objects[0]?.kind, 'Service')
  assert.deepEqual(wrong({ kind: 'List', items: 'x' }), ['items: must be a list, got "x"'])
})

test('depth and number of problems are bounded', () => {
  let nested: unknown = service({})
  for (let i = 0; i < 50_000; i++) nested = { kind: 'List', items: [nested] }
  assert.match(wrong(nested)[0] ?? '', /nested deeper than/)
  const ports = Array.from({ length: 5000 }, () => 'x')
  const said = wrong(service({ ports }))
  assert.equal(said.length, 21)
  assert.match(said[20] ?? '', /^: and \d+ faults more$/)
  const long = wrong({ ...service({}), kind: 'Service', metadata: { name: 'A'.repeat(1e6) } })
  assert.ok((long[0] ?? '').length < 300)
})

/** Documents of our kinds whose parts may be anything. */
function anyDocument(): fc.Arbitrary<unknown> {
  const names = [
    ...['spec', 'metadata', 'data', 'stringData', 'endpoints', 'ports', 'rules', 'http', 'paths'],
    ...['backend', 'service', 'resource', 'port', 'name', 'namespace', 'annotations', 'labels'],
    ...['conditions', 'addresses', 'items', 'status', 'loadBalancer', 'ingress', 'tls', 'hosts'],
    ...[
      'creationTimestamp',
      'addressType',
      'hints',
      'forZones',
      '__proto__',
      'constructor',
      'kind',
    ],
  ]
  const { node } = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 7, withCrossShrink: true },
      fc.oneof(
        fc.string(),
        fc.double(),
        fc.constantFrom(null, true, undefined, -1, 80, 'IPv4', 10n),
      ),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('node'), { maxKeys: 6 }),
    ),
  }))
  const kind = fc.constantFrom(...kinds, 'List', 'ServiceList', 'Pod')
  const version = fc.constantFrom('v1', 'networking.k8s.io/v1', 'discovery.k8s.io/v1', '')
  const parts = fc.dictionary(fc.constantFrom(...names), node, { maxKeys: 8 })
  const document = fc
    .tuple(kind, version, parts)
    .map(([name, apiVersion, rest]) => ({ ...rest, apiVersion, kind: name }))
  return fc.oneof(document, node, fc.anything())
}

test('whatever it is given, a projection neither throws nor lets a faulty object through', () => {
  fc.assert(
    fc.property(anyDocument(), (document) => {
      const { objects, problems } = project(document, 'f')
      for (const { kind, metadata } of objects) {
        assert.ok(kinds.includes(kind))
        assert.match(metadata.name, /^[a-z0-9]/)
        assert.match(metadata.namespace, /^[a-z0-9-]*$/)
      }
      for (const { message } of problems) assert.ok(message.length > 0 && message.length < 400)
      structuredClone(objects)
    }),
    { numRuns: 3000 },
  )
})
