import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { exact, ingress, ingressClass, prefix, service, slice, specific, to } from './builders.ts'
import { compileObjects, found, rulesByHost, whoServes } from './compiling.ts'

const base: readonly AnyObject[] = [
  ingressClass('headgate'),
  ...['web', 'a', 'b', 'c'].flatMap((name) => [
    service(name),
    slice(`${name}-1`, name, ['10.0.0.1']),
  ]),
]

test('H2 H3 H4: a wildcard is one label, and a precise host goes before it', () => {
  const compiled = compileObjects([
    ...base,
    ingress('wild', { hosts: { '*.foo.example': [prefix('/', to('a'))] } }),
    ingress('precise', { hosts: { 'bar.foo.example': [prefix('/only', to('b'))] } }),
  ])
  assert.equal(whoServes(compiled, 'x.foo.example', '/'), 'a')
  assert.equal(whoServes(compiled, 'y.x.foo.example', '/'), '404')
  assert.equal(whoServes(compiled, 'foo.example', '/'), '404')
  assert.equal(whoServes(compiled, 'bar.foo.example', '/only'), 'b')
  // As in ingress-nginx the host is chosen first; a path that misses does not lead elsewhere.
  assert.equal(whoServes(compiled, 'bar.foo.example', '/other'), '404')
})

test('H5: a rule without host serves every host that has no rules', () => {
  const compiled = compileObjects([
    ...base,
    ingress('any', { hosts: { '': [prefix('/', to('a'))] } }),
    ingress('one', { hosts: { 'a.example': [prefix('/x', to('b'))] } }),
  ])
  assert.equal(whoServes(compiled, 'anything', '/'), 'a')
  assert.equal(whoServes(compiled, '', '/'), 'a')
  assert.equal(whoServes(compiled, 'a.example', '/x'), 'b')
  assert.equal(whoServes(compiled, 'a.example', '/y'), '404')
})

test('a host in upper case is the same host', () => {
  const compiled = compileObjects([
    ...base,
    ingress('one', { hosts: { 'A.Example': [prefix('/')] } }),
  ])
  assert.equal(whoServes(compiled, 'a.example', '/'), 'web')
})

test('X2: Ingresses with the same host are merged', () => {
  const compiled = compileObjects([
    ...base,
    ingress('one', { hosts: { 'a.example': [prefix('/a', to('a'))] } }),
    ingress('two', { hosts: { 'a.example': [prefix('/b', to('b'))] } }),
  ])
  assert.equal(whoServes(compiled, 'a.example', '/a'), 'a')
  assert.equal(whoServes(compiled, 'a.example', '/b'), 'b')
  assert.deepEqual(found(compiled), [])
})

test('X1: of two Ingresses with the same path the oldest wins, and the other is told', () => {
  const young = ingress('aaa', {
    meta: { createdMs: 2000 },
    hosts: { 'a.example': [prefix('/', to('a')), prefix('/young', to('a'))] },
  })
  const old = ingress('zzz', {
    meta: { createdMs: 1000 },
    hosts: { 'a.example': [prefix('/', to('b'))] },
  })
  const compiled = compileObjects([...base, young, old])
  assert.equal(whoServes(compiled, 'a.example', '/'), 'b')
  assert.equal(whoServes(compiled, 'a.example', '/young'), 'a')
  assert.deepEqual(found(compiled), ['route-conflict Ingress shop/aaa spec.rules[0].http.paths[0]'])
  assert.match(compiled.diagnostics.at(-1)?.message ?? '', /shop\/zzz/)
})

test('X1: at the same age namespace and then name decide, part by part', () => {
  const rows = [
    [
      ['a', 'zzz'],
      ['b', 'aaa'],
    ],
    [
      ['shop', 'a'],
      ['shop', 'b'],
    ],
    // As joined text the loser would go first: "a-b/x" < "a/x".
    [
      ['a', 'x'],
      ['a-b', 'x'],
    ],
  ] as const
  for (const [winner, loser] of rows) {
    const made = [winner, loser].map(([namespace, name]) =>
      ingress(name, { meta: { namespace, name, createdMs: 5 } }),
    )
    for (const order of [made, made.toReversed()]) {
      const [rule] = rulesByHost(compileObjects([...base, ...order])).get('a.example') ?? []
      assert.deepEqual([rule?.origin.namespace, rule?.origin.name], winner)
    }
  }
})

test('Exact and Prefix of one path are no conflict; ImplementationSpecific and Prefix are', () => {
  const mixed = ingress('one', {
    hosts: { 'a.example': [exact('/x', to('a')), prefix('/x', to('b'))] },
  })
  assert.deepEqual(found(compileObjects([...base, mixed])), [])
  const twice = ingress('one', {
    hosts: { 'a.example': [specific('/x', to('a')), prefix('/x', to('b'))] },
  })
  const compiled = compileObjects([...base, twice])
  assert.equal(whoServes(compiled, 'a.example', '/x'), 'a')
  assert.deepEqual(found(compiled), ['route-conflict Ingress shop/one spec.rules[0].http.paths[1]'])
})

