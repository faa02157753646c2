import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Compiler } from '#src/compile/compiler.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { Store } from '#src/snapshot/store.ts'
import {
  configMap,
  ingress,
  ingressClass,
  metadata,
  nginx,
  prefix,
  prefixed,
  secret,
  service,
  slice,
  snapshotOf,
  to,
} from './builders.ts'
import { fakeReaders, nowMs, readFakeCertificate, settings } from './compiling.ts'

// A compiler keeps what it made. Whatever a table depends on must show after a change of just that.

type Resolved = Readonly<Record<string, readonly string[]>>

const own = {
  ...settings,
  namespaceSelector: [{ key: 'served', operator: 'exists', values: [] }],
  defaultBackendService: { namespace: 'shop', name: 'rest' },
  defaultCertificate: { namespace: 'shop', name: 'preset' },
} as const

function namespace(labels: Readonly<Record<string, string>>): AnyObject {
  return {
    kind: 'Namespace',
    metadata: metadata('shop', { namespace: '', labels }),
    file: '',
    phase: 'Active',
  }
}

function certificate(name: string, host: string, key = 'key'): AnyObject {
  return secret(name, { 'tls.crt': `names ${host} until 2027-01-01`, 'tls.key': key })
}

const hosts = { 'a.example': [prefix('/', to('web')), prefix('/out', to('out'))] }
const tls = [{ hosts: ['a.example'], secretName: 'one' }]

const start: readonly AnyObject[] = [
  namespace({ served: 'yes' }),
  ingressClass('headgate'),
  configMap({}),
  service('web'),
  service('rest'),
  service('out', { type: 'ExternalName', externalName: 'out.example', ports: [] }),
  slice('web-1', 'web', ['10.0.0.1']),
  certificate('one', 'a.example'),
  certificate('preset', 'preset.example'),
  ingress('one', { hosts, tls }),
]
const resolved: Resolved = { 'out.example': ['192.0.2.1'] }

/** `now` in place of the object of its kind and name; `undefined` in place of an object: it goes. */
function replaced(objects: readonly AnyObject[], now: AnyObject): AnyObject[] {
  const others = objects.filter(
    ({ kind, metadata: { name } }) => kind !== now.kind || name !== now.metadata.name,
  )
  return [...others, now]
}

const annotated = (text: string) => ({
  meta: { annotations: prefixed('headgate.dev', { 'load-balance': text }) },
})

const changes: Readonly<Record<string, AnyObject>> = {
  'an option of everything': configMap({ 'keep-alive': '5' }),
  'an option of routes': configMap({ 'proxy-body-size': '5k' }),
  'an option of a policy': configMap({ 'http-redirect-code': '301' }),
  'an option of listeners': configMap({ 'use-proxy-protocol': 'true' }),
  'an option that paths are read by': configMap({
    'strict-validate-path-type': 'false',
    'load-balance': 'ewma',
  }),
  'the annotations of an Ingress': ingress('one', {
    hosts,
    tls,
    annotations: nginx({ 'proxy-body-size': '5k' }),
  }),
  'the TLS section of an Ingress': ingress('one', { hosts }),
  'the rules of an Ingress': ingress('one', {
    hosts: { ...hosts, 'b.example': [prefix('/')] },
    tls,
  }),
  'the age of an Ingress in a conflict': ingress('zero', { hosts, meta: { createdMs: -1 } }),
  'the class of an Ingress': ingress('one', { hosts, tls, className: 'other' }),
  'a class': ingressClass('headgate', 'example.com/other'),
  'the labels of a namespace': namespace({}),
  'the ports of a Service': service('web', {
    ports: [{ name: 'new', port: 80, targetPort: 1, protocol: 'TCP', appProtocol: '' }],
  }),
  'the annotations of a Service': service('web', annotated('least-requests')),
  'the affinity of a Service': service('web', { sessionAffinity: 'ClientIP' }),
  'the port of an ExternalName': service('out', {
    type: 'ExternalName',
    externalName: 'out.example',
    ports: [{ name: 'x', port: 80, targetPort: 8080, protocol: 'TCP', appProtocol: '' }],
  }),
  'the annotations of the default backend': service('rest', annotated('least-requests')),
  'the endpoints of a slice': slice('web-1', 'web', ['10.0.0.2']),
  'the weight of a slice': slice('web-1', 'web', ['10.0.0.1'], {
    meta: { annotations: prefixed('headgate.dev', { weight: '7' }) },
  }),
  'another slice': slice('web-2', 'web', ['10.0.0.2']),
  'a certificate': certificate('one', '*.example'),
  'a key that no longer fits': certificate('one', 'a.example', 'wrong'),
  'the default certificate': certificate('preset', 'other.example'),
}

