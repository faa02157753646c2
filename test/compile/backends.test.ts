import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CompileSettings } from '#src/compile/settings.ts'
import type { AnyObject, Service, ServicePort } from '#src/snapshot/objects.ts'
import type { Backend } from '#src/table/table.ts'
import {
  endpoint,
  ingress,
  ingressClass,
  prefix,
  prefixed,
  service,
  slice,
  to,
} from './builders.ts'
import { compileObjects, found, whoServes } from './compiling.ts'
import type { Given } from './compiling.ts'

function port(name: string, number: number, more: Partial<ServicePort> = {}): ServicePort {
  return { name, port: number, targetPort: 8080, protocol: 'TCP', appProtocol: '', ...more }
}

/** The one backend behind a.example/, and what was found. */
function backendOf(objects: readonly AnyObject[], wanted: string | number = 80, given: Given = {}) {
  const rule = ingress('one', { hosts: { 'a.example': [prefix('/', to('web', wanted))] } })
  const compiled = compileObjects([ingressClass('headgate'), rule, ...objects], given)
  const backends = [...compiled.table.backends.values()]
  assert.ok(backends.length <= 1)
  return { backend: backends[0], compiled, findings: found(compiled) }
}

function shown(backend: Backend | undefined): string[] {
  return (backend?.endpoints ?? []).map(
    ({ address, port: number, state }) => `${address}:${number} ${state}`,
  )
}

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
  const at = (name: string) => [{ name, port: 9000, protocol: 'TCP', appProtocol: '' }]
  const good = [
    service('web', { ports: unnamed }),
    slice('web-1', 'web', ['10.0.0.1'], { ports: at('') }),
  ]
  assert.deepEqual(shown(backendOf(good).backend), ['10.0.0.1:9000 ready'])
  const bad = [
    service('web', { ports: unnamed }),
    slice('web-1', 'web', ['10.0.0.1'], { ports: at('http') }),
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

// The rows E1 to E24 of the EndpointSlice semantics.
interface SliceRow {
  readonly title: string
  readonly slices: readonly AnyObject[]
  readonly endpoints: readonly string[]
  readonly findings?: readonly string[]
  readonly service?: Partial<Service>
  readonly settings?: Partial<CompileSettings>
}

const gone = { ready: false, serving: true, terminating: true }
const hinted = (address: string, zone: string, node: string) =>
  endpoint(address, { zoneHints: zone === '' ? [] : [zone], nodeHints: node === '' ? [] : [node] })
const hintedSlice = slice('s', 'web', [
  hinted('10.0.0.1', 'z1', 'n1'),
  hinted('10.0.0.2', 'z1', 'n2'),
  hinted('10.0.0.3', 'z2', 'n3'),
])
const three = ['10.0.0.1:8080 ready', '10.0.0.2:8080 ready', '10.0.0.3:8080 ready']

const sliceRows: readonly SliceRow[] = [
  {
    title: 'E1 all slices of the Service are joined, doubles once',
    slices: [
      slice('a', 'web', ['10.0.0.2', '10.0.0.1']),
      slice('b', 'web', ['10.0.0.1', '10.0.0.3']),
    ],
    endpoints: three,
  },
  {
    title: 'E1 slices of other Services and namespaces do not count',
    slices: [
      slice('a', 'web', ['10.0.0.1']),
      slice('b', 'other', ['10.0.0.2']),
      slice('c', '', ['10.0.0.3']),
      slice('d', 'web', ['10.0.0.4'], { meta: { namespace: 'other' } }),
    ],
    endpoints: ['10.0.0.1:8080 ready'],
  },
  {
    title: 'E2 the protocol must agree',
    slices: [
      slice('a', 'web', ['10.0.0.1'], {
        ports: [{ name: 'http', port: 8080, protocol: 'UDP', appProtocol: '' }],
      }),
    ],
    endpoints: [],
    findings: ['endpoint-invalid Service shop/web spec.ports'],
  },
  {
    title: 'E3 ports never mix across slices',
    slices: [
      slice('a', 'web', ['10.0.0.1']),
      slice('b', 'web', ['10.0.0.2'], {
        ports: [{ name: 'http', port: 9090, protocol: 'TCP', appProtocol: '' }],
      }),
      slice('c', 'web', ['10.0.0.3'], {
        ports: [{ name: 'admin', port: 1, protocol: 'TCP', appProtocol: '' }],
      }),
    ],
    endpoints: ['10.0.0.1:8080 ready', '10.0.0.2:9090 ready'],
  },
  {
    title: 'E6 only what is ready gets new requests; what is just not ready is left out',
    slices: [
      slice('a', 'web', ['10.0.0.1', endpoint('10.0.0.2', { ready: false, serving: false })]),
    ],
    endpoints: ['10.0.0.1:8080 ready'],
  },
  {
    title: 'E7 E8 what is leaving and serves is kept apart',
    slices: [slice('a', 'web', ['10.0.0.1', endpoint('10.0.0.2', gone)])],
    endpoints: ['10.0.0.1:8080 ready', '10.0.0.2:8080 draining'],
  },
  {
    title: 'E9 what is leaving and does not serve is gone',
    slices: [
      slice('a', 'web', [
        endpoint('10.0.0.1', { ready: false, serving: false, terminating: true }),
      ]),
    ],
    endpoints: [],
  },
  {
    title: 'E5 publishNotReadyAddresses: ready counts, whatever else is said',
    slices: [
      slice('a', 'web', [endpoint('10.0.0.1', { ready: true, serving: false, terminating: true })]),
    ],
    endpoints: ['10.0.0.1:8080 ready'],
  },
  {
    title: 'E1 of doubles the better state counts, in whatever slice',
    slices: [slice('a', 'web', [endpoint('10.0.0.1', gone)]), slice('b', 'web', ['10.0.0.1'])],
    endpoints: ['10.0.0.1:8080 ready'],
  },
  {
    title: 'E10 slices without endpoints or ports are empty',
    slices: [
      slice('a', 'web', [], { ports: [] }),
      slice('b', 'web', []),
      slice('c', 'web', ['10.0.0.9'], { ports: [] }),
    ],
    endpoints: [],
  },
  {
    title: 'E12 a pod in both families is one endpoint, in the first family of the Service',
    slices: [
      slice('a', 'web', [endpoint('10.0.0.1', { targetUid: 'p1' })]),
      slice(
        'b',
        'web',
        [
          endpoint('2001:db8::1', { targetUid: 'p1' }),
          endpoint('2001:db8::2', { targetUid: 'p2' }),
        ],
        { addressType: 'IPv6' },
      ),
    ],
    endpoints: ['10.0.0.1:8080 ready', '2001:db8::2:8080 ready'],
  },
  {
    title: 'E12 the first family may be IPv6',
    service: { clusterIps: ['fd00::1', '10.96.0.1'] },
    slices: [
      slice('a', 'web', [endpoint('10.0.0.1', { targetUid: 'p1' })]),
      slice('b', 'web', [endpoint('2001:db8::1', { targetUid: 'p1' })], { addressType: 'IPv6' }),
    ],
    endpoints: ['2001:db8::1:8080 ready'],
  },
  {
    title: 'E12 without pods behind them, addresses of both families are endpoints',
    slices: [
      slice('a', 'web', ['10.0.0.1']),
      slice('b', 'web', ['2001:db8::1'], { addressType: 'IPv6' }),
    ],
    endpoints: ['10.0.0.1:8080 ready', '2001:db8::1:8080 ready'],
  },
  {
    title: 'E13 FQDN slices are not used',
    slices: [
      slice('a', 'web', ['a.example'], { addressType: 'FQDN' }),
      slice('b', 'web', ['10.0.0.1']),
    ],
    endpoints: ['10.0.0.1:8080 ready'],
    findings: ['endpoint-invalid EndpointSlice shop/a addressType'],
  },
  {
    title: 'E14 hints for our zone',
    slices: [hintedSlice],
    settings: { zone: 'z1' },
    endpoints: three.slice(0, 2),
  },
  {
    title: 'E14 hints for our node go before',
    slices: [hintedSlice],
    settings: { zone: 'z2', node: 'n2' },
    endpoints: three.slice(1, 2),
  },
  {
    title: 'E14 a node that no hint names falls back to the zone',
    slices: [hintedSlice],
    settings: { zone: 'z2', node: 'n9' },
    endpoints: three.slice(2),
  },
  {
    title: 'E14 a zone that no hint names',
    slices: [hintedSlice],
    settings: { zone: 'z9' },
    endpoints: three,
  },
  { title: 'E19 our zone is not known', slices: [hintedSlice], endpoints: three },
  {
    title: 'E14 one ready endpoint without hints, and none count',
    slices: [
      slice('s', 'web', [hinted('10.0.0.1', 'z1', ''), hinted('10.0.0.2', 'z2', ''), '10.0.0.3']),
    ],
    settings: { zone: 'z1' },
    endpoints: three,
  },
  {
    title: 'E15 hints of what is leaving do not count, and it stays as a fallback',
    slices: [
      slice('s', 'web', [
        hinted('10.0.0.1', 'z1', ''),
        hinted('10.0.0.2', 'z2', ''),
        endpoint('10.0.0.3', gone),
      ]),
    ],
    settings: { zone: 'z1' },
    endpoints: ['10.0.0.1:8080 ready', '10.0.0.3:8080 draining'],
  },
  {
    title: 'E20 a headless Service is like any other',
    service: { clusterIps: ['None'] },
    slices: [slice('a', 'web', ['10.0.0.1'])],
    endpoints: ['10.0.0.1:8080 ready'],
  },
  {
    title: 'E22 addresses that a cluster must not lead to',
    slices: [
      slice('a', 'web', [
        '127.0.0.1',
        '169.254.169.254',
        '0.0.0.0',
        '224.0.0.1',
        'nonsense',
        '::1',
        '10.0.0.1',
      ]),
      slice(
        'b',
        'web',
        ['::1', 'fe80::1', '::ffff:127.0.0.1', 'ff02::1', 'fd00:ec2::254', '2001:db8::1'],
        { addressType: 'IPv6' },
      ),
    ],
    endpoints: ['10.0.0.1:8080 ready', '2001:db8::1:8080 ready'],
    findings: [
      ...[0, 1, 2, 3, 4, 5].map(
        (i) => `endpoint-invalid EndpointSlice shop/a endpoints[${i}].addresses[0]`,
      ),
      ...[0, 1, 2, 3, 4].map(
        (i) => `endpoint-invalid EndpointSlice shop/b endpoints[${i}].addresses[0]`,
      ),
    ],
  },
  {
    title: 'files may lead to any address',
    slices: [slice('a', 'web', ['127.0.0.1', '169.254.1.1'])],
    settings: { source: 'files' },
    endpoints: ['127.0.0.1:8080 ready', '169.254.1.1:8080 ready'],
  },
  {
    title: 'addresses that share a pod and differ by port are endpoints of their own',
    slices: [
      slice('a', 'web', ['10.0.0.1']),
      slice('b', 'web', ['10.0.0.1'], {
        ports: [{ name: 'http', port: 8081, protocol: 'TCP', appProtocol: '' }],
      }),
    ],
    endpoints: ['10.0.0.1:8080 ready', '10.0.0.1:8081 ready'],
  },
]

for (const { title, slices, endpoints, findings = [], service: parts, settings } of sliceRows) {
  test(title, () => {
    for (const order of [slices, slices.toReversed()]) {
      const result = backendOf([service('web', parts), ...order], 80, settings)
      assert.deepEqual(shown(result.backend), endpoints)
      assert.deepEqual(result.findings, findings)
    }
  })
}

test('a slice may weigh its endpoints', () => {
  const annotations = prefixed('headgate.dev', { weight: '5' })
  const { backend } = backendOf([
    service('web'),
    slice('a', 'web', ['10.0.0.1'], { meta: { annotations } }),
    slice('b', 'web', ['10.0.0.2']),
  ])
  assert.deepEqual(
    backend?.endpoints.map(({ weight }) => weight),
    [5, 1],
  )
})

test('a weight that is none is reported, and 1 holds', () => {
  const annotations = prefixed('headgate.dev', { weight: 'heavy', wait: '1' })
  const { backend, findings } = backendOf([
    service('web'),
    slice('a', 'web', ['10.0.0.1'], { meta: { annotations } }),
  ])
  assert.deepEqual(
    backend?.endpoints.map(({ weight }) => weight),
    [1],
  )
  assert.deepEqual(findings, [
    'annotation-unknown EndpointSlice shop/a headgate.dev/wait',
    'annotation-invalid EndpointSlice shop/a headgate.dev/weight',
  ])
})

// ExternalName: the addresses of its name, at the port that the Ingress or the Service says.
const external = (externalName: string, own: readonly ServicePort[] = []): Service =>
  service('web', { type: 'ExternalName', externalName, ports: own, clusterIps: [] })
const resolved = { 'out.example': ['192.0.2.1', '192.0.2.2'], localhost: ['127.0.0.1'] }

interface ExternalRow {
  readonly title: string
  readonly service: Service
  readonly port: string | number
  readonly endpoints: readonly string[]
  readonly findings?: readonly string[]
  readonly settings?: Partial<CompileSettings>
}

const unresolved = ['name-unresolved Service shop/web spec.externalName']
const both = (number: number): string[] => [
  `192.0.2.1:${number} ready`,
  `192.0.2.2:${number} ready`,
]

const externalRows: readonly ExternalRow[] = [
  {
    title: 'without ports: the number in the Ingress',
    service: external('out.example'),
    port: 8443,
    endpoints: both(8443),
  },
  {
    title: 'a name with a dot at the end, in any case',
    service: external('Out.Example.'),
    port: 80,
    endpoints: both(80),
  },
  {
    title: 'a named port: its targetPort',
    service: external('out.example', [port('web', 80, { targetPort: 9000 })]),
    port: 'web',
    endpoints: both(9000),
  },
  {
    title: 'a numbered port: its targetPort',
    service: external('out.example', [port('web', 80, { targetPort: 9000 })]),
    port: 80,
    endpoints: both(9000),
  },
  {
    title: 'a targetPort that is a name: the port itself',
    service: external('out.example', [port('web', 80, { targetPort: 'x' })]),
    port: 80,
    endpoints: both(80),
  },
  {
    title: 'a number that is no port of the Service: itself',
    service: external('out.example', [port('web', 80)]),
    port: 81,
    endpoints: both(81),
  },
  {
    title: 'a name that is no port of the Service',
    service: external('out.example', [port('web', 80)]),
    port: 'nope',
    endpoints: [],
    findings: [
      'service-port-missing Ingress shop/one spec.rules[0].http.paths[0].backend.service.port',
    ],
  },
  {
    title: 'an address in place of a name',
    service: external('198.51.100.7'),
    port: 80,
    endpoints: ['198.51.100.7:80 ready'],
  },
  {
    title: 'a name that is not resolved',
    service: external('gone.example'),
    port: 80,
    endpoints: [],
    findings: unresolved,
  },
  {
    title: 'text that is no name',
    service: external('no name'),
    port: 80,
    endpoints: [],
    findings: unresolved,
  },
  { title: 'no text at all', service: external(''), port: 80, endpoints: [], findings: unresolved },
  {
    title: 'our own host, in a cluster',
    service: external('localhost'),
    port: 80,
    endpoints: [],
    findings: ['endpoint-invalid Service shop/web spec.externalName'],
  },
  {
    title: 'cloud metadata, in a cluster',
    service: external('169.254.169.254'),
    port: 80,
    endpoints: [],
    findings: ['endpoint-invalid Service shop/web spec.externalName'],
  },
  {
    title: 'our own host, from files',
    service: external('localhost'),
    port: 80,
    endpoints: ['127.0.0.1:80 ready'],
    settings: { source: 'files' },
  },
]

for (const row of externalRows) {
  test(`ExternalName, ${row.title}`, () => {
    const { backend, findings } = backendOf([row.service], row.port, { resolved, ...row.settings })
    assert.deepEqual(shown(backend), row.endpoints)
    assert.deepEqual(findings, row.findings ?? [])
  })
}

test('the names to resolve are told, and only those that some rule needs', () => {
  const { compiled } = backendOf([
    external('Out.Example.'),
    service('unused', { type: 'ExternalName', externalName: 'unused.example' }),
  ])
  assert.deepEqual(compiled.references.hostnames, ['out.example'])
})
