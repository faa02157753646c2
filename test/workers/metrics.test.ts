import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import { RuleMemory } from '#src/shared/rule-memory.ts'
import { diffTables, fullDelta } from '#src/table/delta.ts'
import type { RouteTable } from '#src/table/table.ts'
import { RouteSeriesCache } from '#src/workers/route-series.ts'
import { TableFeed } from '#src/workers/table-feed.ts'
import { UpstreamTotals } from '#src/workers/upstream-totals.ts'
import { backend, host, table } from './tables.ts'

function start(first: RouteTable) {
  const endpoints = EndpointMemory.create(64, 2)
  const totals = new UpstreamTotals(endpoints)
  const feed = new TableFeed(endpoints, RuleMemory.create(64, 2), (slot) => {
    totals.retire(slot)
  })
  let current = first
  totals.name(feed.update(fullDelta(first, 1)))
  const change = (next: RouteTable): void => {
    totals.name(feed.update(diffTables(current, next, feed.version + 1)))
    totals.prune(feed.table)
    current = next
  }
  const requestsOf = (): Record<string, number> =>
    Object.fromEntries(totals.sums().map(({ service, requests }) => [service, requests]))
  return { endpoints, feed, change, requestsOf }
}

test('counters of a Service do not fall when its endpoints go', () => {
  const { endpoints, feed, change, requestsOf } = start(
    table([], [backend('web', ['10.0.0.1', '10.0.0.2']), backend('other', ['10.0.0.1'])]),
  )
  feed.attach(0)
  for (const [cell, requests] of [
    [2, 5],
    [3, 6],
    [4, 7],
    [6, 1],
  ] as const) {
    endpoints.requests[cell] = requests
  }
  assert.deepEqual(requestsOf(), { web: 18, other: 1 })
  change(table([], [backend('web', ['10.0.0.2']), backend('other', ['10.0.0.1'])]))
  assert.deepEqual(requestsOf(), { web: 18, other: 1 }, 'the slot is still held')
  feed.released(0, [1])
  assert.deepEqual(requestsOf(), { web: 18, other: 1 }, 'the slot is free')
  change(table([], [backend('web', ['10.0.0.2', '10.0.0.3']), backend('other', ['10.0.0.1'])]))
  assert.equal(endpoints.requests[2], 0, 'the slot begins anew')
  assert.deepEqual(requestsOf(), { web: 18, other: 1 })
})

test('a Service is forgotten when it is in no table and holds no slot', () => {
  const { feed, change, requestsOf } = start(table([], [backend('web', ['10.0.0.1'])]))
  feed.attach(0)
  change(table([], []))
  assert.deepEqual(Object.keys(requestsOf()), ['web'])
  feed.released(0, [1])
  change(table([], []))
  assert.deepEqual(requestsOf(), {})
})

test('rules that look alike are one series, so that no name comes twice', () => {
  const web = host('a.example', { '/x': 'web', '/y': 'web' })
  const [first, second] = web.rules
  assert.ok(first && second)
  const alike = { ...web, rules: [first, { ...second, pathText: '/x' }] }
  const { feed, change } = start(table([alike], []))
  const cache = new RouteSeriesCache(feed)
  const series = (): [string, number[]][] => {
    const generator = cache.get()
    for (;;) {
      const { done, value } = generator.next()
      if (done === true) return value.map(({ labels, slots }) => [labels, [...slots]])
    }
  }
  const labels = 'namespace="test",ingress="main",host="a.example",path="/x"'
  const overflow = 'namespace="",ingress="(overflow)",host="",path=""'
  assert.deepEqual(series(), [
    [labels, [1, 2]],
    [overflow, [0]],
  ])
  change(table([web], []))
  assert.deepEqual(
    series().map(([, slots]) => slots),
    [[1], [2], [0]],
  )
})
