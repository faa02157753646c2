import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Diagnostic, DiagnosticCode } from '#src/annotations/diagnostics.ts'
import { diagnosticCodes } from '#src/annotations/diagnostics.ts'
import { verdictOf } from '#src/feedback/event-reasons.ts'
import { Events } from '#src/feedback/events.ts'
import type { Ingress } from '#src/snapshot/objects.ts'
import { ingress } from '#test/compile/builders.ts'
import { FakeApi, apiError, surroundings } from './fake-api.ts'

const named = (name: string): Ingress => ingress(name, { meta: { uid: `uid-${name}` } })

function finding(code: DiagnosticCode, name: string, message = 'is wrong'): Diagnostic {
  const { severity } = diagnosticCodes[code]
  return {
    code,
    severity,
    kind: 'Ingress',
    namespace: 'shop',
    name,
    field: 'spec',
    file: '',
    message,
  }
}

function stage() {
  const around = surroundings()
  const api = new FakeApi()
  const events = new Events({
    ...around.options,
    random: () => Math.random(),
    client: api,
    reporter: { controller: 'headgate.dev/ingress-controller', instance: 'pod-1', namespaces: [] },
  })
  const published = new Set<string>()
  const update = (served: readonly Ingress[], findings: readonly Diagnostic[] = []): void => {
    events.update({
      findings,
      served,
      find: (kind, _namespace, name) =>
        kind === 'Ingress' ? served.find(({ metadata }) => metadata.name === name) : undefined,
      publishedOf: (_namespace, name) => (published.has(name) ? ['192.0.2.1'] : []),
    })
  }
  const written = () =>
    api.requests
      .filter(({ method }) => method === 'POST')
      .map(({ body }) => body as ReturnType<typeof JSON.parse>)
      .map((body) => `${body.regarding.name} ${body.type} ${body.reason}`)
  return { ...around, api, events, update, written, published }
}

test('an Event names its object, and who speaks', async () => {
  const { api, events, update, pass } = stage()
  update([named('web')], [finding('service-missing', 'web', 'Service shop/web does not exist')])
  await events.lead(true)
  await pass(100)
  const post = api.requests.find(({ method }) => method === 'POST')
  assert.equal(post?.path, '/apis/events.k8s.io/v1/namespaces/shop/events')
  const { metadata, ...body } = post.body as { metadata: { name: string; namespace: string } }
  assert.equal(metadata.namespace, 'shop')
  assert.match(metadata.name, /^web\.[0-9a-f]+$/)
  assert.deepEqual(body, {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    eventTime: '2026-01-01T00:00:00.100000Z',
    reportingController: 'headgate.dev/ingress-controller',
    reportingInstance: 'pod-1',
    action: 'Compile',
    type: 'Warning',
    reason: 'ServiceMissing',
    note: 'spec: Service shop/web does not exist. The route answers 503.',
    regarding: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      name: 'web',
      namespace: 'shop',
      uid: 'uid-web',
    },
  })
})

test('only the leader speaks, and of what holds when it begins', async () => {
  const { api, events, update, pass, written } = stage()
  update([named('web')], [finding('route-conflict', 'web')])
  await pass(100)
  assert.equal(api.requests.length, 0)
  await events.lead(true)
  await pass(100)
  assert.deepEqual(written(), ['web Warning RouteConflict'])
  await events.lead(false)
  update([named('web')], [finding('host-invalid', 'web')])
  await pass(100)
  assert.equal(written().length, 1)
})

test('a finding is told when it comes up, not at every table', async () => {
  const { events, update, pass, written } = stage()
  await events.lead(true)
  const web = named('web')
  for (let i = 0; i < 5; i++) {
    update([web], [finding('secret-missing', 'web')])
    await pass(100)
  }
  assert.deepEqual(written(), ['web Warning SecretMissing'])
  update([web], [])
  await pass(100)
  assert.deepEqual(written(), ['web Warning SecretMissing', 'web Normal Accepted'])
})

test('what changed and has no fault is accepted; what was there before only if it never was', async () => {
  const { events, update, pass, written, published } = stage()
  published.add('old')
  await events.lead(true)
  const old = named('old')
  update([old, named('new')])
  await pass(100)
  assert.deepEqual(written(), ['new Normal Accepted'])
  update([old, named('new')])
  await pass(100)
  assert.equal(written().length, 1 + 0)
  update([named('old'), named('new'), named('third')])
  await pass(300)
  assert.deepEqual(written().toSorted(), [
    'new Normal Accepted',
    'old Normal Accepted',
    'third Normal Accepted',
  ])
})

