import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Breaker } from '#algorithms/health/breaker.ts'
import { median, medianRule, wilsonLower } from '#algorithms/health/median-rule.ts'
import { OutlierDetector } from '#algorithms/health/outlier-detector.ts'
import {
  failurePercentageRule,
  successRateRule,
  successRateThreshold,
} from '#algorithms/health/outlier-rules.ts'
import type { OutcomeWindow, OutlierRule } from '#algorithms/health/outlier-rules.ts'
import { seededRandom } from '#algorithms/random.ts'
import { fill } from './support.ts'

/** Endpoints with so many requests each, of which the given share fails. */
function windowOf(failed: readonly number[], requests = 200): OutcomeWindow {
  return {
    count: failed.length,
    requests: fill(failed.length, requests),
    failures: failed.map((share) => Math.round(share * requests)),
  }
}

/** The first `bad` of `count` endpoints fail everything. */
function broken(bad: number, count: number): OutcomeWindow {
  return windowOf([...fill(bad, 1), ...fill(count - bad, 0)])
}

function flagged(rule: OutlierRule, window: OutcomeWindow): number[] {
  return [...rule(window)].flatMap((flag, index) => (flag === 1 ? [index] : []))
}

describe("Envoy's success rate rule", () => {
  test('the threshold of the known rates is 52', () => {
    assert.equal(successRateThreshold([50, 100, 100, 100, 100]), 52)
  })

  test('finds one bad of five and says nothing of fewer, or of few requests', () => {
    const rule = successRateRule()
    assert.deepEqual(flagged(rule, broken(1, 5)), [0])
    assert.deepEqual(flagged(rule, broken(1, 4)), [])
    assert.deepEqual(flagged(rule, windowOf([1, 0, 0, 0, 0], 99)), [])
  })

  test('is masked from 21.7 % of bad endpoints on, as computed', () => {
    const rule = successRateRule()
    for (const count of [5, 10, 20, 46]) {
      for (let bad = 1; bad < count / 2; bad++) {
        const found = flagged(rule, broken(bad, count)).length
        // Those that fail lie sqrt((n - b) / b) deviations below the mean.
        assert.equal(found, Math.sqrt((count - bad) / bad) > 1.9 ? bad : 0, `${bad} of ${count}`)
      }
    }
  })
})

test("Envoy's failure percentage rule finds what fails 85 %", () => {
  assert.deepEqual(flagged(failurePercentageRule(), windowOf([0.85, 0.84, 0, 1, 0], 100)), [0, 3])
})

describe('the median rule', () => {
  const rule = medianRule()

  test('finds what masks itself in the rule of means', () => {
    for (const [bad, count] of [
      [1, 3],
      [1, 4],
      [2, 5],
      [3, 10],
      [5, 20],
      [9, 20],
    ] as const) {
      assert.deepEqual(
        flagged(rule, broken(bad, count)),
        Array.from({ length: bad }, (_, i) => i),
      )
    }
  })

  test('says nothing when all are equally bad, or as good', () => {
    assert.deepEqual(flagged(rule, windowOf(fill(10, 0.3))), [])
    assert.deepEqual(flagged(rule, windowOf(fill(10, 0))), [])
    assert.deepEqual(flagged(rule, broken(2, 2)), [])
  })

  test('needs more than a few points, and more than a few requests', () => {
    assert.deepEqual(flagged(rule, windowOf([0.05, ...fill(9, 0)], 1000)), [])
    assert.deepEqual(flagged(rule, windowOf([0.1, ...fill(9, 0)], 1000)), [0])
    assert.deepEqual(flagged(rule, windowOf([0.1, ...fill(9, 0)], 20)), [])
    assert.deepEqual(flagged(rule, windowOf([1, ...fill(9, 0)], 19)), [])
    assert.deepEqual(flagged(rule, windowOf([1, ...fill(9, 0)], 20)), [0])
  })

  test('takes a sound endpoint with 1 % of errors for bad in less than one of a million intervals', () => {
    for (let requests = 20; requests <= 2000; requests = Math.ceil(requests * 1.07)) {
      const least = leastFlagged(rule, requests)
      assert.ok(binomialTail(requests, 0.01, least) < 1e-6, `${requests} requests`)
    }
  })

  test('and in none of 200,000 simulated ones', () => {
    const random = seededRandom(5)
    for (let interval = 0; interval < 10_000; interval++) {
      const requests = 20 + Math.floor(random() * 100)
      const failures = fill(20, 0).map(() => {
        let failed = 0
        for (let i = 0; i < requests; i++) if (random() < 0.01) failed++
        return failed
      })
      assert.deepEqual(flagged(rule, { count: 20, requests: fill(20, requests), failures }), [])
    }
  })

  test('median and Wilson bound', () => {
    assert.equal(median([3, 1, 2]), 2)
    assert.equal(median([4, 1, 2, 3]), 2.5)
    assert.ok(Number.isNaN(median([])))
    // Wilson's interval for 10 of 100 at 95 %: 5.52 % to 17.44 %.
    assert.ok(Math.abs(wilsonLower(10, 100, 1.959964) - 0.0552) < 5e-5)
    assert.equal(wilsonLower(0, 0, 2), 0)
    assert.equal(wilsonLower(0, 50, 2), 0)
  })
})

