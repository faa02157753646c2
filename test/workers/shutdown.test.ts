import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createLogger } from '#src/observe/log.ts'
import { Shutdown } from '#src/workers/shutdown.ts'
import { TestProcess, until } from './process.ts'
import { backend, table } from './tables.ts'

const limits = { timeout: 30_000 }
const log = createLogger({ format: 'json', level: 'error', now: Date.now, write: () => undefined })

async function start(t: TestContext, graceMs: number, drainTimeoutMs: number) {
  const p = new TestProcess(t)
  await p.start(table([], [backend('web', ['10.0.0.1'])]))
  const { supervisor } = p
  const shutdown = new Shutdown({
    supervisor,
    graceMs,
    drainTimeoutMs: () => drainTimeoutMs,
    log,
  })
  return { p, supervisor, shutdown }
}

async function beginRequests(p: TestProcess): Promise<void> {
  p.data({ do: 'begin' })
  const { pool } = p.supervisor
  await until(() => pool.status().every(({ requestsInFlight }) => requestsInFlight === 1))
}

test(
  'readiness fails first, the grace period changes nothing else, then workers drain',
  limits,
  async (t) => {
    const { p, supervisor, shutdown } = await start(t, 300, 60_000)
    shutdown.request('SIGTERM')
    assert.equal(supervisor.ready, false)
    const inGrace = await p.reportOf(0)
    assert.deepEqual(inGrace.drainTimeouts, [])
    await shutdown.done
    assert.deepEqual(
      supervisor.pool.status().map(({ state }) => state),
      ['drained', 'drained'],
    )
  },
)

test('what is in flight is waited for', limits, async (t) => {
  const { p, supervisor, shutdown } = await start(t, 0, 60_000)
  await beginRequests(p)
  shutdown.request('SIGTERM')
  p.data({ writer: 0, do: 'finish-drain' })
  await until(() => supervisor.pool.status()[0]?.state === 'drained')
  assert.deepEqual((await p.reportOf(1)).drainTimeouts, [60_000])
  assert.equal(supervisor.pool.status()[1]?.state, 'draining')
  p.data({ writer: 1, do: 'finish-drain' })
  await shutdown.done
})

test('a second signal ends the grace period, a third cuts what is in flight', limits, async (t) => {
  const { p, supervisor, shutdown } = await start(t, 600_000, 600_000)
  await beginRequests(p)
  shutdown.request('SIGTERM')
  shutdown.request('SIGTERM')
  await until(() => supervisor.pool.status()[0]?.state === 'draining')
  shutdown.request('SIGINT')
  await shutdown.done
})

test('a worker that dies while draining is not replaced and not waited for', limits, async (t) => {
  const { p, supervisor, shutdown } = await start(t, 0, 600_000)
  await beginRequests(p)
  shutdown.request('SIGTERM')
  p.data({ do: 'crash' })
  await shutdown.done
  assert.deepEqual(
    supervisor.pool.status().map(({ restarts }) => restarts.crash),
    [0, 0],
  )
})

test('workers that never say that they have drained do not hold the process', limits, async (t) => {
  const { p, shutdown } = await start(t, 0, 1)
  await beginRequests(p)
  shutdown.request('SIGTERM')
  await shutdown.done
})
