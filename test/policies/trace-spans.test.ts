import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Span } from '#src/exchange/span.ts'
import { Client, Upstream } from '#test/support/http-peers.ts'
import type { Headers } from '#test/support/http-peers.ts'
import { localService, serve, webIngress } from '#test/support/served.ts'

let web: Upstream
let seen: Headers | undefined

before(async () => {
  web = await Upstream.start('http1')
  web.listener = ({ headers, url }, response) => {
    seen = headers
    response.statusCode = url === '/broken' ? 500 : 200
    response.end('four')
  }
})

after(() => {
  web.stop()
})

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const caller = '00f067aa0ba902b7'
const recorded = `00-${trace}-${caller}-01`
const on = { 'enable-opentelemetry': 'true' }
const collector = { 'otlp-collector-host': 'collector.test' }

interface Case {
  readonly name: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly options?: Readonly<Record<string, string>>
  readonly target?: string
  readonly headers?: Headers
  readonly status?: number
  /** The service has no endpoint. */
  readonly absent?: true
  /** There is no span, and this is what the upstream gets. */
  readonly parent?: RegExp
  readonly check?: (span: Span, parent: string, state: unknown) => void
}

/** Attributes of these names. */
function attributes(span: Span, ...names: string[]): unknown[] {
  return names.map((name) => span.attributes[name])
}

const cases: readonly Case[] = [
  {
    name: 'without a collector there is no span',
    options: { 'otlp-collector-host': '' },
    parent: /-01$/,
  },
  {
    name: 'a trace that begins here has our span as its first',
    check(span, parent) {
      assert.equal(parent, `00-${span.traceId}-${span.spanId}-01`)
      assert.equal(span.parentId, '')
    },
  },
  {
    name: "our span stands between the caller's and the upstream's",
    headers: { traceparent: recorded, tracestate: 'a=b,c=d' },
    check(span, parent, state) {
      assert.deepEqual([span.traceId, span.parentId], [trace, caller])
      assert.match(span.spanId, /^[0-9a-f]{16}$/)
      assert.notEqual(span.spanId, caller)
      assert.equal(parent, `00-${trace}-${span.spanId}-01`)
      assert.deepEqual([state, span.traceState], ['a=b,c=d', 'a=b,c=d'])
    },
  },
  {
    name: 'a trace that is not recorded passes by',
    headers: { traceparent: `00-${trace}-${caller}-00` },
    parent: new RegExp(`^00-${trace}-${caller}-00$`),
  },
  {
    name: 'our own decision holds where the caller has none',
    options: { 'otel-sampler-parent-based': 'false' },
    headers: { traceparent: `00-${trace}-${caller}-00` },
    check(span, parent) {
      assert.equal(parent, `00-${trace}-${span.spanId}-01`)
    },
  },
  {
    name: 'traces that begin here are recorded as the sampler has it',
    options: { 'otel-sampler': 'AlwaysOff' },
    parent: /-00$/,
  },
  {
    name: 'method and path of the rule name a span, attributes tell the rest',
    target: '/a/b?x=1&sig=secret&y=2&Signature=secret',
    headers: { 'user-agent': 'test/1' },
    check(span) {
      assert.equal(span.name, 'GET /')
      assert.equal(span.failed, false)
      assert.ok(span.durationMs >= 0 && span.startMs > 1e12)
      const { 'client.address': client, 'headgate.request_id': id, ...others } = span.attributes
      assert.equal(client, '127.0.0.1')
      assert.match(String(id), /^\w{32}$/)
      const { 'headgate.endpoint': endpoint, 'server.port': port, ...rest } = others
      assert.match(String(endpoint), /^127\.0\.0\.1:\d+$/)
      assert.equal(typeof port, 'number')
      assert.deepEqual(rest, {
        'http.request.method': 'GET',
        'http.route': '/',
        'url.scheme': 'http',
        'url.path': '/a/b',
        'url.query': 'x=1&sig=REDACTED&y=2&Signature=REDACTED',
        'server.address': 'app.test',
        'network.protocol.version': '1.1',
        'user_agent.original': 'test/1',
        'http.request.body.size': 0,
        'ingress.namespace': 'shop',
        'ingress.name': 'one',
        'http.response.status_code': 200,
        'http.response.body.size': 4,
        'ingress.service_name': 'web',
        'ingress.upstream': 'shop-web-80',
        'headgate.tries': 1,
      })
    },
  },
  {
    name: 'a name of the user, with variables',
    annotations: { 'opentelemetry-operation-name': 'HTTP $request_method $host$uri' },
    target: '/a/b?c',
    check: (span) => {
      assert.equal(span.name, 'HTTP GET app.test/a/b')
    },
  },
  {
    name: 'a name for all, by the ConfigMap',
    options: { 'opentelemetry-operation-name': 'edge' },
    check: (span) => {
      assert.equal(span.name, 'edge')
    },
  },
  {
    name: "an upstream's error is one of the span",
    target: '/broken',
    status: 500,
    check(span) {
      assert.equal(span.failed, true)
      assert.deepEqual(attributes(span, 'http.response.status_code', 'error.type'), [500, '500'])
    },
  },
  {
    name: 'our own failure has its name',
    absent: true,
    status: 503,
    check(span) {
      assert.equal(span.failed, true)
      const names = ['http.response.status_code', 'error.type', 'headgate.tries']
      assert.deepEqual(attributes(span, ...names), [503, 'no-endpoint', 0])
    },
  },
  {
    name: 'who is refused has a span, too',
    annotations: { 'denylist-source-range': '127.0.0.0/8' },
    status: 403,
    check(span) {
      assert.deepEqual(attributes(span, 'http.response.status_code'), [403])
      assert.equal(span.failed, false)
    },
  },
  {
    name: 'long texts are cut',
    target: `/${'a'.repeat(3000)}`,
    check: (span) => {
      assert.equal(String(span.attributes['url.path']).length, 1024)
    },
  },
  {
    name: 'a request that another rule takes over has one span',
    options: { 'allow-snippet-annotations': 'true', 'annotations-risk-level': 'Critical' },
    annotations: { 'configuration-snippet': 'rewrite ^/old /new last;' },
    target: '/old',
    headers: { traceparent: recorded },
    check(span, parent) {
      assert.equal(span.parentId, caller)
      assert.equal(parent, `00-${trace}-${span.spanId}-01`)
      assert.equal(span.attributes['url.path'], '/new')
    },
  },
]

for (const one of cases) {
  test(one.name, async (t) => {
    seen = undefined
    const options = { ...collector, ...one.options }
    const objects = webIngress({ ...on, ...one.annotations }, options)
    const port = one.absent === true ? 0 : web.port
    const { plane } = await serve([...objects, ...localService('web', port)])
    const client = new Client('http1', plane.httpPort)
    t.after(async () => {
      client.stop()
      await plane.stop()
    })
    const answer = await client.get(one.target ?? '/', one.headers ?? {})
    assert.equal(answer.status, one.status ?? 200)
    const parent = String(seen?.['traceparent'])
    const [span] = plane.spans
    assert.equal(plane.spans.length, one.parent === undefined ? 1 : 0)
    if (one.parent !== undefined) assert.match(parent, one.parent)
    if (span !== undefined) one.check?.(span, parent, seen?.['tracestate'])
  })
}
