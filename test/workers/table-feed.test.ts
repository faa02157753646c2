import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EndpointMemory, sumOfSlot } from '#src/shared/endpoint-memory.ts'
import { RuleMemory } from '#src/shared/rule-memory.ts'
import { diffTables, fullDelta } from '#src/table/delta.ts'
import { tupleKey } from '#src/table/keys.ts'
import type { RouteTable } from '#src/table/table.ts'
import { TableFeed } from '#src/workers/table-feed.ts'
import { backend, endpoint, host, table } from './tables.ts'

const writers = 2
const web = tupleKey('backend', 'web')

function start(first: RouteTable) {
  const endpoints = EndpointMemory.create(64, writers)
  const rules = RuleMemory.create(64, writers)
  const freed: number[] = []
  const feed = new TableFeed(endpoints, rules, (slot) => freed.push(slot))
  feed.update(fullDelta(first, 1))
  let current = first
  const change = (next: RouteTable) => {
    const update = feed.update(diffTables(current, next, feed.version + 1))
    current = next
    return update
  }
  return { endpoints, rules, freed, feed, change }
}

test('the first table goes out whole, later ones as what differs, with their slots', () => {
  const hosts = [host('a.example', { '/': 'web' })]
  const { feed, change } = start(table(hosts, [backend('web', ['10.0.0.1', '10.0.0.2'])]))
  const first = feed.attach(0)
  assert.equal(first.delta.full, true)
  assert.deepEqual([...(first.endpointSlots.get(web) ?? [])], [1, 2])
  assert.deepEqual([...first.ruleSlots.values()], [1])
  const update = change(table(hosts, [backend('web', ['10.0.0.2', '10.0.0.3'])]))
  assert.equal(update.delta.full, false)
  assert.equal(update.delta.hosts.size, 0)
  assert.deepEqual(
    [...(update.endpointSlots.get(web) ?? [])],
    [2, 3],
    'the one that stays keeps its slot',
  )
  assert.deepEqual(
    feed.attach(1).endpointSlots,
    update.endpointSlots,
    'a new worker is told the same',
  )
})

test('a slot is free only when both workers have let go of its endpoint', () => {
  const { feed, change, freed } = start(table([], [backend('web', ['10.0.0.1'])]))
  feed.attach(0)
  feed.attach(1)
  change(table([], [backend('web', [])]))
  feed.released(0, [1])
  assert.deepEqual(
    [...(change(table([], [backend('web', ['10.0.0.2'])])).endpointSlots.get(web) ?? [])],
    [2],
  )
  feed.released(1, [1])
  assert.deepEqual(freed, [1])
  const next = change(table([], [backend('web', ['10.0.0.2', '10.0.0.3'])]))
  assert.deepEqual([...(next.endpointSlots.get(web) ?? [])], [2, 1])
})

test('an endpoint that leaves with its backend is let go in the same way', () => {
  const { feed, change, freed } = start(table([], [backend('web', ['10.0.0.1'])]))
  feed.attach(0)
  change(table([], []))
  assert.deepEqual(freed, [])
  feed.released(0, [1])
  assert.deepEqual(freed, [1])
})

test('an update of the same key with another uid gets another slot', () => {
  const pod = backend('web', ['10.0.0.1'])
  const { feed, change } = start(table([], [pod]))
  feed.attach(0)
  const other = { ...pod, endpoints: [{ ...endpoint('10.0.0.1'), uid: 'other' }] }
  assert.deepEqual([...(change(table([], [other])).endpointSlots.get(web) ?? [])], [2])
})

test('a dead worker is not waited for', () => {
  const { feed, change, freed } = start(table([], [backend('web', ['10.0.0.1'])]))
  feed.attach(0)
  feed.attach(1)
  change(table([], [backend('web', [])]))
  feed.released(0, [1])
  feed.detach(1)
  assert.deepEqual(freed, [1])
})

test('a worker that starts after an endpoint left does not owe a report', () => {
  const { feed, change, freed } = start(table([], [backend('web', ['10.0.0.1'])]))
  feed.attach(0)
  change(table([], [backend('web', [])]))
  feed.attach(1)
  feed.released(0, [1])
  assert.deepEqual(freed, [1])
})

test('a rule slot waits until every worker has moved on', () => {
  const two = table([host('a', { '/x': 'web', '/y': 'web' })], [])
  const { feed, change, rules } = start(two)
  feed.attach(0)
  feed.attach(1)
  feed.applied(0, 1)
  feed.applied(1, 1)
  change(table([host('a', { '/x': 'web' })], []))
  feed.applied(0, 2)
  const third = change(table([host('a', { '/x': 'web', '/z': 'web' })], []))
  assert.equal(third.ruleSlots.get(tupleKey('rule', 'a', '/z')), 3)
  feed.applied(1, 3)
  feed.applied(0, 3)
  const generation = rules.generation[2]
  const fourth = change(table([host('a', { '/x': 'web', '/z': 'web', '/w': 'web' })], []))
  assert.equal(fourth.ruleSlots.get(tupleKey('rule', 'a', '/w')), 2)
  assert.equal(rules.generation[2], (generation as number) + 1)
})

/** A host with the rule of another. */
const moved = (pattern: string) => ({
  ...host(pattern, {}),
  rules: host('a', { '/': 'web' }).rules,
})

test('a rule that moves from one host to another keeps its slot', () => {
  for (const [from, to] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const { feed, change } = start(table([moved(from)], []))
    feed.attach(0)
    const update = change(table([moved(to)], []))
    assert.deepEqual([...update.ruleSlots.values()], [1])
    feed.applied(0, 2)
    assert.equal(feed.ruleSlots.used, 1)
  }
})

test('a whole table of a new control plane is reduced to what differs', () => {
  const hosts = [host('a', { '/': 'web' }), host('b', { '/': 'web' })]
  const { feed } = start(table(hosts, [backend('web', ['10.0.0.1'])]))
  feed.attach(0)
  const same = feed.update(
    fullDelta(structuredClone(table(hosts, [backend('web', ['10.0.0.1'])])), 2),
  )
  assert.equal(same.delta.full, false)
  assert.equal(same.delta.hosts.size + same.delta.backends.size, 0)
  assert.equal(feed.version, 2)
  const less = feed.update(fullDelta(table([host('a', { '/': 'web' })], []), 3))
  assert.deepEqual([...less.delta.hosts], [[host('b', {}).key, undefined]])
  assert.deepEqual([...less.delta.backends], [[web, undefined]])
  assert.equal(feed.table.hosts.size, 1)
})

test('endpoints past the capacity share slot 0', () => {
  const endpoints = EndpointMemory.create(3, writers)
  const feed = new TableFeed(endpoints, RuleMemory.create(2, writers), () => undefined)
  const update = feed.update(
    fullDelta(
      table([host('a', { '/x': 'web', '/y': 'web' })], [backend('web', ['1', '2', '3'])]),
      1,
    ),
  )
  assert.deepEqual([...(update.endpointSlots.get(web) ?? [])], [1, 2, 0])
  assert.deepEqual([...update.ruleSlots.values()], [1, 0])
  assert.equal(feed.endpointSlots.overflowed, 1)
  assert.equal(sumOfSlot(endpoints, endpoints.inFlight, 0), 0)
})
