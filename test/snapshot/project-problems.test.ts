import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBuiltInGroup, project } from '#src/snapshot/project.ts'
import { backend, configMap, ingress, ingressClass, secret, service, slice } from './raw.ts'
import type { Raw } from './raw.ts'

/** `field: message` of everything that is wrong with a document. */
function wrong(document: unknown): string[] {
  return project(document, 'a.yaml').problems.map(({ field, message }) => `${field}: ${message}`)
}

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
  [ingressClass({}), 'spec.controller: is required'],
  [
    ingressClass({ controller: 'c', parameters: { kind: 'O', name: 'o', scope: 'Namespace' } }),
    'spec.parameters.namespace: is required',
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
  assert.deepEqual(wrong(Object.create({ kind: 'ConfigMap' })), ['kind: is required'])
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
  assert.deepEqual(
    problems.map(({ kind, field }) => `${kind} ${field}`),
    ['Service spec.type', 'List items[3]'],
  )
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

test('no problem of a Secret shows a value', () => {
  for (const value of ['hunter2', 'aGk', 'a===', '=aGk', 'aGk-', 1234567, true, ['hunter2']]) {
    const said = wrong(secret({ data: { key: value } }))
    assert.ok(said.length > 0, String(value))
    assert.match(said[0] ?? '', /^data\[key\]: must be (base64|a string)$/)
  }
  const said = wrong(secret({ stringData: { key: 1234567 } }))
  assert.deepEqual(said, ['stringData[key]: must be a string'])
})

test('data of a ConfigMap that are no strings, or too many, are refused', () => {
  assert.deepEqual(wrong(configMap({ 'keep-alive': 75, gzip: true })), [
    'keep-alive: must be a string, got 75',
    'gzip: must be a string, got true',
  ])
  assert.deepEqual(wrong(configMap({ 'a b': 'x' })), [
    'a b: has a key that is not of letters, digits, -, _ and . alone',
  ])
  const large = configMap({ a: 'x'.repeat(1 << 20), b: 'y' })
  assert.match(wrong(large)[0] ?? '', /^data: must not exceed/)
})
