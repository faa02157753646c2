import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain, explanationText, requestOf } from '#src/workers/explain.ts'
import type { ExplainedRequest, StateOf } from '#src/workers/explain.ts'
import type { Backend, Host, RouteTable } from '#src/table/table.ts'
import { backend, endpoint, host, table } from './tables.ts'

const nothingKnown: StateOf = () => undefined
const ejected: StateOf = (_, index) => ({
  unhealthy: false,
  ejectedForMs: index === 3 ? 4500 : 0,
  requestsInFlight: index,
})

function asked(url: string, headers: ExplainedRequest['headers'] = []): ExplainedRequest {
  const request = requestOf(url, 'GET', headers)
  assert.ok(request)
  return request
}

const hosts = [host('a.example', { '/x/y': 'deep', '/x': 'web' }), host('*.example', { '': 'web' })]
const routes: RouteTable = table(hosts, [backend('web', ['10.0.0.1']), backend('deep', [])])

const cases: [url: string, path: string, rule: string | undefined, status: number | undefined][] = [
  ['http://a.example/x', '/x', '/x', undefined],
  ['http://A.EXAMPLE:8080/x/z?q', '/x/z', '/x', undefined],
  ['http://a.example/x/./../x//y', '/x/y', '/x/y', 503],
  ['http://a.example/%78', '/x', '/x', undefined],
  ['http://a.example/xy', '/xy', undefined, 404],
  ['http://a.example', '/', undefined, 404],
  ['http://b.example/any', '/any', '', undefined],
  ['http://c.b.example/', '/', undefined, 404],
  ['http://a.example/../x', '', undefined, 400],
  ['http://a.example/%00', '', undefined, 400],
]

for (const [url, path, rule, status] of cases) {
  test(`explains ${url}`, () => {
    const explanation = explain(routes, asked(url), nothingKnown)
    assert.equal(explanation.path, path)
    assert.equal(explanation.rule?.path, rule)
    assert.equal(explanation.status, status)
    assert.ok(explanation.steps.length > 0)
  })
}

test('where no rule matches it names what holds for every request', () => {
  const policies = [{ name: 'block-lists', config: {} }]
  const own = { ...routes, options: { ...routes.options, policies } }
  const { steps, status } = explain(own, asked('http://c.b.example/'), nothingKnown)
  assert.match(steps.join(), /meets it, too: block-lists/)
  assert.equal(status, 404)
})

test('a Host field wins over the URL', () => {
  const { rule } = explain(routes, asked('http://x/', [['hOsT', 'b.example']]), nothingKnown)
  assert.equal(rule?.host, '*.example')
})

test('what is no URL of a request is none', () => {
  for (const url of ['', '/x', 'ftp://a/', 'http://', 'http:///x', 'http://a b/']) {
    assert.equal(requestOf(url, 'GET', []), undefined, url)
  }
})

test('predicates are followed', () => {
  const [first] = hosts
  assert.ok(first)
  const predicates = [
    { on: 'header', name: 'X-Who', match: 'exact', value: 'me' },
    { on: 'query', name: 'v', match: 'regex', value: '^[12]$' },
    { on: 'method', name: '', match: 'exact', value: 'GET' },
  ] as const
  const guarded: Host = {
    ...first,
    rules: [{ ...(first.rules[1] as Host['rules'][0]), predicates }],
  }
  const own = table([guarded], [backend('web', ['10.0.0.1'])])
  const statusOf = (url: string, headers: ExplainedRequest['headers']): number | undefined =>
    explain(own, asked(url, headers), nothingKnown).status
  assert.equal(statusOf('http://a.example/x?v=2', [['x-who', 'me']]), undefined)
  assert.equal(statusOf('http://a.example/x?v=3', [['x-who', 'me']]), 404)
  assert.equal(statusOf('http://a.example/x?v=2', [['x-who', 'you']]), 404)
  assert.equal(statusOf('http://a.example/x', [['x-who', 'me']]), 404)
})

const canary = { header: 'x-canary', value: '', pattern: '', broken: false, cookie: 'can' }
const chosen: readonly (readonly [
  headers: ExplainedRequest['headers'],
  shares: number[],
  why: RegExp,
])[] = [
  [[], [0.9, 0.1], /the weights do/],
  [[['X-Canary', 'always']], [0, 1], /canary next takes it: header field x-canary is "always"/],
  [[['x-canary', 'never']], [1, 0], /canary next does not take it: header field x-canary/],
  [[['x-canary', 'maybe']], [0.9, 0.1], /the weights do/],
  [[['cookie', 'a=1; can=always']], [0, 1], /canary next takes it: cookie can is "always"/],
  [
    [
      ['x-canary', 'never'],
      ['cookie', 'can=always'],
    ],
    [1, 0],
    /header field x-canary is "never"/,
  ],
]