/** Failures from which on the rule flags one endpoint of a pool without failures. */
function leastFlagged(rule: OutlierRule, requests: number): number {
  for (let failures = 1; failures <= requests; failures++) {
    const window = { count: 5, requests: fill(5, requests), failures: [failures, 0, 0, 0, 0] }
    if (rule(window)[0] === 1) return failures
  }
  return requests + 1
}

/** Chance of at least `hits` in so many trials. */
function binomialTail(trials: number, share: number, hits: number): number {
  let term = (1 - share) ** trials
  let below = 0
  let tail = 0
  for (let k = 0; k <= Math.min(trials, hits + 200); k++) {
    if (k < hits) below += term
    else tail += term
    term *= ((trials - k) / (k + 1)) * (share / (1 - share))
  }
  return below > 1 ? 0 : tail
}

describe('outlier detector', () => {
  test('puts an endpoint out at the fifth failure in a row', () => {
    const detector = new OutlierDetector(10)
    for (let i = 0; i < 4; i++) assert.ok(!detector.record(3, 0, false))
    detector.record(3, 0, true)
    for (let i = 0; i < 4; i++) assert.ok(!detector.record(3, 0, false))
    assert.ok(detector.record(3, 0, false))
    assert.ok(detector.isEjected(3))
    assert.equal(detector.ejectedCount, 1)
  })

  test('puts outliers out at the end of an interval, as many as may be', () => {
    const detector = new OutlierDetector(20, { failuresInARow: 0 })
    for (let request = 0; request < 100; request++) {
      for (let i = 0; i < 20; i++) detector.record(i, 0, i >= 9)
    }
    detector.sweep(10_000)
    assert.equal(detector.ejectedCount, 2)
    assert.ok(detector.isEjected(0) && detector.isEjected(1))
    // The next interval has no requests, so nobody is put out.
    detector.sweep(20_000)
    assert.equal(detector.ejectedCount, 2)
  })

  test('stays out for 30 s, 60 s and so on up to 300 s when it fails again at once', () => {
    const detector = new OutlierDetector(10)
    let now = 0
    const times: number[] = []
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 5; i++) detector.record(0, now, false)
      const start = now
      while (detector.isEjected(0)) {
        now += 10_000
        detector.sweep(now)
      }
      times.push((now - start) / 1000)
    }
    assert.deepEqual(times, [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300])
  })

  test('intervals in peace wear the counter down', () => {
    const detector = new OutlierDetector(10)
    const ejectAt = (now: number): void => {
      for (let i = 0; i < 5; i++) detector.record(0, now, false)
    }
    ejectAt(0)
    detector.sweep(30_000)
    ejectAt(30_000)
    detector.sweep(90_000)
    assert.ok(!detector.isEjected(0))
    for (let interval = 1; interval <= 2; interval++) detector.sweep(90_000 + interval * 10_000)
    ejectAt(120_000)
    detector.sweep(149_999)
    assert.ok(detector.isEjected(0))
    detector.sweep(150_000)
    assert.ok(!detector.isEjected(0))
  })

  test('one of few may be out where ours allows it, none in Envoy', () => {
    const ours = new OutlierDetector(3)
    const envoy = new OutlierDetector(3, { ejectAtLeastOne: false })
    for (let i = 0; i < 5; i++) {
      ours.record(0, 0, false)
      envoy.record(0, 0, false)
      ours.record(1, 0, false)
    }
    assert.equal(ours.ejectedCount, 1)
    assert.equal(envoy.ejectedCount, 0)
  })

  test('follows endpoints when the set changes', () => {
    const detector = new OutlierDetector(3)
    for (let i = 0; i < 5; i++) detector.record(2, 0, false)
    detector.rebuild(Int32Array.of(2, -1, 0, 1))
    assert.ok(detector.isEjected(0))
    assert.equal(detector.ejectedCount, 1)
    detector.rebuild(Int32Array.of(1, 2))
    assert.equal(detector.ejectedCount, 0)
  })
})

