import assert from 'node:assert/strict'
import { test } from 'node:test'
import { histogramSamples, labelText, sample } from '#src/observe/exposition.ts'
import { createProcessMetrics } from '#src/observe/process-metrics.ts'
import { routeMetrics } from '#src/observe/route-metrics.ts'
import { upstreamMetrics } from '#src/observe/upstream-metrics.ts'
import { workerMetrics } from '#src/observe/worker-metrics.ts'
import { RuleMemory, clientGone } from '#src/shared/rule-memory.ts'
import { WorkerMemory, workerCell } from '#src/shared/worker-memory.ts'
import { parseExposition } from './parse-exposition.ts'

test('label values are escaped', () => {
  assert.equal(labelText({ a: 'x"\\\n', b: '' }), 'a="x\\"\\\\\\n",b=""')
  assert.equal(sample('n', '', 1.5), 'headgate_n 1.5\n')
  assert.equal(sample('n', 'a="1"', Infinity), 'headgate_n{a="1"} +Inf\n')
})

test('histogram buckets are cumulative and end in +Inf', () => {
  const text = histogramSamples('h', {
    labels: 'a="1"',
    bounds: ['0.1', '1'],
    counts: [2, 0, 3],
    sum: 7,
  })
  assert.deepEqual(text.trimEnd().split('\n'), [
    'headgate_h_bucket{a="1",le="0.1"} 2',
    'headgate_h_bucket{a="1",le="1"} 2',
    'headgate_h_bucket{a="1",le="+Inf"} 5',
    'headgate_h_sum{a="1"} 7',
    'headgate_h_count{a="1"} 5',
  ])
})

test('routes: workers add up, times are in seconds, silent routes have no series', () => {
  const memory = RuleMemory.create(8, 2)
  for (const writer of [0, 1]) {
    const row = memory.row(1, 0, writer)
    memory.recordExchange(row, 2, 40)
    memory.recordExchange(row, 5, 2000)
    memory.recordExchange(row, clientGone, 1)
    memory.recordBytes(row, 100, 5000)
    memory.recordUpstream(row, 30)
  }
  memory.recordExchange(memory.row(3, 0, 0), 2, 1)
  const text = [
    ...routeMetrics(memory, [
      { labels: labelText({ host: 'a' }), slots: [1, 3] },
      { labels: labelText({ host: 'silent' }), slots: [2] },
    ]),
  ].join('')
  const { value, families } = parseExposition(text)
  assert.equal(value('headgate_requests_total', { host: 'a', status: '2xx' }), 3)
  assert.equal(value('headgate_requests_total', { host: 'a', status: '5xx' }), 2)
  assert.equal(value('headgate_requests_total', { host: 'a', status: 'client-gone' }), 2)
  assert.equal(value('headgate_request_duration_seconds_count', { host: 'a' }), 7)
  assert.equal(value('headgate_request_duration_seconds_sum', { host: 'a' }), 4.083)
  assert.equal(value('headgate_request_duration_seconds_bucket', { host: 'a', le: '0.05' }), 5)
  assert.equal(
    value('headgate_upstream_response_duration_seconds_bucket', { host: 'a', le: '0.05' }),
    2,
  )
  assert.equal(value('headgate_response_bytes_total', { host: 'a' }), 10_000)
  assert.doesNotMatch(text, /silent/)
  assert.equal(families.get('headgate_request_duration_seconds'), 'histogram')
})

test('workers: every family of the table is there, by label', () => {
  const memory = WorkerMemory.create(2)
  memory.add(0, workerCell('connections:https'), 2)
  memory.add(1, workerCell('connections:https'), 3)
  memory.set(1, workerCell('worker_table_version'), 9)
  const { value } = parseExposition([...workerMetrics(memory)].join(''))
  assert.equal(value('headgate_connections', { protocol: 'https' }), 5)
  assert.equal(value('headgate_worker_table_version', { worker: '1' }), 9)
  assert.equal(value('headgate_upstream_retries_total', {}), 0)
  assert.equal(value('headgate_timeouts_total', { kind: 'connect' }), 0)
})

test('upstreams are shown by Service', () => {
  const row = { namespace: 'shop', service: 'web' }
  const sums = { requests: 5, failures: 2, connectFailures: 1, bytesSent: 10, bytesReceived: 20 }
  const states = { inFlight: 3, ready: 2, draining: 1, ejected: 0 }
  const text = [...upstreamMetrics([{ ...row, ...sums }], [{ ...row, ...states }])].join('')
  const { value } = parseExposition(text)
  assert.equal(value('headgate_upstream_requests_total', row), 5)
  assert.equal(value('headgate_upstream_received_bytes_total', row), 20)
  assert.equal(value('headgate_upstream_requests_in_flight', row), 3)
  assert.equal(value('headgate_upstream_endpoints', { ...row, state: 'draining' }), 1)
})

test('process metrics follow the state at each scrape', async () => {
  let tableVersion = 1
  const slots = { used: 4, capacity: 10, overflowed: 0 }
  const registry = createProcessMetrics(() => ({
    version: '1.2.3',
    ready: true,
    workersRunning: 2,
    workersConfigured: 2,
    workerRestarts: { crash: 1, stalled: 0 },
    controlPlaneUp: true,
    controlPlaneRestarts: { crash: 0 },
    tableVersion,
    diagnostics: { error: 7 },
    endpointSlots: slots,
    ruleSlots: slots,
    logLinesDropped: 3,
  }))
  await registry.metrics()
  tableVersion = 2
  const { value, families } = parseExposition(await registry.metrics())
  assert.equal(value('headgate_table_version', {}), 2)
  assert.equal(
    value('headgate_worker_restarts_total', { reason: 'crash' }),
    1,
    'not added up over scrapes',
  )
  assert.equal(value('headgate_diagnostics', { severity: 'error' }), 7)
  assert.equal(value('headgate_shared_slots', { kind: 'rule', state: 'used' }), 4)
  assert.equal(families.get('headgate_log_lines_dropped_total'), 'counter')
  assert.ok(families.has('process_cpu_seconds_total'))
})
