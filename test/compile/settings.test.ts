import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultGlobalOptions, defaultRouteSettings } from '#src/table/defaults.ts'
import type { RouteSettings } from '#src/table/table.ts'
import {
  configMap,
  ingress,
  nginx,
  prefix,
  prefixed,
  secret,
  service,
  to,
  web,
} from './builders.ts'
import { compileObjects, found, rulesByHost, whoServes } from './compiling.ts'
import type { Annotations } from './builders.ts'
import { ruleOf, withAnnotations } from './one-rule.ts'

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

function tlsOf(more: Readonly<Record<string, string>>) {
  const { use } = withAnnotations(nginx({ 'backend-protocol': 'HTTPS', ...more }))
  return [use.tls?.serverName, use.tls?.sendServerName, use.tls?.verifyDepth]
}

test('the name of an upstream: verified, and sent only with proxy-ssl-server-name', () => {
  const name = { 'proxy-ssl-name': 'in.example' }
  assert.deepEqual(tlsOf(name), ['', false, 1])
  assert.deepEqual(tlsOf({ ...name, 'proxy-ssl-verify': 'on' }), ['in.example', false, 1])
  assert.deepEqual(tlsOf({ ...name, 'proxy-ssl-server-name': 'on' }), ['in.example', true, 1])
  // Without a name nobody is who they should be, as in nginx.
  assert.deepEqual(tlsOf({ 'proxy-ssl-verify': 'on' }), ['upstream_balancer', false, 1])
  assert.deepEqual(tlsOf({ 'proxy-ssl-server-name': 'on' }), ['', true, 1])
  assert.deepEqual(tlsOf({ 'proxy-ssl-verify-depth': '0' }), ['', false, 1])
})

test('a backend-protocol over HTTP/2: GRPC, GRPCS, h2c, h2', () => {
  for (const [text, alpn] of Object.entries({ GRPC: '', h2c: '', grpcs: 'h2', h2: 'h2' })) {
    for (const annotations of [
      nginx({ 'backend-protocol': text }),
      { 'headgate.dev/backend-protocol': text },
    ]) {
      const { use, findings } = withAnnotations(annotations)
      assert.equal(use.protocol, 'http2', text)
      assert.equal(use.tls?.alpn.join() ?? '', alpn, text)
      assert.deepEqual(findings, [])
    }
  }
})

test('a backend-protocol that the endpoint chooses, for all clients or for those with TLS', () => {
  for (const [text, followsScheme] of [
    ['AUTO', undefined],
    ['auto_http', true],
  ] as const) {
    const { use, findings } = withAnnotations(nginx({ 'backend-protocol': text }))
    assert.deepEqual([use.protocol, use.tls?.alpn], ['auto', ['h2', 'http/1.1']])
    assert.equal(use.followsScheme, followsScheme)
    assert.deepEqual(findings, [])
  }
})