test('the same again is a series of one Event', async () => {
  const { api, events, update, pass, written, counts } = stage()
  await events.lead(true)
  const web = named('web')
  for (let i = 0; i < 3; i++) {
    update([web], [finding('service-missing', 'web')])
    await pass(100)
    update([web], [])
    await pass(100)
  }
  assert.deepEqual(written(), ['web Warning ServiceMissing', 'web Normal Accepted'])
  const patches = api.requests.filter(({ method }) => method === 'PATCH')
  assert.deepEqual(
    patches.map(({ body }) => (body as { series: { count: number } }).series.count),
    [2, 2, 3, 3],
  )
  assert.deepEqual(counts, { written: 2, series: 4 })
  // An Event that has gone meanwhile is written anew.
  api.answer = ({ method }) => {
    if (method === 'PATCH') throw apiError(404)
    return {}
  }
  update([web], [finding('service-missing', 'web')])
  await pass(100)
  assert.equal(written().length, 3)
})

test('what an earlier leader said is not said again', async () => {
  const { api, events, update, pass, written } = stage()
  const web = named('web')
  const known = finding('service-missing', 'web')
  const { reason = '', note = '' } = verdictOf(known) ?? {}
  const pages = [
    { metadata: { continue: 'more' }, items: [] },
    { metadata: {}, items: [{ reason, note, regarding: { uid: 'uid-web' } }] },
  ]
  api.answer = ({ method }) => (method === 'GET' ? pages.shift() : {})
  update([web], [known, finding('host-invalid', 'web')])
  await events.lead(true)
  await pass(100)
  assert.equal(
    api.requests[0]?.query?.['fieldSelector'],
    'reportingController=headgate.dev/ingress-controller',
  )
  assert.equal(api.requests[1]?.query?.['continue'], 'more')
  assert.deepEqual(written(), ['web Warning HostInvalid'])
})

test('Events are bounded: by object and change, in number, and in rate', async () => {
  const { events, update, pass, written, counts } = stage()
  await events.lead(true)
  const many = Array.from({ length: 30 }, (_, i) => finding('path-invalid', 'web', `path ${i}`))
  update([named('web')], many)
  await pass(1000)
  assert.equal(written().length, 10)
  const crowd = Array.from({ length: 3000 }, (_, i) => named(`web-${i}`))
  update(crowd)
  await pass(10_000)
  assert.ok(written().length <= 10 + 50 + 110 + 5, String(written().length))
  assert.ok((counts['dropped'] ?? 0) >= 900, String(counts['dropped']))
})

test('a refusal is the end of one Event, a failure is tried again', async () => {
  const { api, events, update, pass, counts, written } = stage()
  await events.lead(true)
  let answers = [403, 500]
  api.answer = () => {
    const [status = 0, ...rest] = answers
    answers = rest
    if (status > 0) throw apiError(status)
    return {}
  }
  update([named('a'), named('b')])
  await pass(5000)
  assert.deepEqual(counts, { refused: 1, failed: 1, written: 1 })
  assert.equal(written().length, 3)
})

test('a right that is missing is said once for each namespace', async () => {
  const { api, events, update, pass, counts, logged } = stage()
  api.answer = ({ method }) => {
    if (method === 'POST') throw apiError(403, 'cannot create resource "events"')
    return {}
  }
  await events.lead(true)
  update(Array.from({ length: 20 }, (_, i) => named(`web-${i}`)))
  await pass(5000)
  assert.deepEqual(counts, { refused: 20 })
  assert.equal(logged.filter((line) => line.includes('cannot create resource')).length, 1)
})

test('a note is plain, short, and shows no Secret', () => {
  const long = verdictOf(finding('host-invalid', 'web', 'ü'.repeat(2000)))
  assert.ok(Buffer.byteLength(long?.note ?? '') <= 1024)
  assert.match(long?.note ?? '', /ü…\. The rule is not served\.$/)
  assert.equal(
    verdictOf(finding('host-invalid', 'web', 'a\nb\u001b[31m'))?.note,
    'spec: a b [31m. The rule is not served.',
  )
  assert.equal(verdictOf(finding('annotation-unused', 'web')), undefined)
})

test('every finding has a reason of one word', () => {
  for (const code of Object.keys(diagnosticCodes) as DiagnosticCode[]) {
    const verdict = verdictOf(finding(code, 'web'))
    if (verdict !== undefined) assert.match(verdict.reason, /^[A-Z][A-Za-z]+$/)
  }
})

test('an object that is not there gets no Event', async () => {
  const { events, update, pass, written } = stage()
  await events.lead(true)
  update([], [{ ...finding('service-missing', 'web'), kind: 'Service' }])
  await pass(100)
  assert.deepEqual(written(), [])
})
