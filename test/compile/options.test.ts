import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logFormat } from '#src/policies/log-variables.ts'
import { defaultGlobalOptions } from '#src/table/defaults.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { configMap, web } from './builders.ts'
import { compileObjects, found } from './compiling.ts'
import type { Given } from './compiling.ts'

function optionsOf(data: Readonly<Record<string, string>>, given: Given = {}) {
  const compiled = compileObjects([...web, configMap(data)], given)
  return { options: compiled.table.options, findings: found(compiled), compiled }
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
  [
    { 'enable-real-ip': 'true', 'allow-backend-server-header': 'true', 'use-http2': 'false' },
    { realIp: true, backendServerHeader: true, http2: false },
  ],
  [{ 'proxy-protocol-header-timeout': '10s' }, { proxyHeaderTimeoutMs: 10_000 }],
  [
    { 'skip-access-log-urls': '/healthz, ~*^/a\\?b' },
    { skipAccessLogUrls: ['/healthz', '~*^/a\\?b'] },
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

const logRows: readonly (readonly [format: string, form: 'json' | 'text', lines: RegExp])[] = [
  ['', 'json', /^$/],
  ['', 'text', /^\$\{remote_addr\} - .* \$\{req_id\}$/],
  ['$status', 'json', /^\$\{status\}$/],
  ['$status', 'text', /^\$\{status\}$/],
]

for (const [format, form, lines] of logRows) {
  test(`log-format-upstream ${JSON.stringify(format)} and --log-format ${form}`, () => {
    const data: Record<string, string> = format === '' ? {} : { 'log-format-upstream': format }
    const { options } = optionsOf(data, { accessLog: form })
    assert.match(logFormat.format(options.logFormat), lines)
  })
}

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
    'use-geoip2': 'true',
    keepalive: '1',
    'add-headers': '',
  })
  assert.deepEqual(options, defaultGlobalOptions)
  assert.deepEqual(findings, [
    'option-unused ConfigMap headgate/options add-headers',
    'option-invalid ConfigMap headgate/options keep-alive',
    'option-unknown ConfigMap headgate/options keepalive',
    'option-refused ConfigMap headgate/options use-geoip2',
  ])
})

for (const [urls, part] of [
  ['/a,~(/b', '"~(/b" is not a regular expression'],
  ['~*^/a(?=b)', '"~*^/a(?=b)" is not a regular expression'],
  [`~${'a'.repeat(2000)}`, 'is longer than 1024 characters'],
  ['~a,'.repeat(257), 'more than 256 regular expressions are not'],
] as const) {
  test(`skip-access-log-urls ${urls.slice(0, 20)} says what is bad`, () => {
    const { compiled, options } = optionsOf({ 'skip-access-log-urls': urls })
    assert.deepEqual(options.skipAccessLogUrls, [])
    assert.equal(compiled.diagnostics.length, 1)
    const message = compiled.diagnostics[0]?.message ?? ''
    assert.ok(message.includes(part), message)
  })
}

test('a ConfigMap that is named and missing is reported', () => {
  assert.deepEqual(
    compileObjects(web).diagnostics.map(({ code, name }) => [code, name]),
    [['configmap-missing', 'options']],
  )
  assert.deepEqual(compileObjects(web, { configMap: undefined }).diagnostics, [])
})
