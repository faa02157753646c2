import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerStatus } from '#test/support/api-server.ts'
import { codes, create, ingress, limits, refuse } from './cluster-setting.ts'

test(
  'the first view is there when every kind is; slim objects are in the store',
  limits,
  async (t) => {
    const { source, store } = await create(t, (server) => {
      server.put(ingress('a'))
      const metadata = { name: 'c' }
      server.put({ kind: 'IngressClass', metadata, spec: { controller: 'x/y' } })
    })
    assert.equal(source.status.synced, false)
    await source.start()
    assert.equal(source.status.synced, true)
    assert.deepEqual(source.diagnostics, [])
    assert.equal(store.get('Ingress', 'n', 'a')?.file, '')
    assert.equal(store.get('IngressClass', '', 'c')?.controller, 'x/y')
  },
)

test(
  'a right that is missing is one finding; the rest works, and a grant is picked up',
  limits,
  async (t) => {
    let granted = false
    const { source, store, pass, until } = await create(t, (prepared) => {
      prepared.put(ingress('a'))
      prepared.put({ kind: 'IngressClass', metadata: { name: 'c' }, spec: { controller: 'x/y' } })
      prepared.intercept = refuse(({ plural }) => !granted && plural === 'ingressclasses')
    })
    await source.start()
    assert.deepEqual(codes(source), [
      'access-denied: RBAC does not allow to list and watch ingressclasses.networking.k8s.io at the cluster scope',
    ])
    assert.deepEqual([...source.unreadable], ['IngressClass'])
    granted = true
    await pass(until(() => store.count('IngressClass') === 1))
    assert.deepEqual([codes(source), source.unreadable.size], [[], 0])
  },
)

test('a first try that fails is told; a right that is missing is an answer', limits, async (t) => {
  let status = 403
  const { source, until, pass } = await create(t, (prepared) => {
    prepared.intercept = (asked) => {
      if (asked.plural !== 'services' || status === 200) return false
      answerStatus(asked, status, 'Refused', 'not now')
      return true
    }
  })
  let told = false
  void source.failing.then(() => (told = true))
  const started = source.start()
  await until(() => source.diagnostics.length === 1)
  assert.equal(told, false)
  status = 503
  await pass(source.failing)
  assert.equal(source.status.synced, false)
  status = 200
  await pass(started)
})

test('without Ingresses there is no first view, and a line says why', limits, async (t) => {
  let granted = false
  const { source, logged, pass, time, until, server } = await create(t, (prepared) => {
    prepared.intercept = refuse(({ plural }) => !granted && plural === 'ingresses')
  })
  const started = source.start()
  await until(() => source.diagnostics.length === 1)
  await until(() => server.openWatches.length === 3)
  time.advance(10_000)
  assert.match(logged.join('\n'), /not ready: .*missing="?Ingress/)
  assert.equal(source.status.synced, false)
  granted = true
  await pass(started)
})

test('--watch-namespace: namespaced paths alone, and classes by name', limits, async (t) => {
  const { source, server, store } = await create(
    t,
    (prepared) => {
      prepared.put(ingress('a', 'one'))
      prepared.put(ingress('b', 'two'))
      prepared.put(ingress('c', 'three'))
      prepared.intercept = refuse(({ namespace }) => namespace === '')
    },
    { namespaces: ['one', 'two'], defaultBackend: { namespace: 'apart', name: 'fallback' } },
  )
  await source.start()
  assert.equal(store.count('Ingress'), 2)
  assert.deepEqual(codes(source), [
    'class-by-name: IngressClasses cannot be read; Ingresses of class headgate are served by that name',
  ])
  assert.deepEqual([...source.unreadable], ['IngressClass'])
  const apart = server.requests.filter(({ namespace }) => namespace === 'apart')
  assert.deepEqual(
    apart
      .map(({ query }) => query.get('fieldSelector') ?? query.get('labelSelector') ?? '')
      .toSorted(),
    ['kubernetes.io/service-name=fallback', 'metadata.name=fallback'],
  )
})

test(
  'an outage is one finding and two lines; nothing is taken back, and only changes come after it',
  limits,
  async (t) => {
    let away = false
    const { source, server, store, logged, pass, until } = await create(t, (prepared) => {
      prepared.put(ingress('a'))
      prepared.put(ingress('b'))
      prepared.intercept = (asked) => {
        if (away) asked.response.socket?.destroy()
        return away
      }
    })
    await source.start()
    await until(() => server.openWatches.length === 4)
    const findings = new Set<string>()
    const wait = server.onHappening
    server.onHappening = () => {
      findings.add(JSON.stringify(codes(source)))
      wait()
    }
    const lists = server.requests.length
    away = true
    server.endWatches('cut')
    await pass(until(() => source.diagnostics[0]?.code === 'cluster-unreachable'))
    server.put(ingress('c'))
    server.delete('Ingress', 'n', 'a')
    assert.equal(store.count('Ingress'), 2)
    away = false
    await pass(until(() => store.get('Ingress', 'n', 'c') !== undefined))
    await pass(until(() => source.diagnostics.length === 0))
    assert.deepEqual([store.get('Ingress', 'n', 'a'), store.count('Ingress')], [undefined, 2])
    assert.ok(server.requests.slice(lists).every(({ initial }) => !initial))
    assert.deepEqual(
      logged.map((line) => line.replace(/^.*(does not answer|answers again).*$/, '$1')),
      ['does not answer', 'answers again'],
    )
    // One while it lasts, whichever kind goes or comes back first.
    assert.deepEqual(
      [...findings],
      [
        '[]',
        '["cluster-unreachable: does not tell about EndpointSlice, Ingress, IngressClass, Service"]',
      ],
    )
  },
)

for (const asksWhileRefused of [true, false]) {
  const asked = asksWhileRefused ? 'asked before' : 'not asked before'
  test(`a refused right stays refused while the server is away (${asked})`, limits, async (t) => {
    let granted = false
    let away = false
    const { source, server, store, pass, until } = await create(t, (prepared) => {
      prepared.put(ingress('a'))
      prepared.put({ kind: 'IngressClass', metadata: { name: 'c' }, spec: { controller: 'x/y' } })
      const refused = refuse(({ plural }) => !granted && plural === 'ingressclasses')
      prepared.intercept = (request) => {
        if (away) request.response.socket?.destroy()
        return away || refused(request)
      }
    })
    await source.start()
    await until(() => server.openWatches.length === 3)
    if (asksWhileRefused) assert.deepEqual([...source.unreadable], ['IngressClass'])
    away = true
    server.endWatches('cut')
    await pass(
      until(() =>
        source.diagnostics.some(({ message }) => /not tell about .*IngressClass/.test(message)),
      ),
    )
    assert.deepEqual([...source.unreadable], ['IngressClass'])
    away = false
    await pass(until(() => source.diagnostics[0]?.code === 'access-denied'))
    assert.deepEqual([...source.unreadable], ['IngressClass'])
    granted = true
    await pass(until(() => store.count('IngressClass') === 1))
    assert.deepEqual([...source.unreadable], [])
  })
}

test('an object that cannot be used is a finding that goes with it', limits, async (t) => {
  const { source, server, until } = await create(t, (prepared) => {
    prepared.put({ ...ingress('a'), spec: { rules: 'none', fieldOfTomorrow: 1 } })
  })
  await source.start()
  assert.equal(source.diagnostics.length, 1)
  assert.equal(source.diagnostics[0]?.field, 'spec.rules')
  server.delete('Ingress', 'n', 'a')
  await until(() => source.diagnostics.length === 0)
})
