import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sumOfSlot } from '#src/shared/endpoint-memory.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import { statusOf } from '#src/workers/status.ts'
import { TestProcess, until } from './process.ts'
import { backend, host, table } from './tables.ts'

// Each test has a limit of its own, so that a thread that never answers is a failure and no hang.
const limits = { timeout: 30_000 }

const hosts = [host('a.example', { '/': 'web' })]
const first = table(hosts, [backend('web', ['10.0.0.1'])])
const second = table(hosts, [backend('web', ['10.0.0.2'])])
const inFlight = ({ supervisor }: TestProcess, slot: number): number =>
  sumOfSlot(supervisor.memory.endpoints, supervisor.memory.endpoints.inFlight, slot)

test('ready once every worker runs the first table', limits, async (t) => {
  const p = new TestProcess(t)
  const { supervisor } = p
  const started = supervisor.start()
  await p.untilControl((report) => 'started' in report)
  assert.equal(supervisor.ready, false)
  p.sendTable(first)
  await started
  assert.equal(supervisor.ready, true)
  const { workers, table: version } = statusOf(supervisor, '1', new Date(0))
  assert.equal(version, 1)
  assert.deepEqual(
    workers.map(({ id, table: runs, state }) => ({ id, runs, state })),
    [
      { id: 0, runs: 1, state: 'running' },
      { id: 1, runs: 1, state: 'running' },
    ],
  )
})

test(
  'a change reaches every worker, and the control plane hears when it is settled',
  limits,
  async (t) => {
    const p = new TestProcess(t)
    await p.start(first)
    const version = p.sendTable(second)
    await p.untilControl(
      (r) => 'received' in r && r.received.kind === 'settled' && r.received.version === version,
    )
    assert.equal((await p.reportOf(0)).version, version)
    assert.equal((await p.reportOf(1)).version, version)
  },
)

test(
  'a worker that crashes with requests in flight is replaced, and nothing of it remains',
  limits,
  async (t) => {
    const p = new TestProcess(t)
    await p.start(first)
    const { pool, memory } = p.supervisor
    p.data({ do: 'begin' })
    await until(() => inFlight(p, 1) === 2)
    p.data({ writer: 1, do: 'crash' })
    await until(() => pool.status()[1]?.restarts.crash === 1)
    assert.equal(inFlight(p, 1), 1, 'the other worker goes on with its own')
    assert.equal(memory.workers.sum(workerCell('requests_in_flight')), 1)
    assert.equal(p.supervisor.ready, true)
    await until(() => pool.status()[1]?.state === 'running')
    assert.equal((await p.reportOf(1)).version, 1, 'the new one runs the table')
    assert.equal(pool.status()[0]?.restarts.crash, 0)
    const line = p.log.find(({ message }) => message === 'worker ended')
    assert.equal(line?.['error'], 'crashed by the test')
  },
)

test('a worker whose event loop stands still is replaced', limits, async (t) => {
  const p = new TestProcess(t, { heartbeatTimeoutMs: 2500 })
  await p.start(first)
  const { pool } = p.supervisor
  p.data({ writer: 0, do: 'begin' })
  await until(() => inFlight(p, 1) === 1)
  p.data({ writer: 0, do: 'stall' })
  await until(() => pool.status()[0]?.restarts.stalled === 1)
  await until(() => pool.status()[0]?.state === 'running')
  assert.equal(inFlight(p, 1), 0)
  assert.deepEqual(pool.status()[1]?.restarts, { crash: 0, 'out-of-memory': 0, stalled: 0 })
})

test('a tunnel that outlives its endpoint changes no other slot', limits, async (t) => {
  const p = new TestProcess(t, { workers: 1 })
  await p.start(first)
  const { feed, memory } = p.supervisor
  p.data({ do: 'begin' })
  await until(() => inFlight(p, 1) === 1)
  const versions = [p.sendTable(second), p.sendTable(first), p.sendTable(second)]
  await until(() => p.supervisor.pool.settledVersion === versions.at(-1))
  assert.equal(feed.endpointSlots.used, 2, 'the slot is kept for the tunnel')
  assert.equal(inFlight(p, 1), 1)
  assert.equal(inFlight(p, 2), 0)
  p.data({ do: 'end' })
  await until(() => inFlight(p, 1) === 0)
  assert.equal(inFlight(p, 2), 0)
  assert.ok([...memory.endpoints.inFlight].every((cell) => cell === 0))
})

