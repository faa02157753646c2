import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, put, remove, shown, start, three } from './reflector-setting.ts'

const limits = { timeout: 30_000 }

for (const way of ['watch-list', 'pages'] as const) {
  test(
    `by ${way}: the first view comes in one step, then changes as they come`,
    limits,
    async (t) => {
      const setting = await start(t, (server) => {
        server.watchListSupported = way === 'watch-list'
        three(server)
      })
      const { server, deliveries, until } = setting
      assert.deepEqual(deliveries, ['a=1 b=1 c=1'])
      put(server, 'd', '1')
      put(server, 'a', '2')
      remove(server, 'b')
      await until(() => shown(setting) === 'a2 c1 d1')
    },
  )

  test(`by ${way}: an empty list is a view, too`, limits, async (t) => {
    const { deliveries } = await start(t, (server) => {
      server.watchListSupported = way === 'watch-list'
    })
    assert.deepEqual(deliveries, [''])
  })

  test(
    `by ${way}: 410 lists anew, keeps the view meanwhile, tells only what differs`,
    limits,
    async (t) => {
      const setting = await start(t, (server) => {
        server.watchListSupported = way === 'watch-list'
        three(server)
      })
      const { server, deliveries, pass, view } = setting
      await setting.until(() => server.openWatches.length === 1)
      server.endWatches()
      await setting.until(() => server.openWatches.length === 0)
      put(server, 'b', '2')
      remove(server, 'c')
      server.compact()
      let emptied = false
      await pass(50, () => {
        emptied ||= view.size < 2
        return shown(setting) === 'a1 b2'
      })
      assert.equal(emptied, false)
      assert.deepEqual(deliveries, ['a=1 b=1 c=1', 'b=2 -n/c'])
      assert.equal(setting.counters.errors.expired, 1)
    },
  )
}

test(
  'pages: 1,200 objects come in three, and a page that is too old starts again',
  limits,
  async (t) => {
    let pages = 0
    const setting = await create(t, (server) => {
      server.watchListSupported = false
      for (let i = 0; i < 1200; i++) put(server, `m${i}`, '1')
      server.intercept = ({ query, watch }) => {
        if (!watch && ++pages === 3) {
          remove(server, 'm1199')
          server.compact()
        }
        void query
        return false
      }
    })
    setting.reflector.start()
    await setting.until(() => setting.reflector.synced)
    assert.equal(setting.view.size, 1199)
    assert.equal(setting.deliveries.length, 1)
    const lists = setting.server.requests.filter(({ watch }) => !watch)
    const limit = lists.map(({ query }) => query.get('limit'))
    assert.deepEqual(limit, ['500', '500', '500', null])
  },
)

test(
  'a watch that ends goes on from the last version: no gap, nothing twice',
  limits,
  async (t) => {
    const setting = await start(t, three)
    const { server, deliveries, until, pass } = setting
    for (let round = 0; round < 5; round++) {
      await pass(50, () => server.openWatches.length === 1)
      server.endWatches()
      await until(() => server.openWatches.length === 0)
      put(server, 'a', `during-${round}`)
      await pass(50, () => setting.view.get('a') === `during-${round}`)
    }
    assert.deepEqual(
      deliveries.slice(1),
      [0, 1, 2, 3, 4].map((round) => `a=during-${round}`),
    )
    assert.equal(server.requests.filter(({ initial }) => initial).length, 1)
  },
)

test(
  'a bookmark moves the version on, so that a quiet kind survives a compaction',
  limits,
  async (t) => {
    const setting = await start(t, three)
    const { server, counters, pass, until } = setting
    await until(() => server.openWatches.length === 1)
    server.compact()
    const before = counters.events.bookmark
    server.bookmark()
    await pass(1, () => counters.events.bookmark > before)
    server.endWatches('cut')
    await pass(50, () => server.requests.length === 2)
    await until(() => server.openWatches.length === 1)
    assert.deepEqual([counters.errors.expired, counters.lists], [0, 1])
  },
)
