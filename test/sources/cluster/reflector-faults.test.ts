import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { answerStatus, bookmarkOf, writeEvent } from '#test/support/api-server.ts'
import type { Asked, ScriptedApiServer } from '#test/support/api-server.ts'
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

/** Requests in ten minutes of watches that end after so long, each telling nothing. */
async function watchesThatEnd(t: TestContext, afterMs: number): Promise<number> {
  const setting = await start(t, three)
  const { server, time, pass, until } = setting
  await until(() => server.openWatches.length === 1)
  const before = server.requests.length
  const lists = setting.counters.lists
  server.intercept = (asked) => {
    if (!asked.watch || asked.initial) return false
    asked.response.writeHead(200)
    asked.response.flushHeaders()
    time.schedule(() => asked.response.end(), afterMs)
    if (afterMs === 0) asked.response.end()
    return true
  }
  server.endWatches()
  await pass(250, () => time.now() >= 600_000)
  server.intercept = () => false
  put(server, 'a', '2')
  await pass(250, () => setting.view.get('a') === '2')
  assert.equal(setting.counters.lists, lists, 'nothing is listed for that')
  assert.equal(setting.reflector.trouble, undefined)
  return server.requests.length - before
}

test('watches that end every second are resumed, at that rate and no faster', limits, async (t) => {
  const requests = await watchesThatEnd(t, 1000)
  assert.ok(requests > 250 && requests < 600, `${requests} requests in ten minutes`)
})

test('watches that end at once are resumed every few seconds', limits, async (t) => {
  const requests = await watchesThatEnd(t, 0)
  assert.ok(requests > 60 && requests < 300, `${requests} requests in ten minutes`)
})

for (const way of ['status', 'event'] as const) {
  test(`410 in the middle of events (${way}): what came before it stays`, limits, async (t) => {
    const setting = await start(t, three)
    const { server, until, pass, counters } = setting
    await until(() => server.openWatches.length === 1)
    put(server, 'a', '2')
    await until(() => setting.view.get('a') === '2')
    let refused = false
    server.intercept = (asked) => {
      if (!asked.watch || asked.initial || refused) return false
      refused = true
      const failure = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }
      if (way === 'status') answerStatus(asked, 410, 'Expired', 'too old')
      else {
        const metadata = { name: 'b', namespace: 'n', resourceVersion: '900' }
        writeEvent(asked, { type: 'MODIFIED', object: { metadata, value: '2' } })
        writeEvent(asked, { type: 'ERROR', object: failure })
        asked.response.end()
      }
      return true
    }
    server.endWatches('cut')
    await until(() => server.openWatches.length === 0)
    remove(server, 'c')
    await pass(50, () => !setting.view.has('c'))
    assert.equal(setting.view.get('a'), '2')
    assert.equal(counters.errors.expired, 1)
    assert.equal(counters.lists, 2)
  })
}

function threeByPages(server: ScriptedApiServer): void {
  server.watchListSupported = false
  three(server)
}

test('410 again and again: lists get rarer, and the view stays', limits, async (t) => {
  const setting = await create(t, threeByPages, { random: () => 0.5 })
  const { server, time, pass, counters } = setting
  server.intercept = (asked) => {
    if (!asked.watch || asked.initial) return false
    answerStatus(asked, 410, 'Expired', 'too old')
    return true
  }
  setting.reflector.start()
  await pass(500, () => time.now() >= 600_000)
  assert.ok(counters.lists > 15 && counters.lists < 30, `${counters.lists} lists in ten minutes`)
  assert.equal(setting.view.size, 3)
})

test(
  'a slow first view is waited for as long as it goes on, and given up when it does not',
  limits,
  async (t) => {
    let slow: Asked | undefined
    const setting = await create(t, (server) => {
      three(server)
      server.intercept = (asked) => {
        if (!asked.initial || slow !== undefined) return false
        slow = asked
        asked.response.writeHead(200)
        asked.response.flushHeaders()
        return true
      }
    })
    const { server, time, until, reflector, counters, view } = setting
    reflector.start()
    await until(() => slow !== undefined)
    assert.ok(slow)
    for (let i = 0; i < 10; i++) {
      const heardBefore = reflector.heardAt
      const metadata = { name: `m${i}`, namespace: 'n', resourceVersion: String(i + 1) }
      writeEvent(slow, { type: 'ADDED', object: { metadata, value: '1' } })
      await setting.pass(1, () => reflector.heardAt !== heardBefore)
      time.advance(55_000)
    }
    assert.equal(counters.errors.silence, 0)
    assert.equal(view.size, 0, 'half a view is none')
    time.advance(6000)
    await setting.pass(100, () => reflector.synced)
    assert.deepEqual([counters.errors.silence, counters.errors.malformed], [1, 1])
    assert.equal(shown(setting), 'a1 b1 c1')
    assert.equal(server.requests[1]?.watch, false, 'by pages, as the watch does not bring it')
  },
)

test('stopping ends the watch and every rest', limits, async (t) => {
  const setting = await start(t, three)
  const { server, reflector, until } = setting
  await until(() => server.openWatches.length === 1)
  await reflector.stop()
  await until(() => server.openWatches.length === 0)
})
