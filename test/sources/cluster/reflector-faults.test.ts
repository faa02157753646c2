import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerStatus, bookmarkOf, writeEvent } from '#test/support/api-server.ts'
import { create, put, remove, shown, start, three } from './reflector-setting.ts'

const limits = { timeout: 30_000 }

const event = (type: string, version: string): string => {
  const metadata = { name: 'x', namespace: 'n', resourceVersion: version }
  return `${JSON.stringify({ type, object: { metadata, value: version } })}\n`
}

test('half a line is not taken for an event, and the event comes again', limits, async (t) => {
  const setting = await start(t, three)
  const { server, pass, until } = setting
  await until(() => server.openWatches.length === 1)
  const [asked] = server.openWatches
  assert.ok(asked)
  asked.response.write('{"type":"MODIFIED","object":{"metadata":{"na')
  asked.response.end()
  await until(() => setting.counters.errors.malformed === 1)
  put(server, 'a', '2')
  await pass(100, () => shown(setting) === 'a2 b1 c1')
})

test('lines cut anywhere, and characters too, are put together again', limits, async (t) => {
  const setting = await start(t, three)
  const { server, until } = setting
  await until(() => server.openWatches.length === 1)
  const [asked] = server.openWatches
  assert.ok(asked)
  const metadata = { name: 'ü', namespace: 'n', resourceVersion: '900' }
  const bytes = Buffer.from(
    `${JSON.stringify({ type: 'ADDED', object: { metadata, value: 'ä€' } })}\n`,
  )
  for (const byte of bytes) {
    await new Promise<void>((resolve) => {
      asked.response.write(Buffer.of(byte), () => {
        resolve()
      })
    })
  }
  await until(() => setting.view.get('ü') === 'ä€')
})

test('what is no event again and again makes everything be listed', limits, async (t) => {
  const setting = await start(t, three)
  const { server, pass, counters } = setting
  server.intercept = (asked) => {
    if (!asked.watch || asked.initial) return false
    asked.response.end('no event\n')
    return true
  }
  await setting.until(() => server.openWatches.length === 1)
  server.endWatches('cut')
  await pass(100, () => server.requests.filter(({ initial }) => initial).length === 2)
  assert.equal(counters.errors.malformed, 3)
  assert.equal(setting.view.size, 3)
})

test('a watch that is silent is given up after a while and resumed', limits, async (t) => {
  const setting = await start(t, three)
  const { server, pass, time, counters } = setting
  await setting.until(() => server.openWatches.length === 1)
  time.advance(149_000)
  assert.equal(counters.errors.silence, 0)
  put(server, 'a', '2')
  await setting.until(() => setting.view.get('a') === '2')
  time.advance(149_000)
  assert.equal(counters.errors.silence, 0)
  time.advance(2000)
  await pass(50, () => server.requests.length === 2)
  assert.deepEqual([counters.errors.silence, counters.lists], [1, 1])
  await setting.until(() => server.openWatches.length === 1)
})

test('a server that takes sendInitialEvents for nothing is listed by pages', limits, async (t) => {
  const setting = await create(t, (server) => {
    three(server)
    // As a server does that does not know the parameter: everything, but no bookmark.
    server.intercept = (asked) => {
      if (!asked.initial) return false
      asked.response.writeHead(200)
      const metadata = { name: 'a', namespace: 'n', resourceVersion: '1' }
      writeEvent(asked, { type: 'ADDED', object: { metadata, value: '1' } })
      return true
    }
  })
  setting.reflector.start()
  await setting.until(() => setting.server.requests.length === 1)
  await setting.pass(10_000, () => setting.reflector.synced)
  assert.equal(shown(setting), 'a1 b1 c1')
})

