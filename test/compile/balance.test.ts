import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMap, ingress, nginx, prefix, prefixed, service, web } from './builders.ts'
import type { Annotations } from './builders.ts'
import { compileObjects, found } from './compiling.ts'
import { ruleOf, withAnnotations } from './one-rule.ts'

// How endpoints are chosen: Ingress over Service over ConfigMap.
const balanceRows: readonly (readonly [
  string,
  Annotations,
  Annotations,
  Record<string, string>,
  string,
  string,
])[] = [
  ['the default', {}, {}, {}, 'round-robin', ''],
  [
    'a name of ours',
    prefixed('headgate.dev', { 'load-balance': 'least-requests' }),
    {},
    {},
    'least-requests',
    '',
  ],
  ["ingress-nginx's names", nginx({ 'load-balance': 'ewma' }), {}, {}, 'peak-ewma', ''],
  [
    "ingress-nginx's names with underscore",
    nginx({ 'load-balance': 'round_robin' }),
    {},
    { 'load-balance': 'ewma' },
    'round-robin',
    '',
  ],
  ['the ConfigMap', {}, {}, { 'load-balance': 'ewma' }, 'peak-ewma', ''],
  [
    'the Service over the ConfigMap',
    {},
    prefixed('headgate.dev', { 'load-balance': 'weighted' }),
    { 'load-balance': 'ewma' },
    'weighted',
    '',
  ],
  [
    'the Ingress over the Service',
    nginx({ 'load-balance': 'ewma' }),
    prefixed('headgate.dev', { 'load-balance': 'weighted' }),
    {},
    'peak-ewma',
    '',
  ],
  [
    'a key beats an algorithm without one',
    nginx({ 'upstream-hash-by': '$request_uri', 'load-balance': 'ewma' }),
    {},
    {},
    'consistent-hash',
    '${request_uri}',
  ],
  [
    'a key of the Service',
    {},
    nginx({ 'upstream-hash-by': '$http_x_user' }),
    {},
    'consistent-hash',
    '${http_x_user}',
  ],
  [
    'a keyed algorithm keeps its name',
    prefixed('headgate.dev', {
      'load-balance': 'consistent-hash',
      'upstream-hash-by': '$cookie_sid',
    }),
    {},
    {},
    'consistent-hash',
    '${cookie_sid}',
  ],
  [
    'a keyed algorithm without key goes by the client',
    prefixed('headgate.dev', { 'load-balance': 'consistent-hash' }),
    {},
    {},
    'consistent-hash',
    '${remote_addr}',
  ],
]

for (const [title, ofIngress, ofService, data, algorithm, key] of balanceRows) {
  test(`load balancing: ${title}`, () => {
    const { use, findings } = ruleOf([
      ...web.filter(({ kind }) => kind !== 'Service'),
      service('web', { meta: { annotations: ofService } }),
      configMap(data),
      ingress('one', { annotations: ofIngress }),
    ])
    assert.deepEqual(findings, [])
    assert.equal(use.balance.algorithm, algorithm)
    const shown = use.balance.hashKey.map((part) =>
      'text' in part ? part.text : `\${${part.variable}}`,
    )
    assert.equal(shown.join(''), key)
  })
}

test("other products' names are known in any case, and need not be written as theirs", () => {
  for (const [text, name] of [
    ['LEAST_REQUEST', 'two-choices'],
    ['LeastRequest', 'two-choices'],
    ['Round_Robin', 'round-robin'],
    ['Peak-EWMA', 'peak-ewma'],
  ] as const) {
    const { use, findings } = withAnnotations(nginx({ 'load-balance': text }))
    assert.equal(use.balance.algorithm, name)
    assert.deepEqual(findings, [])
  }
})

test('upstream-hash-by never spills over to another endpoint, nor does a subset', () => {
  const key = { 'upstream-hash-by': '$request_uri' }
  assert.deepEqual(withAnnotations(nginx(key)).use.balance.options, { boundFactor: Infinity })
  const subset = withAnnotations(nginx({ ...key, 'upstream-hash-by-subset': 'true' })).use.balance
  assert.deepEqual([subset.algorithm, subset.options], ['subset-hash', { subsetSize: 3 }])
  const sized = nginx({
    ...key,
    'upstream-hash-by-subset': 'true',
    'upstream-hash-by-subset-size': '5',
  })
  assert.deepEqual(withAnnotations(sized).use.balance.options, { subsetSize: 5 })
  const keyless = withAnnotations(nginx({ 'upstream-hash-by-subset': 'true' })).use.balance
  assert.equal(keyless.algorithm, 'round-robin')
})

