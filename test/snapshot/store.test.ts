import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { saysTheSame } from '#src/snapshot/equal.ts'
import type { ConfigMap, EndpointSlice, SliceEndpoint } from '#src/snapshot/objects.ts'
import { SharedMap } from '#src/snapshot/shared-map.ts'
import type { SharedView } from '#src/snapshot/shared-map.ts'
import { Store } from '#src/snapshot/store.ts'
import { ingress } from '#test/compile/builders.ts'

function configMap(name: string, value: string, namespace = 'shop'): ConfigMap {
  return { kind: 'ConfigMap', metadata: metadata(name, namespace), file: '', data: { value } }
}

function slice(name: string, serviceName: string, zone = ''): EndpointSlice {
  const endpoint: SliceEndpoint = {
    address: '10.0.0.1',
    ready: true,
    serving: true,
    terminating: false,
    zone,
    nodeName: '',
    zoneHints: [],
    nodeHints: [],
    targetUid: '',
    targetName: '',
  }
  return {
    kind: 'EndpointSlice',
    metadata: metadata(name, 'shop'),
    file: '',
    serviceName,
    addressType: 'IPv4',
    ports: [],
    endpoints: [endpoint],
  }
}

function metadata(name: string, namespace: string): ConfigMap['metadata'] {
  return { namespace, name, uid: '', createdMs: 0, generation: 0, annotations: {}, labels: {} }
}

test('a snapshot stays as it was', () => {
  const store = new Store()
  store.put(configMap('a', '1'))
  const before = store.freeze()
  store.put(configMap('a', '2'))
  store.put(configMap('b', '1'))
  const after = store.freeze()
  store.delete('ConfigMap', 'shop', 'a')
  assert.deepEqual(
    [...before.all('ConfigMap')].map(({ data }) => data['value']),
    ['1'],
  )
  assert.equal(before.get('ConfigMap', 'shop', 'b'), undefined)
  assert.equal(after.get('ConfigMap', 'shop', 'a')?.data['value'], '2')
  assert.equal(store.get('ConfigMap', 'shop', 'a'), undefined)
  assert.equal(store.count('ConfigMap'), 1)
  assert.equal([...store.all('ConfigMap')].length, 1)
})

test('an object that says the same again stays the object that it was', () => {
  const store = new Store()
  const first = configMap('a', '1')
  assert.equal(store.put(first), 'changed')
  assert.equal(store.put(configMap('a', '1')), 'same')
  assert.equal(store.freeze().get('ConfigMap', 'shop', 'a'), first)
  assert.equal(store.put(configMap('a', '2')), 'changed')
  assert.equal(store.delete('ConfigMap', 'shop', 'a'), true)
  assert.equal(store.delete('ConfigMap', 'shop', 'a'), false)
})

test('objects of one name in two namespaces, or of two kinds, are two', () => {
  const store = new Store()
  store.put(configMap('c', '1', 'a-b'))
  store.put(configMap('b-c', '2', 'a'))
  assert.equal(store.count('ConfigMap'), 2)
  assert.equal(store.get('ConfigMap', 'a', 'b-c')?.data['value'], '2')
  assert.equal(store.get('Secret', 'a', 'b-c'), undefined)
})

test('slices are found by their Service, in the same array until one of them changes', () => {
  const store = new Store()
  store.put(slice('web-1', 'web'))
  store.put(slice('web-2', 'web'))
  store.put(slice('api-1', 'api'))
  store.put(slice('none', ''))
  const names = (service: string): string[] =>
    store
      .freeze()
      .slicesOf('shop', service)
      .map(({ metadata: { name } }) => name)
  const web = store.freeze().slicesOf('shop', 'web')
  assert.deepEqual(names('web').toSorted(), ['web-1', 'web-2'])
  store.put(slice('api-1', 'api', 'z'))
  store.put(configMap('a', '1'))
  assert.equal(store.freeze().slicesOf('shop', 'web'), web)
  store.put(slice('web-2', 'api'))
  assert.deepEqual(names('web'), ['web-1'])
  assert.deepEqual(names('api').toSorted(), ['api-1', 'web-2'])
  store.delete('EndpointSlice', 'shop', 'web-1')
  assert.deepEqual(names('web'), [])
  assert.equal(store.freeze().slicesOf('shop', 'web'), store.freeze().slicesOf('other', 'none'))
  assert.equal(web.length, 2)
})

test('a snapshot tells whose slices are others than in an earlier one of the same store', () => {
  const store = new Store()
  for (let i = 0; i < 1000; i++) store.put(slice(`s${i}-1`, `s${i}`))
  const first = store.freeze()
  const changed = (): string[] => [...(store.freeze().slicesChanged?.(first) ?? [])].toSorted()
  assert.deepEqual(changed(), [])
  store.put(slice('s7-1', 's7'))
  store.put(configMap('a', '1'))
  assert.deepEqual(changed(), [])
  store.put(slice('s7-1', 's7', 'z'))
  store.put(slice('new-1', 'new'))
  store.put(slice('s9-1', 's8'))
  store.delete('EndpointSlice', 'shop', 's500-1')
  assert.deepEqual(changed(), ['shop/new', 'shop/s500', 'shop/s7', 'shop/s8', 'shop/s9'])
  assert.equal(new Store().freeze().slicesChanged?.(first), undefined)
})

