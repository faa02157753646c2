import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '#algorithms/random.ts'
import { World } from './replicas.ts'

async function twoReplicas(skewMs = 0) {
  const world = new World()
  const a = world.add('a')
  const b = world.add('b', { skewMs })
  a.election.start()
  await world.pass(1000)
  b.election.start()
  await world.pass(10_000)
  assert.deepEqual(world.leaders, ['a'])
  return { world, a, b }
}

test('the first candidate creates the Lease and renews it every two seconds', async () => {
  const world = new World()
  world.add('a').election.start()
  assert.ok((await world.untilLed(1000)) <= 200)
  const [first] = [world.server.lease]
  assert.equal(first?.holder, 'a')
  assert.equal(first.durationMs, 15_000)
  assert.equal(first.transitions, 0)
  await world.pass(60_000)
  assert.deepEqual(world.leaders, ['a'])
  assert.ok(world.server.writes >= 28 && world.server.writes <= 31, String(world.server.writes))
  assert.equal(world.server.lease?.acquireTime, first.acquireTime)
  assert.notEqual(world.server.lease.renewal, first.renewal)
})

test('a second candidate waits, and writes nothing', async () => {
  const { world, b } = await twoReplicas()
  const { writes } = world.server
  await world.pass(60_000)
  assert.deepEqual(b.changes, [])
  assert.ok(world.server.writes - writes <= 31)
})

test('a leader that is killed is followed after the duration of the Lease, not before', async () => {
  const { world, a } = await twoReplicas()
  a.kill()
  const waitedMs = await world.untilLed(60_000)
  assert.ok(waitedMs > 12_000 && waitedMs <= 15_000 + 4400 + 200, String(waitedMs))
  assert.deepEqual(world.leaders, ['b'])
  assert.equal(world.server.lease?.transitions, 1)
})

test('a leader that stops gives the Lease back, and another leads at once', async () => {
  const { world, a } = await twoReplicas()
  const stopped = a.election.stop()
  assert.equal(a.election.leading, false)
  await world.pass(1000)
  await stopped
  assert.equal(world.server.lease?.holder, '')
  const waitedMs = await world.untilLed(60_000)
  assert.ok(waitedMs <= 4500, String(waitedMs))
  assert.equal(world.server.lease.transitions, 1)
  assert.deepEqual(world.leaders, ['b'])
  assert.deepEqual(a.changes, [true, false])
})

test('a replica that stops without leading touches nothing', async () => {
  const { world, b } = await twoReplicas()
  const before = world.server.lease?.holder
  const stopped = b.election.stop()
  await world.pass(1000)
  await stopped
  assert.equal(world.server.lease?.holder, before)
})

test('a leader cut off from the API stops before another begins', async () => {
  const { world, a, b } = await twoReplicas()
  a.link.cut = true
  const cutMs = world.time.now()
  while (a.election.leading) await world.pass(100)
  const stoppedMs = world.time.now() - cutMs
  assert.ok(stoppedMs <= 10_100, String(stoppedMs))
  await world.untilLed(60_000)
  assert.deepEqual(world.leaders, ['b'])
  assert.ok(world.time.now() - cutMs - stoppedMs > 3000)
  a.link.cut = false
  await world.pass(60_000)
  assert.deepEqual(world.leaders, ['b'])
  assert.deepEqual(world.doubles, [])
  assert.deepEqual(b.changes, [true])
  assert.match(a.logged.join('\n'), /could not be renewed in time/)
})

test('an API whose every call takes seconds is enough to lead, by one at a time', async () => {
  const world = new World()
  for (const identity of ['a', 'b']) {
    const replica = world.add(identity)
    replica.link.halfMs = 1500
    replica.election.start()
  }
  await world.untilLed(60_000)
  const leaders = new Set<string>()
  for (let i = 0; i < 300; i++) {
    await world.pass(1000)
    for (const leader of world.leaders) leaders.add(leader)
  }
  assert.equal(leaders.size, 1)
  assert.deepEqual(world.doubles, [])
})

test('an answer that comes too late makes no leader', async () => {
  const world = new World()
  const a = world.add('a')
  a.link.halfMs = 5200
  a.election.start()
  await world.pass(120_000)
  assert.deepEqual(a.changes, [])
})

for (const skewMs of [-3_600_000, 3_600_000]) {
  test(`clocks that are an hour apart (${skewMs} ms) change nothing`, async () => {
    const { world, a, b } = await twoReplicas(skewMs)
    await world.pass(60_000)
    assert.deepEqual(b.changes, [])
    a.kill()
    const waitedMs = await world.untilLed(60_000)
    assert.ok(waitedMs > 12_000 && waitedMs <= 19_600, String(waitedMs))
    assert.deepEqual(world.doubles, [])
  })
}

test('a Lease that somebody else edits stays with its leader, and hides no renewal', async () => {
  const { world, a } = await twoReplicas()
  for (let i = 0; i < 20; i++) {
    world.server.touch()
    await world.pass(1000)
  }
  assert.deepEqual(a.changes, [true])
  a.kill()
  let waitedMs = 0
  while (world.leaders.length === 0 && waitedMs < 60_000) {
    world.server.touch()
    waitedMs += await world.untilLed(1000)
  }
  assert.ok(waitedMs <= 20_600, String(waitedMs))
})

test('a control plane that starts again under the same identity leads on at once', async () => {
  const { world, a } = await twoReplicas()
  a.kill()
  await world.pass(500)
  const again = world.add('a')
  again.election.start()
  await world.pass(200)
  assert.deepEqual(world.leaders, ['a'])
  assert.equal(world.server.lease?.transitions, 0)
})

test('whatever links do, there are never two leaders, and one in the end', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = seededRandom(seed)
    const world = new World()
    for (const identity of ['a', 'b', 'c']) {
      const replica = world.add(identity, { random, skewMs: random() * 1e6 })
      replica.election.start()
    }
    for (let i = 0; i < 40; i++) {
      const replica = world.replicas[Math.floor(random() * world.replicas.length)]
      assert.ok(replica)
      replica.link.cut = random() < 0.4
      replica.link.halfMs = random() < 0.3 ? random() * 6000 : 5
      if (random() < 0.05) world.server.touch()
      await world.pass(random() * 8000, 250)
    }
    for (const { link } of world.replicas) Object.assign(link, { cut: false, halfMs: 5 })
    await world.pass(40_000, 250)
    assert.deepEqual(world.doubles, [], `seed ${seed}`)
    assert.equal(world.leaders.length, 1, `seed ${seed}`)
  }
})