for (const [title, now] of Object.entries(changes)) {
  test(`a change shows: ${title}`, () => {
    check(start, replaced(start, now), resolved)
  })
}

const goes: readonly (readonly [kind: AnyObject['kind'], name: string])[] = [
  ['Ingress', 'one'],
  ['Service', 'web'],
  ['Service', 'rest'],
  ['EndpointSlice', 'web-1'],
  ['Secret', 'one'],
  ['Secret', 'preset'],
  ['IngressClass', 'headgate'],
]

for (const [kind, name] of goes) {
  test(`a change shows: ${kind} ${name} goes away, or comes`, () => {
    const without = start.filter((object) => object.kind !== kind || object.metadata.name !== name)
    assert.equal(without.length, start.length - 1)
    check(start, without, resolved)
    check(without, start, resolved)
  })
}

test('a change shows: a name has another address, or none', () => {
  check(start, start, { 'out.example': ['192.0.2.2'] })
  check(start, start, {})
})

test('a change shows: a certificate expires', () => {
  const compiler = new Compiler(own, fakeReaders)
  const snapshot = snapshotOf(start, resolved)
  const codes = (time: number): string[] =>
    compiler.compile(snapshot, time).diagnostics.map(({ code }) => code)
  assert.deepEqual(codes(nowMs), [])
  assert.deepEqual(codes(Date.UTC(2027, 1)), ['certificate-expired', 'certificate-expired'])
})

test('what is kept holds until a certificate begins or ceases to be valid, to the millisecond', () => {
  const store = new Store()
  for (const object of start) store.put(object)
  const early = 'names preset.example until 2027-06-01 from 2026-12-15'
  store.put(secret('preset', { 'tls.crt': early, 'tls.key': 'key' }))
  const snapshot = store.freeze((name) => resolved[name])
  const kept = new Compiler(own, fakeReaders)
  let before = kept.compile(snapshot, nowMs)
  const begins = Date.UTC(2026, 11, 15)
  const ends = Date.UTC(2027, 0, 1)
  const ends2 = Date.UTC(2027, 5, 1)
  const counts: number[] = []
  for (const [at, same] of [
    [begins - 1, true],
    [begins, false],
    [ends, true],
    [ends + 1, false],
    [ends2, true],
    [ends2 + 1, false],
    [ends2 + 1e12, true],
    [nowMs, false],
  ] as const) {
    const now = kept.compile(snapshot, at)
    assert.deepEqual(now, new Compiler(own, fakeReaders).compile(snapshot, at))
    assert.equal(now.references === before.references, same, new Date(at).toISOString())
    counts.push(now.diagnostics.length)
    before = now
  }
  assert.deepEqual(counts, [1, 0, 0, 1, 1, 2, 2, 1])
})

test('a certificate is read once while its Secret stays the same', () => {
  const read: string[] = []
  const compiler = new Compiler(own, {
    ...fakeReaders,
    readCertificate(certificatePem, keyPem) {
      read.push(certificatePem)
      return readFakeCertificate(certificatePem, keyPem)
    },
  })
  for (let round = 0; round < 3; round++) compiler.compile(snapshotOf(start, resolved), nowMs)
  assert.equal(read.length, 2)
  compiler.compile(snapshotOf(replaced(start, certificate('one', '*.example')), resolved), nowMs)
  assert.equal(read.length, 3)
})

/** From one state to the other the result differs, and is what a new compiler makes. */
function check(before: readonly AnyObject[], after: readonly AnyObject[], names: Resolved): void {
  const compiler = new Compiler(own, fakeReaders)
  const first = compiler.compile(snapshotOf(before, resolved), nowMs)
  const second = compiler.compile(snapshotOf(after, names), nowMs)
  const fresh = new Compiler(own, fakeReaders).compile(snapshotOf(after, names), nowMs)
  assert.deepEqual(second, fresh)
  assert.notDeepEqual(second, first)
  const again = compiler.compile(snapshotOf(before, resolved), nowMs)
  assert.deepEqual(again, first)
  checkInStore(before, after, names)
}