/** A host whose rule has a canary, or a group of one, beside its primary. */
function withCanary(group: boolean): Host {
  const first = host('a', { '': 'web' })
  const [rule] = first.rules
  const [primary] = rule?.backends ?? []
  assert.ok(rule !== undefined && primary !== undefined)
  const other = { ...primary, backend: backend('next', []).key, service: 'next', weight: 10 }
  const choice = group ? { canaryGroup: { name: 'g', canaries: [canary] } } : { canary }
  return {
    ...first,
    rules: [{ ...rule, ...choice, backends: [{ ...primary, weight: 90 }, other] }],
  }
}

for (const group of [false, true]) {
  for (const [headers, shares, why] of chosen) {
    test(`a canary${group ? ' of a group' : ''}, asked with ${JSON.stringify(headers)}`, () => {
      const backends = [backend('web', ['10.0.0.1']), backend('next', ['10.0.0.2'])]
      const own = table([withCanary(group)], backends)
      const { steps, backends: found } = explain(own, asked('http://a/', headers), nothingKnown)
      assert.match(steps.join('\n'), why)
      assert.deepEqual(
        found.map(({ share }) => share),
        shares,
      )
    })
  }
}

test('a canary without endpoints gets nothing, and does not stand in for a primary', () => {
  const always = asked('http://a/', [['x-canary', 'always']])
  const statusOf = (web: readonly string[], next: readonly string[]) => {
    const own = table([withCanary(false)], [backend('web', web), backend('next', next)])
    const { status, backends } = explain(own, always, nothingKnown)
    return [status, ...backends.map(({ share }) => share)]
  }
  assert.deepEqual(statusOf(['10.0.0.1'], []), [undefined, 1, 0])
  assert.deepEqual(statusOf([], ['10.0.0.2']), [503, 1, 0])
})

test('every endpoint says what it gets, and why', () => {
  const endpoints = [
    endpoint('10.0.0.1'),
    { ...endpoint('10.0.0.2'), state: 'draining' as const },
    { ...endpoint('10.0.0.3'), weight: 0 },
    endpoint('fd00::1'),
  ]
  const web: Backend = { ...backend('web', []), endpoints }
  const own = table([host('a', { '': 'web' })], [web])
  const explanation = explain(own, asked('http://a/'), ejected)
  const [used] = explanation.backends
  assert.deepEqual(
    used?.endpoints.map(({ address, gets }) => [address, gets]),
    [
      ['10.0.0.1:80', 'requests'],
      ['10.0.0.2:80', 'nothing'],
      ['10.0.0.3:80', 'nothing'],
      ['[fd00::1]:80', 'nothing'],
    ],
  )
  const text = explanationText(explanation)
  assert.match(text, /\[fd00::1\]:80 gets nothing: it failed .* 5 s more \(3 in flight\)/)
  const last = { ...web, endpoints: endpoints.slice(1, 2) }
  const fallback = explain(table([host('a', { '': 'web' })], [last]), asked('http://a/'), ejected)
  assert.match(
    explanationText(fallback),
    /gets requests: it is terminating, but no endpoint is ready/,
  )
})

test('of a host over TLS it is told where TLS ends, and whom it asks for', () => {
  const [first] = hosts
  assert.ok(first)
  const https = {
    key: 'https',
    protocol: 'https',
    addresses: [],
    port: 443,
    hostGroup: first.hostGroup,
    proxyProtocol: false,
    defaultCertificate: undefined,
  } as const
  const stepsOf = (changed: Partial<Host>): string => {
    const changedRoutes: RouteTable = {
      ...table([{ ...first, ...changed }], []),
      listeners: new Map([['https', https]]),
      authorities: new Map([
        [
          'ca',
          {
            key: 'ca',
            origin: { kind: 'Secret', namespace: 'shop', name: 'clients' },
            caPem: '',
            crlPem: '',
            fingerprint: '',
          },
        ],
      ]),
    }
    return explain(changedRoutes, asked('https://a.example/x'), nothingKnown).steps.join('\n')
  }
  assert.doesNotMatch(stepsOf({}), /ends at|are asked/)
  const clientCertificates = { policy: 'p', authorities: 'ca' }
  assert.match(stepsOf({ clientCertificates }), /asked for a certificate of shop\/clients/)
  const passthrough = {
    origin: { kind: 'Ingress', namespace: 'shop', name: 'web' },
    backend: 'b',
    service: 'web',
    balance: { algorithm: 'round-robin', options: {}, hashKey: [] },
    connectTimeoutMs: 1,
    idleTimeoutMs: 1,
    triesMax: 1,
    retryTimeoutMs: 0,
    sendProxyHeader: false,
  }
  assert.match(stepsOf({ passthrough }), /TLS ends at the endpoints of Service shop\/web/)
})
