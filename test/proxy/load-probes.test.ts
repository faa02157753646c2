import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { WorkerCellName } from '#src/shared/worker-memory.ts'
import type { LiveTarget } from '#src/proxy/live-rule.ts'
import { ProxyHarness } from '#test/support/proxy-harness.ts'
import type { FakeUpstream } from '#test/support/proxy-harness.ts'

const report = 'TEXT named_metrics.requests_in_flight=3,named_metrics.latency_ms=20'

/** A worker with endpoints that are asked under /load. */
class Probing {
  readonly harness: ProxyHarness
  readonly target: LiveTarget

  constructor(endpoints: number, probesPerRequest = 3) {
    this.harness = new ProxyHarness(endpoints)
    const { backend } = this.harness
    const balancer = backend.balancerFor({
      algorithm: 'prequal',
      options: { probesPerRequest },
      hashKey: [],
      probePath: '/load',
    })
    const [target] = this.harness.rule([]).targets
    this.target = { ...(target as LiveTarget), balancer }
  }

  /** A pick, and what is sent because of it. */
  pick(): FakeUpstream[] {
    const { services, upstreams } = this.harness
    const before = upstreams.length
    const { balancer } = this.target.balancer
    balancer.pick({
      key: 0,
      now: this.harness.now,
      tried: new Int32Array(0),
      triedCount: 0,
      session: 0,
    })
    services.loadProbes.send(this.target, this.target.balancer)
    return upstreams.slice(before)
  }

  count(outcome: 'reported' | 'unreported' | 'timeout' | 'failed' | 'skipped'): number {
    const name: WorkerCellName = `load_probes_total:${outcome}`
    return this.harness.services.worker.get(0, workerCell(name))
  }
}

test('as many distinct endpoints are asked as the rate says', () => {
  const probing = new Probing(10)
  const sent = probing.pick()
  assert.equal(new Set(sent.map(({ endpoint }) => endpoint.name)).size, 3)
  for (const { request, endpoint } of sent) assert.equal(request, `GET ${endpoint.name}/load`)
  const seldom = new Probing(10, 0.5)
  assert.deepEqual(
    Array.from({ length: 6 }, () => {
      const asked = seldom.pick()
      for (const each of asked) each.answer(200, '', ['endpoint-load-metrics', report])
      return asked.length
    }),
    [0, 1, 0, 1, 0, 1],
  )
})

test('what endpoints tell decides the next picks, and is no request of the endpoint', () => {
  const probing = new Probing(3)
  for (const sent of probing.pick()) {
    const inFlight = sent.endpoint.index === 1 ? 0 : 9
    sent.answer(200, '', [
      'endpoint-load-metrics',
      `TEXT named_metrics.requests_in_flight=${inFlight},named_metrics.latency_ms=${inFlight + 1}`,
    ])
  }
  assert.equal(probing.count('reported'), 3)
  const { balancer } = probing.target.balancer
  const input = {
    key: 0,
    now: probing.harness.now,
    tried: new Int32Array(0),
    triedCount: 0,
    session: 0,
  }
  assert.equal(balancer.pick(input), 1)
  assert.equal(probing.harness.services.endpoints.requests[2], 0)
})

for (const [kind, answer] of [
  ['unreported', (sent: FakeUpstream) => sent.answer(200)],
  ['unreported', (sent: FakeUpstream) => sent.answer(503, '', ['endpoint-load-metrics', report])],
  [
    'unreported',
    (sent: FakeUpstream) => sent.answer(200, '', ['endpoint-load-metrics', 'TEXT eps=1']),
  ],
  ['failed', (sent: FakeUpstream) => sent.handler.onUpstreamFailure('connect-refused')],
] as const) {
  test(`an endpoint that does not tell rests ever longer (${kind})`, () => {
    const probing = new Probing(1)
    for (const restMs of [1000, 2000, 4000]) {
      const [sent] = probing.pick()
      assert.ok(sent)
      answer(sent)
      probing.harness.advance(restMs - 1)
      assert.deepEqual(probing.pick(), [])
      probing.harness.advance(1)
    }
    assert.equal(probing.count(kind), 3)
    probing.pick()[0]?.answer(200, '', ['endpoint-load-metrics', report])
    assert.equal(probing.pick().length, 1)
  })
}

test('an endpoint is asked once at a time, and silence ends the probe', () => {
  const probing = new Probing(2)
  const sent = probing.pick()
  assert.equal(sent.length, 2)
  assert.deepEqual(probing.pick(), [])
  probing.harness.advance(300)
  assert.deepEqual(
    sent.map(({ resetBy }) => resetBy),
    ['cancel', 'cancel'],
  )
  assert.equal(probing.count('timeout'), 2)
})

test('probes under way are bounded in number', () => {
  const probing = new Probing(300, 16)
  let sent = 0
  for (let turn = 0; turn < 60; turn++) sent += probing.pick().length
  assert.equal(sent, 256)
  assert.ok(probing.count('skipped') > 0)
})
