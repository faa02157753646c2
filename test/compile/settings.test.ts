import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { defaultGlobalOptions, defaultRouteSettings } from '#src/table/defaults.ts'
import type { GlobalOptions, RouteSettings, Rule, WeightedBackend } from '#src/table/table.ts'
import { configMap, ingress, nginx, prefix, prefixed, service, to, web } from './builders.ts'
import type { Annotations } from './builders.ts'
import { compileObjects, found, rulesByHost, whoServes } from './compiling.ts'
import type { Given } from './compiling.ts'

function ruleOf(objects: readonly AnyObject[]): {
  rule: Rule
  use: WeightedBackend
  findings: string[]
} {
  const compiled = compileObjects(objects)
  const rule = rulesByHost(compiled).get('a.example')?.[0]
  const use = rule?.backends[0]
  assert.ok(rule !== undefined && use !== undefined)
  return { rule, use, findings: found(compiled) }
}

function withAnnotations(annotations: Annotations, more: readonly AnyObject[] = []) {
  return ruleOf([...web, ...more, ingress('one', { annotations })])
}

function optionsOf(data: Readonly<Record<string, string>>, given: Given = {}) {
  const compiled = compileObjects([...web, configMap(data)], given)
  return { options: compiled.table.options, findings: found(compiled), compiled }
}

test('without annotations and ConfigMap everything is as ingress-nginx has it', () => {
  const { rule, use, findings } = withAnnotations({})
  assert.deepEqual(rule.settings, defaultRouteSettings)
  assert.deepEqual(rule.policies, [])
  assert.deepEqual(use.balance, { algorithm: 'round-robin', options: {}, hashKey: [] })
  assert.deepEqual([use.protocol, use.tls, use.weight, use.service], ['http1', undefined, 1, 'web'])
  assert.deepEqual(compileObjects(web).table.options, defaultGlobalOptions)
  assert.deepEqual(findings, [])
})

const { retry } = defaultRouteSettings

// Annotation and ConfigMap key have the same name, type and meaning.
const routeRows: readonly (readonly [string, string, Partial<RouteSettings>])[] = [
  ['proxy-body-size', '8k', { bodyBytesMax: 8192 }],
  ['proxy-body-size', '0', { bodyBytesMax: 0 }],
  ['proxy-connect-timeout', '3', { connectTimeoutMs: 3000 }],
  ['proxy-send-timeout', '90s', { sendTimeoutMs: 90_000 }],
  ['proxy-read-timeout', '5m', { readTimeoutMs: 300_000 }],
  ['proxy-next-upstream', 'off', { retry: { ...retry, onError: false, onTimeout: false } }],
  ['proxy-next-upstream', 'error off', { retry: { ...retry, onError: false, onTimeout: false } }],
  [
    'proxy-next-upstream',
    'http_503  http_429 invalid_header non_idempotent',
    {
      retry: {
        ...retry,
        onError: false,
        onTimeout: false,
        onInvalidHeader: true,
        onStatuses: [503, 429],
        nonIdempotent: true,
      },
    },
  ],
  ['proxy-next-upstream-timeout', '10', { retry: { ...retry, timeoutMs: 10_000 } }],
  ['proxy-next-upstream-tries', '0', { retry: { ...retry, triesMax: 0 } }],
]

for (const [key, text, expected] of routeRows) {
  test(`${key}: ${text}, as annotation and as option`, () => {
    const settings = { ...defaultRouteSettings, ...expected }
    const annotated = withAnnotations(nginx({ [key]: text }))
    assert.deepEqual(annotated.rule.settings, settings)
    assert.deepEqual(annotated.findings, [])
    const optioned = withAnnotations({}, [configMap({ [key]: text })])
    assert.deepEqual(optioned.rule.settings, settings)
    assert.deepEqual(optioned.findings, [])
  })
}

test('an annotation wins over the ConfigMap, and a bad one leaves the ConfigMap in force', () => {
  const options = [configMap({ 'proxy-body-size': '2k' })]
  assert.equal(
    withAnnotations(nginx({ 'proxy-body-size': '1k' }), options).rule.settings.bodyBytesMax,
    1024,
  )
  const { rule, findings } = withAnnotations(nginx({ 'proxy-body-size': '15r' }), options)
  assert.equal(rule.settings.bodyBytesMax, 2048)
  assert.deepEqual(findings, [
    'annotation-invalid Ingress shop/one nginx.ingress.kubernetes.io/proxy-body-size',
  ])
})

