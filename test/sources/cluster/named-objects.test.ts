import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerStatus } from '#test/support/api-server.ts'
import { codes, create, limits, many, refuse, secret } from './cluster-setting.ts'

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

for (const count of [10, 40]) {
  test(
    `${count} Secrets that hold too much: some are left out, and come when there is room`,
    limits,
    async (t) => {
      const wanted = many(count)
      // Each has 7 bytes of key and 93 of text; two that are half as large fit in where one went.
      const [whole, half] = ['x'.repeat(93), 'x'.repeat(43)]
      const setting = await create(
        t,
        (prepared) => {
          for (const name of wanted) prepared.put(secret(name, whole))
        },
        {},
        { namedBytesMax: 500 },
      )
      const { source, server, store, want, valueOf, until } = setting
      const left = (): string =>
        /left_out_objects\{kind="Secret"\} (\d+)/.exec(source.metrics())?.[1] ?? ''
      const settled = async (held: number): Promise<void> => {
        await until(() => store.count('Secret') === held && left() === String(count - held))
        assert.deepEqual(codes(source), [
          `references-left-out: ${count - held} that are referred to are not read, ${count - held} of them for want of room within 500 bytes`,
        ])
      }
      await source.start()
      await want(...wanted)
      await settled(5)
      assert.match(source.metrics(), /wanted_bytes\{kind="Secret"\} 500/)
      assert.match(source.metrics(), /wanted_objects\{kind="Secret"\} 5/)
      const held = wanted.filter((name) => valueOf(name) !== undefined)
      const out = wanted.filter((name) => valueOf(name) === undefined)
      // One that goes makes room for another.
      server.delete('Secret', 'n', held[0] as string)
      await until(
        () =>
          wanted.filter((name) => valueOf(name) !== undefined).length === 5 &&
          valueOf(held[0] as string) === undefined,
      )
      server.put(secret(held[0] as string, whole))
      await settled(5)
      // Two that shrink make room for a third.
      const now = wanted.filter((name) => valueOf(name) !== undefined)
      for (const name of now.slice(0, 2)) server.put(secret(name, half))
      await settled(6)
      // One that grows past what there is goes.
      server.put(secret(now[0] as string, 'x'.repeat(600)))
      await until(() => valueOf(now[0] as string) === undefined)
      // Those that nobody wants make room for all.
      const few = [...out.slice(0, 3), ...held.slice(3)].filter((name) => name !== now[0])
      await want(...few)
      await until(() => few.every((name) => valueOf(name) !== undefined))
      assert.deepEqual([store.count('Secret'), codes(source)], [few.length, []])
    },
  )
}
