import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client, Upstream, versions } from '#test/support/http-peers.ts'
import type { Headers } from '#test/support/http-peers.ts'
import { localService, serve, webIngress } from '#test/support/served.ts'

let web: Upstream
let seen: Headers = {}

before(async () => {
  web = await Upstream.start('http1')
  web.listener = ({ headers }, response) => {
    seen = headers
    response.end()
  }
})

after(() => {
  web.stop()
})

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const parent = `00-${trace}-00f067aa0ba902b7-01`
const recorded = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/
const unrecorded = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/
const on = { 'enable-opentelemetry': 'true' }

interface Case {
  readonly name: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly options?: Readonly<Record<string, string>>
  readonly sent?: string | string[]
  readonly parent: string | RegExp | undefined
  readonly state?: 'kept'
  readonly findings: readonly string[]
}

const own = 'nginx.ingress.kubernetes.io/'
const differs = [`warning annotation-differs ${own}enable-opentelemetry`]
const optionDiffers = ['warning option-differs enable-opentelemetry']

const cases: readonly Case[] = [
  { name: 'switched off, nothing is added', parent: undefined, findings: [] },
  {
    name: 'switched off, what came is passed on',
    sent: parent,
    parent,
    state: 'kept',
    findings: [],
  },
  { name: 'a trace begins', annotations: on, parent: recorded, findings: differs },
  {
    name: 'a trace goes on',
    annotations: on,
    sent: parent,
    parent,
    state: 'kept',
    findings: differs,
  },
  {
    name: 'a trace is not trusted',
    annotations: { ...on, 'opentelemetry-trust-incoming-span': 'false' },
    sent: parent,
    parent: recorded,
    findings: differs,
  },
  {
    name: 'a context that is none begins anew',
    annotations: on,
    sent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    parent: recorded,
    findings: differs,
  },
  {
    name: 'of two contexts neither counts',
    annotations: on,
    sent: [parent, `00-${trace}-00f067aa0ba902b8-01`],
    parent: recorded,
    findings: differs,
  },
  {
    name: 'version 00 has nothing behind it',
    annotations: on,
    sent: `${parent}-more`,
    parent: recorded,
    findings: differs,
  },
  {
    name: 'a later version may',
    annotations: on,
    sent: `01${parent.slice(2)}-more`,
    parent: `01${parent.slice(2)}-more`,
    state: 'kept',
    findings: differs,
  },
  {
    name: 'no trace is recorded',
    options: { ...on, 'otel-sampler': 'AlwaysOff' },
    parent: unrecorded,
    findings: optionDiffers,
  },
  {
    name: 'a share of none is none',
    options: { ...on, 'otel-sampler': 'TraceIdRatioBased', 'otel-sampler-ratio': '0' },
    parent: unrecorded,
    findings: optionDiffers,
  },
  {
    name: 'a trace that goes on keeps its mark',
    options: { ...on, 'otel-sampler': 'AlwaysOff' },
    sent: parent,
    parent,
    state: 'kept',
    findings: optionDiffers,
  },
  {
    name: 'or not',
    options: { ...on, 'otel-sampler': 'AlwaysOff', 'otel-sampler-parent-based': 'false' },
    sent: parent,
    parent: `${parent.slice(0, -1)}0`,
    state: 'kept',
    findings: optionDiffers,
  },
  {
    name: 'an Ingress switches it off',
    annotations: { 'enable-opentelemetry': 'false' },
    options: on,
    parent: undefined,
    findings: [...optionDiffers, ...differs],
  },
  {
    name: 'a ratio that is none is reported',
    annotations: on,
    options: { 'otel-sampler-ratio': '2' },
    parent: recorded,
    findings: ['error option-invalid otel-sampler-ratio', ...differs],
  },
]

for (const version of versions) {
  for (const one of cases) {
    test(`${version}: ${one.name}`, async (t) => {
      const objects = webIngress(one.annotations ?? {}, one.options)
      const { plane, findings } = await serve([...objects, ...localService('web', web.port)])
      const client = new Client(version, plane.httpPort)
      t.after(async () => {
        client.stop()
        await plane.stop()
      })
      assert.deepEqual(findings, one.findings)
      const sent = one.sent === undefined ? {} : { traceparent: one.sent }
      assert.equal((await client.get('/', { ...sent, tracestate: 'a=b' })).status, 200)
      const { traceparent, tracestate } = seen
      if (one.parent instanceof RegExp) {
        assert.match(String(traceparent), one.parent)
        assert.ok(!String(traceparent).includes(trace))
      } else assert.equal(traceparent, one.parent)
      const passed = one.state === 'kept' || one.parent === undefined
      assert.equal(tracestate, passed ? 'a=b' : undefined)
    })
  }
}
