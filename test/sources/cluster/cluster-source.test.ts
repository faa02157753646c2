import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createApiClient } from '#src/kubernetes/api-client.ts'
import { createLogger } from '#src/observe/log.ts'
import { Store } from '#src/snapshot/store.ts'
import { ClusterSource } from '#src/sources/cluster/cluster-source.ts'
import type { ClusterScope } from '#src/sources/cluster/scope.ts'
import { answerStatus, ScriptedApiServer } from '#test/support/api-server.ts'
import type { Asked, Draft } from '#test/support/api-server.ts'
import { ManualTime } from '../manual-time.ts'
import { Happenings } from './happenings.ts'

const limits = { timeout: 60_000 }
const everywhere: ClusterScope = {
  namespaces: [],
  namespaceLabels: false,
  ingressClass: 'headgate',
  defaultBackend: undefined,
}

const secret = (name: string, value: string, more: object = {}): Draft => ({
  kind: 'Secret',
  metadata: { name, namespace: 'n' },
  type: 'kubernetes.io/tls',
  data: { 'tls.crt': Buffer.from(value).toString('base64') },
  ...more,
})
const ingress = (name: string, namespace = 'n'): Draft => ({
  kind: 'Ingress',
  metadata: { name, namespace },
  spec: {},
})
const names = (...list: string[]) => list.map((name) => ({ namespace: 'n', name }))
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i}`)

async function create(
  t: TestContext,
  prepare: (server: ScriptedApiServer) => void,
  scope: Partial<ClusterScope> = {},
) {
  const server = new ScriptedApiServer()
  await server.listen()
  t.after(() => {
    server.close()
  })
  prepare(server)
  const client = await createApiClient({
    cluster: { files: [server.kubeconfig(t)], context: '' },
    userAgent: 'headgate/test',
  })
  const happenings = new Happenings()
  const time = new ManualTime()
  const store = new Store()
  const logged: string[] = []
  const source = new ClusterSource({
    client,
    scope: { ...everywhere, ...scope },
    owner: {
      onChange: ({ put, deleted }) => {
        for (const { kind, namespace, name } of deleted) store.delete(kind, namespace, name)
        for (const object of put) store.put(object)
        happenings.note()
      },
    },
    log: createLogger({
      format: 'text',
      level: 'info',
      now: () => 0,
      write: (l) => logged.push(l),
    }),
    timing: { now: time.now, random: () => 0, schedule: time.schedule },
  })
  server.onHappening = () => {
    happenings.note()
  }
  t.after(async () => {
    await source.stop()
  })
  const until = async (condition: () => boolean): Promise<void> => {
    await happenings.until(condition)
  }
  /** Lets time pass until the work is done. */
  const pass = async <Result>(work: Promise<Result>): Promise<Result> => {
    const state = { done: false }
    const watched = work.finally(() => (state.done = true))
    for (let step = 0; step < 20_000 && !state.done; step++) {
      time.advance(100)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return await watched
  }
  const want = (...list: string[]) => source.want({ secrets: names(...list), configMaps: [] })
  const valueOf = (name: string) => store.get('Secret', 'n', name)?.data['tls.crt']
  return { server, source, store, time, logged, until, pass, want, valueOf }
}

const codes = (source: ClusterSource): string[] =>
  source.diagnostics.map(({ code, message }) => `${code}: ${message}`)
const refuse =
  (refused: (asked: Asked) => boolean) =>
  (asked: Asked): boolean => {
    if (!refused(asked)) return false
    answerStatus(asked, 403, 'Forbidden', 'not allowed')
    return true
  }

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

test('only Secrets that are wanted are asked for, each by name', limits, async (t) => {
  const { source, server, store, want, valueOf, until } = await create(t, (prepared) => {
    prepared.put(secret('a', '1'))
    prepared.put(secret('other', '1'))
  })
  await source.start()
  await want('a', 'later')
  assert.deepEqual([valueOf('a'), valueOf('later'), store.count('Secret')], ['1', undefined, 1])
  server.put(secret('later', '1'))
  server.put(secret('a', '2'))
  await until(() => valueOf('later') === '1' && valueOf('a') === '2')
  await want('later')
  assert.equal(valueOf('a'), undefined)
  const asked = server.requests.filter(({ plural }) => plural === 'secrets')
  assert.ok(asked.every(({ query }) => query.get('fieldSelector')?.startsWith('metadata.name=')))
})

test('names that are none never become part of a path', limits, async (t) => {
  const { source, server } = await create(t, () => {})
  await source.start()
  const secrets = [
    { namespace: '../../api', name: 'x' },
    { namespace: 'n', name: 'a,metadata.namespace=kube-system' },
    { namespace: 'n', name: '..' },
  ]
  await source.want({ secrets, configMaps: [] })
  assert.deepEqual(
    server.requests.filter(({ plural }) => plural === 'secrets'),
    [],
  )
})

for (const [count, lists] of [
  [40, 0],
  [300, 1],
] as const) {
  test(
    `${count} Secrets: versions by one watch, contents only of those wanted`,
    limits,
    async (t) => {
      const wanted = many(count)
      const { source, server, store, want, valueOf, until } = await create(t, (prepared) => {
        for (const name of wanted.slice(1)) prepared.put(secret(name, '1'))
        prepared.put(secret('s3', 'opaque', { type: 'Opaque' }))
        for (let i = 0; i < 30; i++) prepared.put(secret(`other-${i}`, '1', { type: 'Opaque' }))
      })
      await source.start()
      await want(...wanted)
      assert.equal(store.count('Secret'), count - 1)
      assert.equal(valueOf('s3'), 'opaque')
      server.put(secret('s0', 'new'))
      server.put(secret('s1', '2'))
      server.delete('Secret', 'n', 's2')
      await until(() => valueOf('s0') === 'new' && valueOf('s1') === '2')
      await until(() => valueOf('s2') === undefined)
      const asked = server.requests.filter(({ plural }) => plural === 'secrets')
      assert.equal(asked.filter(({ watch }) => watch).length, 1)
      assert.ok(asked.filter(({ watch }) => watch).every(({ metadataOnly }) => metadataOnly))
      assert.equal(asked.filter(({ watch, name }) => !watch && name === '').length, lists)
      assert.ok(asked.every(({ name }) => !name.startsWith('other')))
      await want('s1')
      assert.equal(store.count('Secret'), 1)
    },
  )
}

test('fetching goes on over errors until all is there', limits, async (t) => {
  let failures = 0
  const wanted = many(50)
  const { source, store, want, pass } = await create(t, (prepared) => {
    for (const name of wanted) prepared.put(secret(name, '1'))
    prepared.intercept = (asked) => {
      if (asked.plural !== 'secrets' || asked.name === '' || failures++ > 30) return false
      answerStatus(asked, 500, 'InternalError', 'etcd is away')
      return true
    }
  })
  await source.start()
  await pass(want(...wanted))
  assert.equal(store.count('Secret'), 50)
})

test(
  'where listing Secrets is refused they are watched one by one, up to a bound',
  limits,
  async (t) => {
    const wanted = many(300)
    let granted = false
    const setting = await create(t, (prepared) => {
      for (const name of wanted) prepared.put(secret(name, '1'))
      const refused = refuse(
        ({ plural, query, name }) =>
          !granted && plural === 'secrets' && name === '' && !query.has('fieldSelector'),
      )
      prepared.intercept = refused
    })
    const { source, store, want, pass, until } = setting
    await source.start()
    await pass(want(...wanted))
    await until(() => store.count('Secret') === 256)
    assert.deepEqual(codes(source), [
      'access-denied: RBAC does not allow to list and watch secrets at the cluster scope',
      'references-left-out: 44 that are referred to are not read',
    ])
    assert.match(source.metrics(), /headgate_cluster_left_out_objects\{kind="Secret"\} 44/)
    granted = true
    await pass(until(() => store.count('Secret') === 300))
    await pass(until(() => source.diagnostics.length === 0))
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