test('D1: an Ingress without rules takes what no host takes', () => {
  const compiled = compileObjects([
    ...base,
    ingress('all', { hosts: {}, defaultBackend: to('a') }),
    ingress('one', { hosts: { 'a.example': [prefix('/x', to('b'))] } }),
  ])
  assert.equal(whoServes(compiled, 'anything', '/sub'), 'a')
  assert.equal(whoServes(compiled, 'a.example', '/x'), 'b')
  assert.equal(whoServes(compiled, 'a.example', '/y'), '404')
})

test('D2 P12: a default backend takes what no path of its own hosts matches', () => {
  const compiled = compileObjects([
    ...base,
    ingress('one', {
      hosts: { 'a.example': [prefix('/x', to('b'))], 'b.example': [prefix('/', to('c'))] },
      defaultBackend: to('a'),
    }),
  ])
  assert.equal(whoServes(compiled, 'a.example', '/x'), 'b')
  assert.equal(whoServes(compiled, 'a.example', '/y'), 'a')
  assert.equal(whoServes(compiled, 'b.example', '/y'), 'c')
  assert.equal(whoServes(compiled, 'other.example', '/'), '404')
})

test('D4: a rule without http serves the default backend, and 404 without one', () => {
  const rules = { 'a.example': undefined }
  const withDefault = ingress('one', { hosts: rules, defaultBackend: to('a') })
  const without = ingress('two', { hosts: { 'b.example': undefined } })
  const all = ingress('all', { hosts: {}, defaultBackend: to('c') })
  const compiled = compileObjects([...base, withDefault, without, all])
  assert.equal(whoServes(compiled, 'a.example', '/'), 'a')
  assert.equal(whoServes(compiled, 'b.example', '/'), '404')
  assert.equal(whoServes(compiled, 'c.example', '/'), 'c')
})

test('a path without host beats a default backend, whichever is older', () => {
  for (const createdMs of [1, 3]) {
    const compiled = compileObjects([
      ...base,
      ingress('all', { hosts: {}, defaultBackend: to('a'), meta: { createdMs } }),
      ingress('any', { hosts: { '': [prefix('/', to('b'))] }, meta: { createdMs: 2 } }),
    ])
    assert.equal(whoServes(compiled, 'x', '/'), 'b')
    assert.deepEqual(found(compiled), [])
  }
})

test('of two default backends the oldest wins, and the other is told', () => {
  const compiled = compileObjects([
    ...base,
    ingress('all', { hosts: {}, defaultBackend: to('a'), meta: { createdMs: 2 } }),
    ingress('old', { hosts: {}, defaultBackend: to('b'), meta: { createdMs: 1 } }),
  ])
  assert.equal(whoServes(compiled, 'x', '/'), 'b')
  assert.deepEqual(found(compiled), ['route-conflict Ingress shop/all spec.defaultBackend'])
})

test('nothing is made up for a host: an Exact path alone is one rule', () => {
  const compiled = compileObjects([
    ...base,
    ingress('one', { hosts: { 'a.example': [exact('/x')] } }),
  ])
  assert.equal(rulesByHost(compiled).get('a.example')?.length, 1)
})

test('the default backend of the command line takes the rest of every host', () => {
  const compiled = compileObjects(
    [
      ...base,
      ingress('one', {
        hosts: { 'a.example': [prefix('/x', to('b'))], 'b.example': [prefix('/')] },
      }),
    ],
    { defaultBackendService: { namespace: 'shop', name: 'c' } },
  )
  assert.equal(whoServes(compiled, 'a.example', '/x'), 'b')
  assert.equal(whoServes(compiled, 'a.example', '/y'), 'c')
  assert.equal(whoServes(compiled, 'nowhere', '/'), 'c')
  assert.equal(rulesByHost(compiled).get('b.example')?.length, 1)
})

test('a default backend of the command line that cannot be used is reported, and 404 stays', () => {
  const missing = compileObjects(base, {
    defaultBackendService: { namespace: 'shop', name: 'gone' },
  })
  assert.deepEqual(found(missing), ['service-missing Service shop/gone '])
  assert.equal(whoServes(missing, 'x', '/'), '404')
  const portless = compileObjects([...base, service('none', { ports: [] })], {
    defaultBackendService: { namespace: 'shop', name: 'none' },
  })
  assert.deepEqual(found(portless), ['service-port-missing Service shop/none spec.ports'])
})

const badHosts = [
  '*',
  '*.',
  'a.*.example',
  '10.0.0.1',
  'a.example:80',
  'a_b.example',
  '-a',
  'a..b',
  '*.*.b',
  '[::1]',
]

for (const host of badHosts) {
  test(`host ${JSON.stringify(host)} is not served, and harms no other rule`, () => {
    const compiled = compileObjects([
      ...base,
      ingress('one', {
        hosts: { [host]: [prefix('/', to('a'))], 'a.example': [prefix('/', to('b'))] },
      }),
    ])
    assert.deepEqual(found(compiled), ['host-invalid Ingress shop/one spec.rules[0].host'])
    assert.deepEqual([...rulesByHost(compiled).keys()], ['a.example'])
  })
}

test('an Ingress that asks for nothing is reported', () => {
  const compiled = compileObjects([...base, ingress('one', { hosts: {} })])
  assert.deepEqual(found(compiled), ['object-invalid Ingress shop/one spec'])
})
