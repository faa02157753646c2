import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndpointPort, Service } from '#src/snapshot/objects.ts'
import { ingress, ingressClass, prefix, service, slice, to } from './builders.ts'
import { compileObjects, found, whoServes } from './compiling.ts'
import { backendOf, port, shown } from './one-backend.ts'

const ports = [
  port('http', 80),
  port('admin', 81, { targetPort: 'pod-admin' }),
  port('dns', 53, { protocol: 'UDP' }),
]
const slicePorts = ['http', 'admin'].map((name, i) => ({
  name,
  port: 8080 + i,
  protocol: 'TCP',
  appProtocol: '',
}))

// B1: Ingress port → Service port → EndpointSlice port of the same name.
const portRows: readonly (readonly [string | number, number | undefined])[] = [
  [80, 8080],
  ['http', 8080],
  [81, 8081],
  ['admin', 8081],
  ['pod-admin', 8081],
  [8080, undefined],
  [53, undefined],
  ['dns', undefined],
  [82, undefined],
  ['nope', undefined],
]

for (const [wanted, expected] of portRows) {
  test(`B1: port ${JSON.stringify(wanted)} leads to ${expected ?? 'a 503'}`, () => {
    const objects = [
      service('web', { ports }),
      slice('web-1', 'web', ['10.0.0.1'], { ports: slicePorts }),
    ]
    const { backend, findings, compiled } = backendOf(objects, wanted)
    if (expected === undefined) {
      assert.deepEqual(findings, [
        'service-port-missing Ingress shop/one spec.rules[0].http.paths[0].backend.service.port',
      ])
      assert.equal(whoServes(compiled, 'a.example', '/'), '503')
    } else {
      assert.deepEqual(shown(backend), [`10.0.0.1:${expected} ready`])
      assert.deepEqual(findings, [])
    }
  })
}

test('two names of one Service port are one backend', () => {
  const paths = [prefix('/a', to('web', 80)), prefix('/b', to('web', 'http'))]
  const { table } = compileObjects([
    ingressClass('headgate'),
    service('web'),
    ingress('one', { hosts: { 'a.example': paths } }),
  ])
  assert.equal(table.backends.size, 1)
})

test('a name that is a port name and a targetPort name means the port name', () => {
  const both = [port('a', 80, { targetPort: 'b' }), port('b', 81)]
  const named = [
    { name: 'a', port: 1, protocol: 'TCP', appProtocol: '' },
    { name: 'b', port: 2, protocol: 'TCP', appProtocol: '' },
  ]
  const objects = [
    service('web', { ports: both }),
    slice('web-1', 'web', ['10.0.0.1'], { ports: named }),
  ]
  assert.deepEqual(shown(backendOf(objects, 'b').backend), ['10.0.0.1:2 ready'])
})

test('an unnamed port meets the unnamed port of a slice, and no other', () => {
  const unnamed = [port('', 80)]
  const good = [
    service('web', { ports: unnamed }),
    slice('web-1', 'web', ['10.0.0.1'], { ports: slicePort('') }),
  ]
  assert.deepEqual(shown(backendOf(good).backend), ['10.0.0.1:9000 ready'])
  const bad = [
    service('web', { ports: unnamed }),
    slice('web-1', 'web', ['10.0.0.1'], { ports: slicePort('http') }),
  ]
  const { backend, findings } = backendOf(bad)
  assert.deepEqual(shown(backend), [])
  assert.deepEqual(findings, ['endpoint-invalid Service shop/web spec.ports'])
})

test('B2: a resource backend answers 503 and harms no other path', () => {
  const resource = { resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'b' } }
  const compiled = compileObjects([
    ingressClass('headgate'),
    service('web'),
    ingress('one', { hosts: { 'a.example': [prefix('/r', resource), prefix('/')] } }),
  ])
  assert.equal(whoServes(compiled, 'a.example', '/r'), '503')
  assert.equal(whoServes(compiled, 'a.example', '/'), 'web')
  assert.deepEqual(found(compiled), [
    'backend-unsupported Ingress shop/one spec.rules[0].http.paths[0].backend.resource',
  ])
})

test('B3: a missing Service answers 503 and harms no other path', () => {
  const compiled = compileObjects([
    ingressClass('headgate'),
    service('web'),
    ingress('one', {
      hosts: { 'a.example': [prefix('/bad', to('gone')), prefix('/')] },
      defaultBackend: to('gone'),
    }),
    ingress('all', { hosts: {}, defaultBackend: to('gone') }),
  ])
  assert.equal(whoServes(compiled, 'a.example', '/bad'), '503')
  assert.equal(whoServes(compiled, 'a.example', '/'), 'web')
  assert.equal(whoServes(compiled, 'x', '/'), '503')
  assert.deepEqual(found(compiled), [
    'service-missing Ingress shop/all spec.defaultBackend.service.name',
    'service-missing Ingress shop/one spec.rules[0].http.paths[0].backend.service.name',
  ])
})

test('a Service of the same name in another namespace is not meant', () => {
  const { findings } = backendOf([service('web', { meta: { namespace: 'other' } })])
  assert.equal(findings.length, 1)
})

test('a Service without slices has no endpoints, and that is no fault', () => {
  const { backend, findings, compiled } = backendOf([service('web')])
  assert.deepEqual(shown(backend), [])
  assert.deepEqual(findings, [])
  assert.equal(whoServes(compiled, 'a.example', '/'), 'web')
})

test('sessionAffinity ClientIP comes from the Service', () => {
  const sticky: Partial<Service> = { sessionAffinity: 'ClientIP', sessionAffinitySeconds: 60 }
  assert.equal(backendOf([service('web', sticky)]).backend?.clientIpAffinitySeconds, 60)
  assert.equal(backendOf([service('web')]).backend?.clientIpAffinitySeconds, 0)
})

function slicePort(name: string): EndpointPort[] {
  return [{ name, port: 9000, protocol: 'TCP', appProtocol: '' }]
}