test('names are resolved by whoever knows', () => {
  const store = new Store()
  const known = ['192.0.2.1']
  const snapshot = store.freeze((name) => (name === 'a.example' ? known : undefined))
  assert.equal(snapshot.resolved('a.example'), known)
  assert.equal(snapshot.resolved('b.example'), undefined)
  assert.equal(store.freeze().resolved('a.example'), undefined)
})

const step = fc.oneof(
  fc.record({ put: fc.nat(20), value: fc.nat(3) }),
  fc.record({ drop: fc.nat(20) }),
  fc.constant('view' as const),
)

test('views of a shared map hold what a copy would', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const map = new SharedMap<number>()
      const model = new Map<string, number>()
      const views: [SharedView<number>, Map<string, number>][] = []
      for (const one of steps) {
        if (one === 'view') views.push([map.view(), new Map(model)])
        else if ('drop' in one)
          assert.equal(map.delete(`k${one.drop}`), model.delete(`k${one.drop}`))
        else {
          map.set(`k${one.put}`, one.value)
          model.set(`k${one.put}`, one.value)
        }
        assert.equal(map.size, model.size)
      }
      views.push([map.view(), model])
      for (const [view, copy] of views) {
        assert.equal(view.size, copy.size)
        for (let i = 0; i <= 20; i++) assert.equal(view.get(`k${i}`), copy.get(`k${i}`))
        assert.deepEqual(
          [...view.values()].toSorted(ascending),
          [...copy.values()].toSorted(ascending),
        )
      }
      assert.equal(map.view(), map.view())
    }),
  )
})

test('a change copies a small part of what there is', () => {
  const map = new SharedMap<number>()
  const copy = new Map<string, number>()
  for (let i = 0; i < 100_000; i++) {
    map.set(`namespace/name-${i}`, i)
    copy.set(`namespace/name-${i}`, i)
  }
  const copies = cpuMs(() => {
    for (let i = 0; i < 20; i++) new Map(copy).set('x', i)
  })
  const changes = cpuMs(() => {
    for (let i = 0; i < 20; i++) {
      map.view()
      map.set(`namespace/name-${i}`, -1)
    }
  })
  assert.equal(map.size, 100_000)
  assert.ok(changes < copies / 5, `20 changes took ${changes} ms, 20 copies ${copies} ms`)
})

/** CPU of this thread, so that others do not count. */
function cpuMs(action: () => void): number {
  const before = process.threadCpuUsage()
  action()
  return process.threadCpuUsage(before).user / 1000
}

test('equality is one of contents', () => {
  const same: readonly (readonly [unknown, unknown])[] = [
    [1, 1],
    [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [undefined, undefined],
    // JSON knows no undefined member: what was stored as JSON says the same.
    [{ a: 1 }, { a: 1, b: undefined }],
    [{ a: undefined }, { b: undefined }],
  ]
  for (const [a, b] of same) assert.ok(saysTheSame(a, b))
  const other: readonly (readonly [unknown, unknown])[] = [
    [1, '1'],
    [{}, []],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1 }, { toString: undefined }],
    [[1, 2], [1]],
    [null, {}],
    [undefined, {}],
  ]
  for (const [a, b] of other) {
    assert.ok(!saysTheSame(a, b))
    assert.ok(!saysTheSame(b, a))
  }
})

function ascending(a: number, b: number): number {
  return a - b
}

test('a change of the status alone keeps the Ingress, and the newest addresses are known', () => {
  const store = new Store()
  const first = ingress('web', { published: ['192.0.2.1'] })
  assert.equal(store.put(first), 'changed')
  assert.equal(store.put(ingress('web', { published: ['192.0.2.2'] })), 'status')
  assert.equal(store.put(ingress('web', { published: ['192.0.2.2'] })), 'same')
  assert.equal(store.get('Ingress', 'shop', 'web'), first)
  assert.deepEqual(store.publishedOf('shop', 'web'), ['192.0.2.2'])
  const moved = ingress('web', { className: 'other', published: ['192.0.2.2'] })
  assert.equal(store.put(moved), 'changed')
  assert.equal(store.get('Ingress', 'shop', 'web'), moved)
  assert.equal(store.put(ingress('web', { className: 'other' })), 'status')
  assert.deepEqual(store.publishedOf('shop', 'web'), [])
  store.put(first)
  store.delete('Ingress', 'shop', 'web')
  assert.deepEqual(store.publishedOf('shop', 'web'), [])
})
