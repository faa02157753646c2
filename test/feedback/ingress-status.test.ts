import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IngressStatus } from '#src/feedback/ingress-status.ts'
import type { ApiRequest } from '#src/kubernetes/api-client.ts'
import type { Ingress } from '#src/snapshot/objects.ts'
import { Store } from '#src/snapshot/store.ts'
import { ingress } from '#test/compile/builders.ts'
import { FakeApi, apiError, surroundings } from './fake-api.ts'

const ours = ['192.0.2.1', 'lb.example']
const named = (name: string, published: readonly string[] = [], uid = `uid-${name}`): Ingress =>
  ingress(name, { published, meta: { uid } })

function stage() {
  const around = surroundings()
  const api = new FakeApi()
  const store = new Store()
  const status = new IngressStatus({
    ...around.options,
    client: api,
    fieldManager: 'headgate.dev/ingress-controller',
    publishedOf: (namespace, name) => store.publishedOf(namespace, name),
  })
  // The watch tells what was written.
  api.answer = ({ method, path, body }) => {
    const name = path.split('/')[7] ?? ''
    const found = store.get('Ingress', 'shop', name)
    if (method !== 'PATCH' || found === undefined) throw apiError(404)
    const { loadBalancer } = (body as { status: { loadBalancer: Shown } }).status
    const published = (loadBalancer.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '')
    store.put({ ...found, published })
    return {}
  }
  const update = (served: readonly Ingress[]): void => {
    const snapshot = store.freeze()
    status.update({
      served,
      find: (namespace, name) => snapshot.get('Ingress', namespace, name),
      all: () => snapshot.all('Ingress'),
    })
  }
  return { ...around, api, store, status, update }
}

interface Shown {
  readonly ingress: readonly { readonly ip?: string; readonly hostname?: string }[] | null
}

const patches = (api: FakeApi): ApiRequest[] =>
  api.requests.filter(({ method }) => method === 'PATCH')

test('what is served gets the addresses, once, for this object alone', async () => {
  const { api, store, status, update, pass, counts } = stage()
  const web = named('web')
  store.put(web)
  status.publish(ours)
  update([web])
  await pass(1000)
  assert.equal(api.requests.length, 0, 'no leader, no writing')
  status.lead(true)
  await pass(1000)
  const [patch] = patches(api)
  assert.equal(patch?.path, '/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web/status')
  assert.deepEqual(patch.query, { fieldManager: 'headgate.dev/ingress-controller' })
  assert.deepEqual(patch.body, {
    metadata: { uid: 'uid-web' },
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.example' }] } },
  })
  status.compare()
  update([web])
  await pass(1000)
  assert.equal(patches(api).length, 1)
  assert.deepEqual(counts, { written: 1 })
})

test('only what differs is written, in whatever order it stands', async () => {
  const { api, store, status, update, pass } = stage()
  const right = named('right', ['lb.example', '192.0.2.1'])
  const wrong = named('wrong', ['192.0.2.1'])
  store.put(right)
  store.put(wrong)
  status.lead(true)
  status.publish(ours)
  update([right, wrong])
  await pass(1000)
  assert.deepEqual(
    patches(api).map(({ path }) => path.split('/')[7]),
    ['wrong'],
  )
  // Somebody overwrites it: the next comparison puts it right.
  store.put({ ...wrong, published: ['203.0.113.1'] })
  status.compare()
  await pass(1000)
  assert.deepEqual(store.publishedOf('shop', 'wrong'), ours)
})

test('what is served no more is cleared, unless it shows something else', async () => {
  const { api, store, status, update, pass, counts } = stage()
  const [web, other, gone] = [named('web'), named('other'), named('gone')]
  for (const one of [web, other, gone]) store.put(one)
  status.lead(true)
  status.publish(ours)
  update([web, other, gone])
  await pass(1000)
  store.put({ ...web, className: 'theirs', published: ours })
  store.put({ ...other, className: 'theirs', published: ['203.0.113.1'] })
  store.delete('Ingress', 'shop', 'gone')
  update([])
  await pass(1000)
  assert.deepEqual(store.publishedOf('shop', 'web'), [])
  assert.deepEqual(store.publishedOf('shop', 'other'), ['203.0.113.1'])
  assert.deepEqual(counts, { written: 3, cleared: 1 })
  assert.equal(api.requests.length, 4)
})

test('a new leader clears what left while it was none, and finds left-overs by their manager', async () => {
  const { api, store, status, update, pass } = stage()
  const seen = named('seen', ours)
  const leftOver = named('left-over', ours)
  const foreign = named('foreign', ours)
  for (const one of [seen, leftOver, foreign]) store.put(one)
  const write = api.answer
  api.answer = (request) => {
    if (request.method === 'PATCH') return write(request)
    const manager = request.path.endsWith('/foreign') ? 'else' : 'headgate.dev/ingress-controller'
    const fieldsV1 = { 'f:status': { 'f:loadBalancer': { 'f:ingress': {} } } }
    return { metadata: { managedFields: [{ manager, subresource: 'status', fieldsV1 }] } }
  }
  status.publish(ours)
  update([seen])
  update([])
  status.lead(true)
  await pass(1000)
  assert.deepEqual(store.publishedOf('shop', 'seen'), [])
  assert.deepEqual(store.publishedOf('shop', 'left-over'), [])
  assert.deepEqual(store.publishedOf('shop', 'foreign'), ours)
})