test(
  'a control plane that dies is started again; its workers and versions go on',
  limits,
  async (t) => {
    const p = new TestProcess(t)
    await p.start(first)
    const { supervisor } = p
    const certificate = { certificatePem: 'a certificate', keyPem: 'a key' }
    p.post({ kind: 'certificate', certificate })
    p.post({ kind: 'diagnostics', json: '[1]', counts: { error: 1, warning: 0, info: 0 } })
    await until(() => supervisor.controlPlane.diagnosticsJson === '[1]')
    const heard = p.controlReports.length
    p.control({ do: 'crash' })
    const started = await p.untilControl((report) => 'started' in report, heard)
    assert.deepEqual(started, { started: { version: 1, certificate } })
    assert.equal(supervisor.controlPlane.restarts.crash, 1)
    assert.equal(supervisor.ready, true)
    assert.equal(supervisor.controlPlane.diagnosticsJson, '[1]', 'what it found stays visible')
    assert.equal((await p.reportOf(0)).version, 1)
    const version = p.sendTable(second)
    await until(() => supervisor.pool.settledVersion === version)
    assert.deepEqual(
      supervisor.pool.status().map(({ restarts }) => restarts.crash),
      [0, 0],
    )
  },
)

test('a control plane that runs out of heap dies alone', limits, async (t) => {
  const p = new TestProcess(t, { workers: 1 })
  await p.start(first)
  const heard = p.controlReports.length
  p.control({ do: 'exhaust-heap' })
  await p.untilControl((report) => 'started' in report, heard)
  assert.equal(p.supervisor.controlPlane.restarts['out-of-memory'], 1)
  assert.equal((await p.reportOf(0)).version, 1)
})

test('a new worker gets the table while the control plane is away', limits, async (t) => {
  const p = new TestProcess(t, { workers: 1 })
  await p.start(first)
  await p.supervisor.controlPlane.stop()
  p.data({ do: 'crash' })
  await until(() => p.supervisor.pool.status()[0]?.restarts.crash === 1)
  await until(() => p.supervisor.pool.status()[0]?.state === 'running')
  assert.equal((await p.reportOf(0)).version, 1)
})

test(
  'a table that cannot be put in force ends the start, later it is a log line',
  limits,
  async (t) => {
    const p = new TestProcess(t, { workers: 1 })
    const started = p.supervisor.start()
    await p.untilControl((report) => 'started' in report)
    await until(() => p.supervisor.pool.status()[0]?.state === 'starting')
    await p.reportOf(0)
    p.data({ do: 'refuse-tables' })
    await p.reportOf(0)
    p.sendTable(first)
    await assert.rejects(started, /cannot listen on a port of the test/)
  },
)

test('a failure after the start is logged, and the process stays ready', limits, async (t) => {
  const p = new TestProcess(t, { workers: 1 })
  await p.start(first)
  p.data({ do: 'refuse-tables' })
  await p.reportOf(0)
  const version = p.sendTable(second)
  await until(() => p.supervisor.pool.settledVersion === version)
  const line = p.log.find(({ level }) => level === 'error')
  assert.equal(line?.['error'], 'cannot listen on a port of the test')
  assert.equal(p.supervisor.ready, true)
})

test('all workers have the same ticket keys, a replaced one too', limits, async (t) => {
  const p = new TestProcess(t)
  await p.start(first)
  const { ticketKeys } = await p.reportOf(0)
  assert.equal(ticketKeys.length, 96)
  assert.equal((await p.reportOf(1)).ticketKeys, ticketKeys)
  p.data({ writer: 1, do: 'crash' })
  await until(() => p.supervisor.pool.status()[1]?.restarts.crash === 1)
  await until(() => p.supervisor.pool.status()[1]?.state === 'running')
  assert.equal((await p.reportOf(1)).ticketKeys, ticketKeys)
})

test('lines of the access log arrive from every worker', limits, async (t) => {
  const p = new TestProcess(t)
  await p.start(first)
  p.data({ do: 'log' })
  await until(() => p.accessLog.split('\n').length === 3)
  assert.deepEqual(p.accessLog.trim().split('\n').toSorted(), [
    'line of worker 0',
    'line of worker 1',
  ])
})

test('a control plane that is asked answers, or is given up', limits, async (t) => {
  const p = new TestProcess(t, { workers: 1 })
  await p.start(first)
  const { controlPlane } = p.supervisor
  assert.equal(await controlPlane.query('metrics', 10_000), 'answer to metrics')
  p.control({ do: 'be-silent' })
  await p.untilControl((report) => 'silent' in report)
  assert.equal(await controlPlane.query('metrics', 50), undefined)
  await controlPlane.stop()
  assert.equal(await controlPlane.query('metrics', 10_000), undefined)
})