test('headgate.dev wins over the compatible prefix', () => {
  const { rule } = withAnnotations({
    ...nginx({ 'proxy-body-size': '1k' }),
    ...prefixed('headgate.dev', { 'proxy-body-size': '2k' }),
  })
  assert.equal(rule.settings.bodyBytesMax, 2048)
})

test('another --annotations-prefix takes the place of the compatible one', () => {
  const annotations = {
    ...nginx({ 'proxy-body-size': '1k', nonsense: 'x' }),
    ...prefixed('ingress.example.com', { 'proxy-body-size': '2k' }),
  }
  const compiled = compileObjects([...web, ingress('one', { annotations })], {
    annotationsPrefix: 'ingress.example.com',
  })
  assert.equal(rulesByHost(compiled).get('a.example')?.[0]?.settings.bodyBytesMax, 2048)
  assert.deepEqual(found(compiled), [])
})

test('proxy-next-upstream with a word that is none keeps the default', () => {
  const { rule, findings } = withAnnotations(nginx({ 'proxy-next-upstream': 'error sometimes' }))
  assert.deepEqual(rule.settings.retry, retry)
  assert.equal(findings.length, 1)
})

test('retry-non-idempotent holds for every route', () => {
  const { rule } = withAnnotations(nginx({ 'proxy-next-upstream': 'error' }), [
    configMap({ 'retry-non-idempotent': 'true' }),
  ])
  assert.equal(rule.settings.retry.nonIdempotent, true)
})

test('enable-access-log and path-normalization', () => {
  const { rule } = withAnnotations({
    ...nginx({ 'enable-access-log': 'false' }),
    ...prefixed('headgate.dev', { 'path-normalization': 'strict' }),
  })
  assert.deepEqual([rule.settings.accessLog, rule.settings.strictPath], [false, true])
})

test('backend-protocol, in any case', () => {
  for (const text of ['HTTPS', 'https', 'Https']) {
    const { use, findings } = withAnnotations(nginx({ 'backend-protocol': text }))
    assert.equal(use.tls?.verify, false)
    assert.equal(use.tls.serverName, '')
    assert.deepEqual(findings, [])
  }
  assert.equal(withAnnotations(nginx({ 'backend-protocol': 'http' })).use.tls, undefined)
})

test('a backend-protocol that is not spoken yet is refused with a reason', () => {
  for (const text of ['GRPC', 'grpcs', 'AUTO_HTTP', 'FCGI']) {
    const { use, findings } = withAnnotations(nginx({ 'backend-protocol': text }))
    assert.equal(use.tls, undefined)
    assert.deepEqual(findings, [
      'annotation-refused Ingress shop/one nginx.ingress.kubernetes.io/backend-protocol',
    ])
  }
})

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

const optionRows: readonly (readonly [Record<string, string>, Partial<GlobalOptions>])[] = [
  [{ 'disable-access-log': 'true' }, { accessLog: false }],
  [
    { 'keep-alive': '30', 'keep-alive-requests': '5' },
    { keepAliveTimeoutMs: 30_000, keepAliveRequests: 5 },
  ],
  [{ 'keep-alive': '0' }, { keepAliveTimeoutMs: 0, keepAliveRequests: 1 }],
  [
    {
      'upstream-keepalive-connections': '1',
      'upstream-keepalive-requests': '2',
      'upstream-keepalive-timeout': '3',
      'upstream-keepalive-time': '1m',
    },
    {
      upstreamKeepAliveConnections: 1,
      upstreamKeepAliveRequests: 2,
      upstreamKeepAliveTimeoutMs: 3000,
      upstreamKeepAliveTimeMs: 60_000,
    },
  ],
  [
    { 'client-header-timeout': '10', 'client-body-timeout': '20' },
    { requestHeadTimeoutMs: 10_000, requestBodyTimeoutMs: 20_000 },
  ],
  [
    { 'large-client-header-buffers': '8 16k' },
    { requestLineBytesMax: 16_384, requestHeadBytesMax: 131_072 },
  ],
  [
    { 'request-fields-max': '50', 'response-head-size-max': '8k' },
    { requestFieldsMax: 50, responseHeadBytesMax: 8192 },
  ],
  [
    {
      'use-forwarded-headers': 'true',
      'compute-full-forwarded-for': 'true',
      'forwarded-for-header': 'CF-Connecting-IP',
      'proxy-real-ip-cidr': '10.0.0.0/8, fd00::/8',
    },
    {
      useForwardedHeaders: true,
      computeFullForwardedFor: true,
      forwardedForHeader: 'CF-Connecting-IP',
      trustedPeers: ['10.0.0.0/8', 'fd00::/8'],
    },
  ],
  [
    {
      'enable-underscores-in-headers': 'true',
      'ignore-invalid-headers': 'false',
      'generate-request-id': 'false',
    },
    { underscoresInHeaders: true, ignoreInvalidHeaders: false, generateRequestId: false },
  ],
  [{ hsts: 'false' }, { hsts: '' }],
  [{ 'hsts-max-age': '60', 'hsts-include-subdomains': 'false' }, { hsts: 'max-age=60' }],
  [{ 'hsts-preload': 'true' }, { hsts: 'max-age=31536000; includeSubDomains; preload' }],
  [{ 'worker-shutdown-timeout': '240s' }, { drainTimeoutMs: 240_000 }],
]