test('an algorithm that is none is reported with those there are', () => {
  const compiled = compileObjects([
    ...web,
    ingress('one', { annotations: nginx({ 'load-balance': 'fastest' }) }),
  ])
  const finding = compiled.diagnostics.find(({ code }) => code === 'annotation-invalid')
  assert.match(finding?.message ?? '', /round-robin.*got "fastest"/)
})

test('unknown keys on a Service are reported once, however many rules use it', () => {
  const annotations = prefixed('headgate.dev', { 'load-balanse': 'ewma' })
  const compiled = compileObjects([
    ...web.filter(({ kind }) => kind !== 'Service'),
    service('web', { meta: { annotations } }),
    ingress('one', {
      hosts: { 'a.example': [prefix('/'), prefix('/x')], 'b.example': [prefix('/')] },
    }),
  ])
  assert.deepEqual(found(compiled), [
    'annotation-unknown Service shop/web headgate.dev/load-balanse',
  ])
})

const keyRows: readonly (readonly [string, unknown])[] = [
  ['$request_uri', [{ variable: 'request_uri' }]],
  [
    '${request_uri}-$host-fixed',
    [{ variable: 'request_uri' }, { text: '-' }, { variable: 'host' }, { text: '-fixed' }],
  ],
  ['$HTTP_X_User', [{ variable: 'http_x_user' }]],
  ['$arg_id$cookie_a', [{ variable: 'arg_id' }, { variable: 'cookie_a' }]],
  ['fixed', [{ text: 'fixed' }]],
]

for (const [text, expected] of keyRows) {
  test(`upstream-hash-by: ${text}`, () => {
    const { use, findings } = withAnnotations(nginx({ 'upstream-hash-by': text }))
    assert.deepEqual(use.balance.hashKey, expected)
    assert.deepEqual(findings, [])
  })
}

for (const text of ['$nonsense', '${host', '$', 'a$-b', '$http_', '${}']) {
  test(`upstream-hash-by: ${text} is reported, never passed on as text`, () => {
    const { use, findings } = withAnnotations(nginx({ 'upstream-hash-by': text }))
    assert.deepEqual(use.balance.hashKey, [])
    assert.deepEqual(findings, [
      'annotation-invalid Ingress shop/one nginx.ingress.kubernetes.io/upstream-hash-by',
    ])
  })
}

test('parameters of algorithms reach them, and only those that differ from what they do anyhow', () => {
  const rows: readonly (readonly [Record<string, string>, object])[] = [
    [{}, {}],
    [{ 'load-balance-decay': '10s', 'load-balance-penalty': '5s' }, {}],
    [
      { 'load-balance-decay': '4s', 'load-balance-penalty': '2s', 'load-balance-choices': '2' },
      { decayMs: 4000, penaltyMs: 2000, choices: 2 },
    ],
    [{ 'load-balance-slow-start-aggression': '2' }, {}],
    [
      { 'load-balance-slow-start': '30s', 'load-balance-slow-start-aggression': '2' },
      { slowStartMs: 30_000, slowStartAggression: 2 },
    ],
  ]
  for (const [given, options] of rows) {
    const annotations = prefixed('headgate.dev', { 'load-balance': 'peak-ewma', ...given })
    const { use, findings } = withAnnotations(annotations)
    assert.deepEqual([use.balance.options, findings], [options, []])
  }
})

test('prequal sends probes where a path is named, and counts on reports in answers elsewhere', () => {
  const silent = prequal({ 'load-balance-probes': '2' })
  assert.deepEqual([silent.probePath, silent.options], [undefined, { probesPerRequest: 0 }])
  const path = { 'load-balance-probe-path': '/load' }
  assert.deepEqual([prequal(path).probePath, prequal(path).options], ['/load', {}])
  const often = prequal({ ...path, 'load-balance-probes': '4.5' })
  assert.deepEqual(often.options, { probesPerRequest: 4.5 })
})

function prequal(given: Record<string, string>) {
  return withAnnotations(prefixed('headgate.dev', { 'load-balance': 'prequal', ...given })).use
    .balance
}