test('errors never end it, and tries get rarer', limits, async (t) => {
  let failing = true
  const times: number[] = []
  const setting = await create(t, (server) => {
    three(server)
    server.intercept = (asked) => {
      if (!failing) return false
      answerStatus(asked, 503, 'ServiceUnavailable', 'overloaded')
      return true
    }
  })
  const { server, reflector, time } = setting
  const inner = server.intercept
  server.intercept = (asked) => {
    times.push(time.now())
    return inner(asked)
  }
  reflector.start()
  await setting.until(() => reflector.trouble?.failures === 1)
  await setting.pass(100, () => reflector.trouble?.failures === 12)
  const gaps = times.slice(1).map((at, i) => at - (times[i] as number))
  assert.ok(
    gaps.every((gap, i) => i === 0 || gap >= (gaps[i - 1] as number) - 200),
    String(gaps),
  )
  assert.ok((gaps.at(-1) as number) >= 15_000 && (gaps.at(-1) as number) <= 15_300, String(gaps))
  failing = false
  await setting.pass(500, () => reflector.synced)
  assert.equal(reflector.trouble, undefined)
  assert.equal(shown(setting), 'a1 b1 c1')
})

test('Retry-After is kept to', limits, async (t) => {
  const setting = await create(t, (server) => {
    server.intercept = ({ response }) => {
      response.writeHead(429, { 'retry-after': '20' }).end('{}')
      return true
    }
  })
  setting.reflector.start()
  await setting.until(() => setting.reflector.trouble !== undefined)
  setting.time.advance(19_900)
  assert.equal(setting.server.requests.length, 1)
  await setting.pass(100, () => setting.server.requests.length === 2)
})

test(
  'what RBAC refuses is tried at a low rate, and a later grant is picked up',
  limits,
  async (t) => {
    let granted = false
    const setting = await create(t, (server) => {
      three(server)
      server.intercept = (asked) => {
        if (granted) return false
        answerStatus(asked, 403, 'Forbidden', 'cannot list resource "configmaps"')
        return true
      }
    })
    const { reflector, time } = setting
    reflector.start()
    await setting.until(() => reflector.trouble !== undefined)
    assert.equal(reflector.trouble?.refused, true)
    await setting.pass(1000, () => time.now() > 600_000)
    assert.ok(setting.server.requests.length < 30, String(setting.server.requests.length))
    granted = true
    await setting.pass(1000, () => reflector.synced)
    assert.equal(reflector.trouble, undefined)
  },
)

test('an object that cannot be used leaves its last good version in force', limits, async (t) => {
  const setting = await start(t, three)
  const { server, until } = setting
  put(server, 'a', 'unusable')
  put(server, 'b', '2')
  await until(() => setting.view.get('b') === '2')
  assert.equal(setting.view.get('a'), '1')
  remove(server, 'a')
  await until(() => setting.view.get('a') === undefined)
})

test('put and deleted within one piece: the last one counts', limits, async (t) => {
  const setting = await start(t, three)
  const { server, until } = setting
  await until(() => server.openWatches.length === 1)
  server.writeRaw(event('ADDED', '901') + event('DELETED', '902'))
  server.writeRaw(`${JSON.stringify(bookmarkOf(903, false))}\n`)
  await until(() => setting.counters.events.deleted === 1)
  put(server, 'y', '1')
  await until(() => setting.view.has('y'))
  assert.equal(setting.view.has('x'), false)
})

test('an event of a type that nobody knows is passed over', limits, async (t) => {
  const setting = await start(t, three)
  const { server, until } = setting
  await until(() => server.openWatches.length === 1)
  server.writeRaw('{"type":"COMET","object":{}}\n')
  put(server, 'a', '2')
  await until(() => setting.view.get('a') === '2')
  assert.equal(setting.counters.errors.malformed, 0)
})

test('stopping ends the watch and every rest', limits, async (t) => {
  const setting = await start(t, three)
  const { server, reflector, until } = setting
  await until(() => server.openWatches.length === 1)
  await reflector.stop()
  await until(() => server.openWatches.length === 0)
})
