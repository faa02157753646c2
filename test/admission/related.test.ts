import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { judge } from '#src/admission/judge.ts'
import { HostIndex } from '#src/admission/related.ts'
import { Compiler } from '#src/compile/compiler.ts'
import type { AnyObject, Ingress } from '#src/snapshot/objects.ts'
import { Store } from '#src/snapshot/store.ts'
import { ingress, ingressClass, nginx, prefix, service, to } from '#test/compile/builders.ts'
import { fakeReaders, nowMs, settings } from '#test/compile/compiling.ts'

const host = fc.constantFrom(
  'a.example',
  'www.a.example',
  'b.example',
  'B.example',
  '*.example',
  '',
)
const annotations = fc.record(
  {
    'server-alias': fc.constantFrom('b.example', 'c.example, a.example', 'not a name'),
    'from-to-www-redirect': fc.constantFrom('true', 'false'),
    canary: fc.constantFrom('true', 'maybe'),
    'canary-weight': fc.constantFrom('10', '-1'),
    'proxy-body-size': fc.constantFrom('1m', 'wrong'),
    'use-regex': fc.constant('true'),
  },
  { requiredKeys: [] },
)
const someIngress: fc.Arbitrary<Ingress> = fc
  .record({
    name: fc.constantFrom('one', 'two', 'three', 'four', 'five'),
    createdMs: fc.integer({ min: 0, max: 3 }),
    hosts: fc.array(host, { maxLength: 2 }),
    path: fc.constantFrom('/', '/x'),
    backend: fc.constantFrom('web', 'missing'),
    annotations,
  })
  .map(({ name, createdMs, hosts, path, backend, annotations: given }) => {
    const texts: Record<string, string> = given
    const paths = [prefix(path, to(backend))]
    return ingress(name, {
      meta: { createdMs, annotations: nginx(texts) },
      hosts: Object.fromEntries(hosts.map((one) => [one, paths])),
    })
  })

const others: readonly AnyObject[] = [ingressClass('headgate'), service('web')]
const everything = (store: Store) => ({
  related: ({ metadata }: Ingress): Ingress[] =>
    [...store.all('Ingress')].filter((other) => other.metadata.name !== metadata.name),
})

test('a review of those with a host in common has the verdict of one of everything', () => {
  const step = fc.record({
    put: fc.option(someIngress, { nil: undefined }),
    gone: fc.option(fc.constantFrom('one', 'two', 'three'), { nil: undefined }),
    asked: someIngress,
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
      const store = new Store()
      for (const object of others) store.put(object)
      const index = new HostIndex()
      const compiler = new Compiler(settings, fakeReaders)
      for (const { put, gone, asked } of steps) {
        if (put !== undefined) store.put(put)
        if (gone !== undefined) store.delete('Ingress', 'shop', gone)
        const snapshot = store.freeze()
        index.follow(snapshot)
        const kept = judge(asked, { snapshot, settings, compiler, index, nowMs })
        const whole = judge(asked, {
          snapshot,
          settings,
          compiler: new Compiler(settings, fakeReaders),
          index: everything(store),
          nowMs,
        })
        assert.deepEqual(kept, whole)
      }
    }),
    { numRuns: 200 },
  )
})

const named = (name: string, ...hosts: string[]): Ingress =>
  ingress(name, { hosts: Object.fromEntries(hosts.map((one) => [one, [prefix('/')]])) })

test('the index follows snapshots of one store, and begins anew with those of another', () => {
  const index = new HostIndex()
  const related = (...hosts: string[]): string[] =>
    index
      .related(named('asked', ...hosts), undefined)
      .map(({ metadata: { name } }) => name)
      .toSorted()
  const store = new Store()
  store.put(named('one', 'a.example', 'b.example'))
  store.put(named('two', 'b.example'))
  store.put(named('asked', 'a.example'))
  index.follow(store.freeze())
  assert.deepEqual(related('a.example'), ['one', 'two'])
  assert.deepEqual(related('z.example'), [])
  const moved = index.related(named('asked', 'z.example'), named('asked', 'a.example'))
  assert.equal(moved.length, 2, 'where it is now does not count')
  store.put(named('one', 'c.example'))
  store.delete('Ingress', 'shop', 'two')
  store.put(named('three', 'b.example'))
  index.follow(store.freeze())
  assert.deepEqual(related('a.example'), [])
  assert.deepEqual(related('b.example', 'c.example'), ['one', 'three'])
  const other = new Store()
  other.put(named('four', 'c.example'))
  index.follow(other.freeze())
  assert.deepEqual(related('b.example', 'c.example'), ['four'])
})