function withAppProtocol(appProtocol: string, annotations: Annotations) {
  const port = { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP', appProtocol }
  const others = web.filter(({ kind }) => kind !== 'Service')
  return ruleOf([...others, service('web', { ports: [port] }), ingress('one', { annotations })])
}

test('the appProtocol of a Service port decides where no annotation does', () => {
  const spoken: [string, string, string | undefined][] = [
    ['kubernetes.io/h2c', 'http2', undefined],
    ['kubernetes.io/ws', 'http1', undefined],
    ['kubernetes.io/wss', 'http1', ''],
    ['https', 'http1', ''],
    ['http', 'http1', undefined],
    ['example.com/other', 'http1', undefined],
  ]
  for (const [appProtocol, protocol, alpn] of spoken) {
    const { use } = withAppProtocol(appProtocol, {})
    assert.deepEqual([use.protocol, use.tls?.alpn.join()], [protocol, alpn], appProtocol)
  }
  const own = withAppProtocol('kubernetes.io/h2c', nginx({ 'backend-protocol': 'HTTPS' }))
  assert.deepEqual([own.use.protocol, own.use.tls?.alpn], ['http1', []])
})

test('a backend-protocol that is not spoken yet is refused with a reason', () => {
  for (const text of ['FCGI']) {
    const { use, findings } = withAnnotations(nginx({ 'backend-protocol': text }))
    assert.equal(use.tls, undefined)
    assert.deepEqual(findings, [
      'annotation-refused Ingress shop/one nginx.ingress.kubernetes.io/backend-protocol',
    ])
  }
})

test('a route that a refused value protects answers 503, and its neighbours do not', () => {
  const compiled = compileObjects([
    ...web,
    ingress('one', { annotations: nginx({ 'auth-type': 'digest' }) }),
    ingress('two', { hosts: { 'b.example': [prefix('/', to('web'))] } }),
  ])
  assert.equal(whoServes(compiled, 'a.example', '/'), '503')
  assert.equal(whoServes(compiled, 'b.example', '/'), 'web')
  assert.deepEqual(found(compiled), [
    'annotation-refused Ingress shop/one nginx.ingress.kubernetes.io/auth-type',
  ])
})

const secured = {
  'backend-protocol': 'HTTPS',
  'proxy-ssl-secret': 'upstream',
  'proxy-ssl-verify': 'on',
  'proxy-ssl-name': 'main.example',
}

// A canary ignores every annotation but those of canaries, balancing and affinity: what the primary says
// holds for both. Without a word of either, the Service port decides.
for (const [name, primary, canary, canaryPort, spoken] of [
  ['of the primary', { 'backend-protocol': 'HTTPS' }, {}, '', ['http1 tls', 'http1 tls']],
  ['of the canary', {}, { 'backend-protocol': 'GRPC' }, '', ['http1', 'http1']],
  [
    'of both',
    { 'backend-protocol': 'GRPC' },
    { 'backend-protocol': 'HTTPS' },
    '',
    ['http2', 'http2'],
  ],
  ['of the Service port', {}, {}, 'kubernetes.io/h2c', ['http1', 'http2']],
  [
    'and not of the port',
    { 'backend-protocol': 'HTTP' },
    {},
    'kubernetes.io/h2c',
    ['http1', 'http1'],
  ],
  ['with a Secret', secured, {}, '', ['http1 tls main.example', 'http1 tls main.example']],
  ['with a missing Secret', {}, { 'proxy-ssl-secret': 'gone' }, '', ['http1', 'http1']],
  [
    'with authentication',
    {},
    { 'auth-type': 'basic', 'auth-secret': 'gone' },
    '',
    ['http1', 'http1'],
  ],
  ['with a closed list', {}, { 'allowlist-source-range': 'x' }, '', ['http1', 'http1']],
] as const) {
  test(`what a canary is spoken to with: ${name}`, () => {
    const ports = [
      { name: 'http', port: 80, targetPort: 1, protocol: 'TCP', appProtocol: canaryPort },
    ]
    const taking = { canary: 'true', 'canary-weight': '10' }
    const { table } = compileObjects([
      ...web,
      service('next', { ports }),
      secret('upstream', { 'ca.crt': '-----BEGIN CERTIFICATE-----' }),
      ingress('primary', { annotations: nginx(primary) }),
      ingress('canary', {
        annotations: nginx({ ...canary, ...taking }),
        hosts: { 'a.example': [prefix('/', to('next'))] },
      }),
    ])
    const [rule] = [...table.hosts.values()].flatMap(({ rules }) => rules)
    const shown = rule?.backends.map(({ protocol, tls }) =>
      [
        protocol,
        ...(tls === undefined ? [] : ['tls']),
        ...(tls?.serverName ? [tls.serverName] : []),
      ].join(' '),
    )
    assert.deepEqual(shown, spoken)
  })
}

for (const [key, text] of [
  ['server-alias', 'alias.example'],
  ['from-to-www-redirect', 'true'],
] as const) {
  test(`${key} of a canary makes no host`, () => {
    const annotations = nginx({ canary: 'true', 'canary-weight': '10', [key]: text })
    const hosts = { 'a.example': [prefix('/', to('next'))] }
    const canary = ingress('canary', { annotations, hosts })
    const compiled = compileObjects([...web, service('next'), ingress('primary'), canary])
    assert.deepEqual([...rulesByHost(compiled).keys()], ['a.example'])
  })
}

test('a canary that is older does not take over the route of its primary', () => {
  const canary = ingress('canary', {
    annotations: nginx({ canary: 'true', 'canary-weight': '10' }),
    meta: { createdMs: 1 },
  })
  const primary = ingress('primary', { meta: { createdMs: 2 } })
  const compiled = compileObjects([...web, canary, primary])
  assert.equal(rulesByHost(compiled).get('a.example')?.[0]?.origin.name, 'primary')
})
