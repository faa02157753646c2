import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CompileSettings } from '#src/compile/settings.ts'
import type { AnyObject, Service } from '#src/snapshot/objects.ts'
import { endpoint, prefixed, service, slice } from './builders.ts'
import { backendOf, shown } from './one-backend.ts'

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
    title: 'E2 a port without number is not for Services',
    slices: [
      slice('a', 'web', ['10.0.0.1'], {
        ports: [{ name: 'http', port: 0, protocol: 'TCP', appProtocol: '' }],
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
    title: 'E6 what serves and is neither ready nor leaving gets nothing',
    slices: [slice('a', 'web', [endpoint('10.0.0.1', { ready: false, serving: true })])],
    endpoints: [],
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

test('however many addresses are wrong, each is reported and none is fatal', () => {
  const endpoints = Array.from({ length: 200_000 }, (_, i) => `wrong-${i}`)
  const { findings } = backendOf([service('web'), slice('a', 'web', [...endpoints, '10.0.0.1'])])
  assert.equal(findings.length, 200_000)
})