const nameOf = (object: AnyObject): string => `${object.kind} ${object.metadata.name}`

/** The same where snapshots say which kinds are as they were. */
function checkInStore(
  before: readonly AnyObject[],
  after: readonly AnyObject[],
  names: Resolved,
): void {
  const store = new Store()
  const compiler = new Compiler(own, fakeReaders)
  for (const object of before) store.put(object)
  compiler.compile(
    store.freeze((name) => resolved[name]),
    nowMs,
  )
  const kept = new Set(after.map(nameOf))
  for (const object of before) {
    const { kind } = object
    const gone = !kept.has(nameOf(object))
    if (gone) store.delete(kind, object.metadata.namespace, object.metadata.name)
  }
  for (const object of after) store.put(object)
  const snapshot = store.freeze((name) => names[name])
  const fresh = new Compiler(own, fakeReaders).compile(snapshot, nowMs)
  assert.deepEqual(compiler.compile(snapshot, nowMs), fresh)
}

test('a change of endpoints alone compiles nothing else, and other changes do', () => {
  const store = new Store()
  const compiler = new Compiler(own, fakeReaders)
  const compiled = () =>
    compiler.compile(
      store.freeze((name) => resolved[name]),
      nowMs,
    )
  for (const object of start) store.put(object)
  const first = compiled()
  for (const address of ['10.0.0.7', '10.0.0.8', '10.0.0.9']) {
    store.put(slice('web-1', 'web', [address]))
    const { table, references, served } = compiled()
    const addresses = [...table.backends.values()].flatMap(({ endpoints }) =>
      endpoints.map((endpoint) => endpoint.address),
    )
    assert.ok(addresses.includes(address))
    assert.equal(table.hosts, first.table.hosts)
    assert.equal(table.certificates, first.table.certificates)
    assert.deepEqual([references === first.references, served === first.served], [true, true])
  }
  store.put(ingress('one', { hosts: { 'b.example': [prefix('/')] }, tls }))
  assert.notEqual(compiled().table.hosts, first.table.hosts)
})

/** One change of endpoints, of what names them, or of a name's addresses. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      slice: fc.constantFrom('web-1', 'web-2', 'rest-1', 'nobody-1'),
      // A loopback address is a finding of its own.
      addresses: fc.subarray(['10.0.0.1', '10.0.0.2', '10.0.0.3', '127.0.0.1']),
    }),
  },
  { weight: 2, arbitrary: fc.record({ gone: fc.constantFrom('web-1', 'web-2', 'rest-1') }) },
  { weight: 1, arbitrary: fc.record({ name: fc.constantFrom('192.0.2.1', '192.0.2.2', '') }) },
  { weight: 1, arbitrary: fc.record({ routed: fc.constantFrom('web', 'rest', 'out', 'nobody') }) },
)

test('whatever changes, and in whatever steps, the result is that of a new compiler', () => {
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 3 }), { maxLength: 12 }), (rounds) => {
      const store = new Store()
      for (const object of start) store.put(object)
      const compiler = new Compiler(own, fakeReaders)
      let addresses: readonly string[] | undefined = resolved['out.example']
      for (const steps of rounds) {
        for (const one of steps) {
          if ('slice' in one) {
            store.put(slice(one.slice, one.slice.replace(/-\d$/, ''), one.addresses))
          } else if ('gone' in one) store.delete('EndpointSlice', 'shop', one.gone)
          else if ('name' in one) addresses = one.name === '' ? undefined : [one.name]
          else {
            const routes = { 'a.example': [prefix('/', to(one.routed))] }
            store.put(ingress('one', { hosts: routes, tls }))
          }
        }
        const known = addresses
        const snapshot = store.freeze((name) => (name === 'out.example' ? known : undefined))
        const fresh = new Compiler(own, fakeReaders).compile(snapshot, nowMs)
        assert.deepEqual(compiler.compile(snapshot, nowMs), fresh)
      }
    }),
  )
})
