import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IngressPath } from '#src/snapshot/objects.ts'
import { configMap, exact, ingress, prefix, service, slice, specific, to, web } from './builders.ts'
import { compileObjects, found, rulesByHost, whoServes } from './compiling.ts'

const backends = ['web', 'a', 'b', 'c'].flatMap((name) => [
  service(name),
  slice(`${name}-1`, name, ['10.0.0.1']),
])

function serving(paths: readonly IngressPath[]) {
  return compileObjects([...web, ...backends, ingress('one', { hosts: { 'a.example': paths } })])
}

// The rows P1 to P16 of the Ingress semantics: paths, and which Service a request path meets.
const rows: readonly (readonly [
  string,
  readonly IngressPath[],
  Readonly<Record<string, string>>,
])[] = [
  ['P1 P2 Exact', [exact('/foo')], { '/foo': 'web', '/foo/': '404', '/FOO': '404', '/bar': '404' }],
  ['P3 Exact with a slash', [exact('/foo/')], { '/foo/': 'web', '/foo': '404' }],
  ['P4 Prefix /', [prefix('/')], { '/': 'web', '/x': 'web', '/x/y/': 'web', '/~user': 'web' }],
  [
    'P5 P6 Prefix by element',
    [prefix('/foo')],
    { '/foo': 'web', '/foo/': 'web', '/foo/x': 'web', '/foobar': '404', '/FOO': '404', '/': '404' },
  ],
  [
    'P7 a slash at the end of a prefix',
    [prefix('/foo/')],
    { '/foo': 'web', '/foo/': 'web', '/foo/x': 'web', '/foobar': '404' },
  ],
  [
    'P8 P9 P10 longer prefixes',
    [prefix('/aaa/bbb/')],
    { '/aaa/bbb': 'web', '/aaa/bbb/ccc': 'web', '/aaa/bb': '404', '/aaa/bbbxyz': '404' },
  ],
  [
    'P11 the longest wins',
    [prefix('/', to('a')), prefix('/aaa', to('b')), prefix('/aaa/bbb', to('c'))],
    { '/aaa/ccc': 'b', '/aaa/bbb': 'c', '/aaa/bbb/d': 'c', '/ccc': 'a', '/': 'a' },
  ],
  [
    'P13 Exact before Prefix',
    [prefix('/foo', to('a')), exact('/foo', to('b'))],
    { '/foo': 'b', '/foo/': 'a', '/foo/x': 'a' },
  ],
  [
    'P14 /foo and /foo/ side by side',
    [prefix('/foo', to('a')), prefix('/foo/', to('b'))],
    { '/foo': 'b', '/foo/': 'b', '/foo/x': 'b' },
  ],
  [
    'an Exact path beats a prefix that is longer by its slash',
    [prefix('/foo/', to('a')), exact('/foo', to('b'))],
    { '/foo': 'b', '/foo/': 'a' },
  ],
  ['Exact / and Prefix /', [prefix('/', to('a')), exact('/', to('b'))], { '/': 'b', '/x': 'a' }],
  [
    'P15 the order in the Ingress does not matter',
    [
      prefix('/aaa/bbb', to('c')),
      prefix('/', to('a')),
      exact('/aaa', to('web')),
      prefix('/aaa', to('b')),
    ],
    { '/aaa/bbb/x': 'c', '/zzz': 'a', '/aaa': 'web', '/aaa/x': 'b' },
  ],
  [
    'P16 ImplementationSpecific means Prefix',
    [specific('/foo')],
    { '/foo': 'web', '/foo/x': 'web', '/foobar': '404' },
  ],
  ['P16 and may be empty', [specific('')], { '/': 'web', '/x': 'web' }],
  [
    'characters beyond those of plain paths',
    [specific('/a b'), specific('/caf\u00e9', to('a')), specific('/%7Euser', to('b'))],
    // Request paths are compared decoded, as bytes.
    { '/a b/c': 'web', '/caf\u00c3\u00a9': 'a', '/~user': 'b', '/%7Euser': '404' },
  ],
  ['a percent sign that encodes nothing', [specific('/100%')], { '/100%': 'web' }],
]

for (const [title, paths, requests] of rows) {
  test(title, () => {
    const compiled = serving(paths)
    for (const [path, expected] of Object.entries(requests)) {
      assert.equal(whoServes(compiled, 'a.example', path), expected, path)
    }
    assert.deepEqual(found(compiled), [])
  })
  test(`${title}, the other way round`, () => {
    const compiled = serving(paths.toReversed())
    for (const [path, expected] of Object.entries(requests)) {
      assert.equal(whoServes(compiled, 'a.example', path), expected, path)
    }
  })
}

// P17: what the API server refuses, and what can match no request.
const invalid: readonly IngressPath[] = [
  prefix(''),
  exact(''),
  prefix('foo'),
  specific('foo'),
  ...['/a//b', '/a/./b', '/a/../b', '/a/..', '/a/.'].flatMap((path) => [
    prefix(path),
    specific(path),
  ]),
  specific('/a%2Fb'),
  specific('/a%2fb'),
  specific('/%2e%2e/b'),
  specific('/a%00'),
  prefix('/a b'),
  exact('/a%20b'),
  prefix('/v[12]'),
  exact('/a?b'),
  specific('/a?b'),
  specific('/a#b'),
  prefix('/caf\u00e9'),
]

for (const path of invalid) {
  test(`${path.pathType} ${JSON.stringify(path.path)} is not served, and harms no other path`, () => {
    const compiled = serving([prefix('/good', to('a')), path])
    assert.deepEqual(found(compiled), [
      'path-invalid Ingress shop/one spec.rules[0].http.paths[1].path',
    ])
    assert.equal(rulesByHost(compiled).get('a.example')?.length, 1)
    assert.equal(whoServes(compiled, 'a.example', '/good'), 'a')
  })
}

test('strict-validate-path-type false lets Exact and Prefix hold other characters', () => {
  const paths = [prefix('/a b'), exact('/v[12]', to('a'))]
  const compiled = compileObjects([
    ...web,
    ...backends,
    configMap({ 'strict-validate-path-type': 'false' }),
    ingress('one', { hosts: { 'a.example': paths } }),
  ])
  assert.deepEqual(found(compiled), [])
  assert.equal(whoServes(compiled, 'a.example', '/a b/x'), 'web')
  assert.equal(whoServes(compiled, 'a.example', '/v[12]'), 'a')
})

test('200 paths on one host keep their own backends', () => {
  const paths = Array.from({ length: 200 }, (_, i) =>
    (i % 3 === 0 ? exact : prefix)(`/p${i}`, to(i % 2 === 0 ? 'a' : 'b')),
  )
  const compiled = serving(paths)
  assert.equal(whoServes(compiled, 'a.example', '/p0'), 'a')
  assert.equal(whoServes(compiled, 'a.example', '/p199'), 'b')
  assert.equal(whoServes(compiled, 'a.example', '/p100/x'), 'a')
  assert.equal(whoServes(compiled, 'a.example', '/p99/x'), '404')
  assert.equal(whoServes(compiled, 'a.example', '/p200'), '404')
})