for (const [data, expected] of optionRows) {
  test(`ConfigMap ${JSON.stringify(data)}`, () => {
    const { options, findings } = optionsOf(data)
    assert.deepEqual(options, { ...defaultGlobalOptions, ...expected })
    assert.deepEqual(findings, [])
  })
}

test('--drain-timeout wins over worker-shutdown-timeout', () => {
  assert.equal(
    optionsOf({ 'worker-shutdown-timeout': '240s' }, { drainTimeoutMs: 5000 }).options
      .drainTimeoutMs,
    5000,
  )
})

test('use-proxy-protocol is on both listeners', () => {
  const { compiled } = optionsOf({ 'use-proxy-protocol': 'true' })
  const listeners = [...compiled.table.listeners.values()]
  assert.deepEqual(
    listeners.map(({ proxyProtocol }) => proxyProtocol),
    [true, true],
  )
})

test('a port of 0 is no listener', () => {
  const { table } = compileObjects(web, { httpPort: 0, httpsPort: 8443 })
  assert.deepEqual(
    [...table.listeners.values()].map(({ protocol, port }) => [protocol, port]),
    [['https', 8443]],
  )
})

test('every bad option keeps its default, and is reported', () => {
  const { options, findings } = optionsOf({
    'keep-alive': 'long',
    'use-gzip': 'true',
    keepalive: '1',
    'add-headers': '',
  })
  assert.deepEqual(options, defaultGlobalOptions)
  assert.deepEqual(findings, [
    'option-unused ConfigMap headgate/options add-headers',
    'option-invalid ConfigMap headgate/options keep-alive',
    'option-unknown ConfigMap headgate/options keepalive',
    'option-refused ConfigMap headgate/options use-gzip',
  ])
})

test('a ConfigMap that is named and missing is reported', () => {
  assert.deepEqual(
    compileObjects(web).diagnostics.map(({ code, name }) => [code, name]),
    [['configmap-missing', 'options']],
  )
  assert.deepEqual(compileObjects(web, { configMap: undefined }).diagnostics, [])
})

test('a route that an unsupported key protects answers 503, and its neighbours do not', () => {
  const compiled = compileObjects([
    ...web,
    ingress('one', { annotations: nginx({ 'auth-url': 'https://auth.example' }) }),
    ingress('two', { hosts: { 'b.example': [prefix('/', to('web'))] } }),
  ])
  assert.equal(whoServes(compiled, 'a.example', '/'), '503')
  assert.equal(whoServes(compiled, 'b.example', '/'), 'web')
  assert.deepEqual(found(compiled), [
    'annotation-refused Ingress shop/one nginx.ingress.kubernetes.io/auth-url',
  ])
})

test('a canary that is not supported does not take over the route of its primary', () => {
  const canary = ingress('canary', {
    annotations: nginx({ canary: 'true', 'canary-weight': '10' }),
    meta: { createdMs: 1 },
  })
  const primary = ingress('primary', { meta: { createdMs: 2 } })
  const compiled = compileObjects([...web, canary, primary])
  assert.equal(rulesByHost(compiled).get('a.example')?.[0]?.origin.name, 'primary')
})