test('ten thousand Ingresses are written at a bounded rate', async () => {
  const { api, store, status, update, pass } = stage()
  const all = Array.from({ length: 10_000 }, (_, i) => named(`web-${i}`))
  for (const one of all) store.put(one)
  status.lead(true)
  status.publish(ours)
  update(all)
  await pass(10_000, 20)
  const written = patches(api).length
  assert.ok(written >= 500 && written <= 100 + 500 + 10, String(written))
  assert.equal(status.waiting, 10_000 - written)
})

test('a failure pauses everything, longer each time, and nothing is lost', async () => {
  const { api, store, status, update, pass, counts, logged } = stage()
  const all = ['a', 'b', 'c'].map((name) => named(name))
  for (const one of all) store.put(one)
  const write = api.answer
  api.answer = () => {
    throw apiError(500)
  }
  status.lead(true)
  status.publish(ours)
  update(all)
  await pass(20_000)
  const asked = api.requests.length
  assert.ok(asked >= 5 && asked <= 8, String(asked))
  assert.match(logged.join('\n'), /status of an Ingress not written/)
  api.answer = write
  await pass(90_000)
  assert.equal(counts['written'], 3)
})

test('a refusal concerns one Ingress and holds nobody up', async () => {
  const { api, store, status, update, pass, counts } = stage()
  const all = ['a', 'b', 'c'].map((name) => named(name))
  for (const one of all) store.put(one)
  const write = api.answer
  api.answer = (request) => {
    if (request.path.includes('/a/')) throw apiError(422)
    return write(request)
  }
  status.lead(true)
  status.publish(ours)
  update(all)
  await pass(1000)
  assert.deepEqual(counts, { written: 2, refused: 1 })
})

test('a right that is missing in a namespace is one line, holds up no other, and may come later', async () => {
  const { api, store, status, update, pass, counts, logged } = stage()
  const elsewhere = { namespace: 'blog', uid: 'uid-other' }
  const other = ingress('other', { published: [], meta: elsewhere })
  const all = [...Array.from({ length: 40 }, (_, i) => named(`web-${i}`)), other]
  for (const one of all) store.put(one)
  const write = api.answer
  api.answer = (request) => {
    if (!request.path.includes('/blog/')) return write(request)
    throw apiError(403, 'cannot patch resource "ingresses/status" in the namespace "blog"')
  }
  status.lead(true)
  status.publish(ours)
  update(all)
  const compareForMinutes = async (minutes: number): Promise<void> => {
    for (let i = 0; i < minutes; i++) {
      status.compare()
      await pass(60_000, 1000)
    }
  }
  await compareForMinutes(4)
  assert.deepEqual({ ...counts }, { written: 40, refused: 1 })
  assert.equal(logged.length, 1)
  assert.match(logged[0] ?? '', /namespace=blog .*cannot patch resource .*ingresses\/status/)
  await compareForMinutes(60)
  assert.deepEqual([logged.length, counts['failed']], [1, undefined])
  assert.ok((counts['refused'] ?? 0) > 5 && (counts['refused'] ?? 0) < 20)
  api.answer = ({ path }) => {
    assert.match(path, /\/blog\//)
    return {}
  }
  await compareForMinutes(6)
  assert.ok((counts['written'] ?? 0) > 40)
})

test('who stops leading stops writing', async () => {
  const { api, store, status, update, pass } = stage()
  const all = Array.from({ length: 500 }, (_, i) => named(`web-${i}`))
  for (const one of all) store.put(one)
  status.lead(true)
  status.publish(ours)
  update(all)
  await pass(1000)
  status.lead(false)
  const asked = api.requests.length
  assert.ok(asked > 0 && asked < 500)
  await pass(60_000)
  assert.equal(api.requests.length, asked)
})

test('the last replica clears everything, and gives up when the API server is gone', async () => {
  const { api, store, status, update, pass } = stage()
  const all = Array.from({ length: 60 }, (_, i) => named(`web-${i}`, ours))
  for (const one of all) store.put(one)
  status.lead(true)
  status.publish(ours)
  update(all)
  await pass(100)
  assert.equal(patches(api).length, 0)
  const write = api.answer
  api.answer = () => {
    throw apiError(0)
  }
  await status.clearAll(5000)
  assert.ok(api.requests.length <= 16, String(api.requests.length))
  api.answer = write
  await status.clearAll(5000)
  assert.deepEqual(
    all.filter(({ metadata }) => store.publishedOf('shop', metadata.name).length > 0),
    [],
  )
})