function failTimes(breaker: Breaker, now: number, times: number): void {
  for (let i = 0; i < times; i++) breaker.record(breaker.allow(now), now, false)
}

describe('breaker', () => {
  test('opens at the ratio, with enough results, and lets nothing through', () => {
    const breaker = new Breaker({ resultsMin: 10 })
    for (let i = 0; i < 6; i++) breaker.record(breaker.allow(0), 0, true)
    failTimes(breaker, 0, 5)
    assert.equal(breaker.state(0), 'closed')
    failTimes(breaker, 0, 1)
    assert.equal(breaker.state(0), 'open')
    assert.equal(breaker.allow(4999), 0)
  })

  test('too few results never open it, and old ones do not count', () => {
    const breaker = new Breaker({ resultsMin: 10 })
    failTimes(breaker, 0, 9)
    assert.equal(breaker.state(0), 'closed')
    failTimes(breaker, 10_000, 9)
    assert.equal(breaker.state(10_000), 'closed')
    failTimes(breaker, 10_000, 1)
    assert.equal(breaker.state(10_000), 'open')
  })

  test('lets one probe through, and everything after its success', () => {
    const breaker = new Breaker({ resultsMin: 1 })
    failTimes(breaker, 0, 1)
    assert.equal(breaker.state(5000), 'half-open')
    const probe = breaker.allow(5000)
    assert.notEqual(probe, 0)
    assert.equal(breaker.allow(5001), 0)
    breaker.record(probe, 5100, true)
    assert.equal(breaker.state(5100), 'closed')
    assert.ok(breaker.allow(5100) > 0 && breaker.allow(5100) > 0)
  })

  test('a probe that fails opens it for twice as long, up to the maximum', () => {
    const breaker = new Breaker({ resultsMin: 1, openMs: 1000, openMaxMs: 5000 })
    failTimes(breaker, 0, 1)
    let now = 0
    const probeNext = (success: boolean): number => {
      const start = now
      let ticket = breaker.allow(now)
      for (; ticket === 0; ticket = breaker.allow(now)) now += 500
      breaker.record(ticket, now, success)
      return now - start
    }
    const times = Array.from({ length: 5 }, () => probeNext(false))
    assert.deepEqual(times, [1000, 2000, 4000, 5000, 5000])
    probeNext(true)
    failTimes(breaker, now, 1)
    assert.equal(breaker.allow(now + 999), 0)
    assert.notEqual(breaker.allow(now + 1000), 0)
  })

  test('results of requests from before it opened change nothing', () => {
    const breaker = new Breaker({ resultsMin: 1 })
    const early = breaker.allow(0)
    failTimes(breaker, 0, 1)
    breaker.record(early, 100, true)
    assert.equal(breaker.state(100), 'open')
    const probe = breaker.allow(5000)
    breaker.record(early, 5000, true)
    assert.equal(breaker.state(5000), 'half-open')
    breaker.record(probe, 5000, true)
    assert.equal(breaker.state(5000), 'closed')
    breaker.record(early, 5000, false)
    assert.equal(breaker.state(5000), 'closed')
  })

  test('a probe that is lost makes room for another', () => {
    const breaker = new Breaker({ resultsMin: 1, openMs: 1000 })
    failTimes(breaker, 0, 1)
    const lost = breaker.allow(1000)
    assert.notEqual(lost, 0)
    assert.equal(breaker.allow(2000), 0)
    const second = breaker.allow(3000)
    assert.notEqual(second, 0)
    breaker.record(lost, 3001, false)
    assert.equal(breaker.state(3001), 'half-open')
    breaker.record(second, 3002, true)
    assert.equal(breaker.state(3002), 'closed')
  })
})
