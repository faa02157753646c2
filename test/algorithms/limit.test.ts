import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { mayRetryAmong } from '#algorithms/limit/active-retry-budget.ts'
import { CircuitLimits, circuitCells } from '#algorithms/limit/circuit-limits.ts'
import { gcraAdmit, gcraRate, gcraRemaining, gcraWaitMs } from '#algorithms/limit/gcra.ts'
import { demandShare, replicaShare } from '#algorithms/limit/replica-share.ts'
import { RetryBudget } from '#algorithms/limit/retry-budget.ts'
import { RetryThrottle } from '#algorithms/limit/retry-throttle.ts'
import { SlidingWindow, slidingCount } from '#algorithms/limit/sliding-window.ts'
import { TokenBucket } from '#algorithms/limit/token-bucket.ts'
import { seededRandom } from '#algorithms/random.ts'
import { fill } from './support.ts'

describe('GCRA', () => {
  test('decides the known arrivals as known', () => {
    const rate = gcraRate(10, 5)
    const arrivals = [0, 0, 0, 0, 0, 0, 50, 100, 100, 1000, 1000, 1000, 1000, 1000, 1000]
    let arrivalAt = 0
    const verdicts = arrivals.map((now) => {
      const next = gcraAdmit(rate, arrivalAt, now)
      if (next < 0) return 'D'
      arrivalAt = next
      return 'A'
    })
    assert.equal(verdicts.join(''), 'AAAAADDADAAAAAD')
  })

  test('equals a token bucket on a million arrivals', () => {
    const random = seededRandom(1)
    let requests = 0
    while (requests < 1_000_000) {
      // Whole intervals keep both sides exact.
      const intervalMs = 1 + Math.floor(random() * 64)
      const burst = 1 + Math.floor(random() * 8)
      const bucket = new WholeBucket(intervalMs, burst)
      const rate = { intervalMs, toleranceMs: (burst - 1) * intervalMs }
      let arrivalAt = 0
      let now = 0
      for (let i = 0; i < 1000; i++, requests++) {
        now += Math.floor(random() * random() * 3 * intervalMs)
        const next = gcraAdmit(rate, arrivalAt, now)
        if (bucket.tryTake(now) !== next >= 0)
          assert.fail(`interval ${intervalMs} burst ${burst} at ${now}`)
        if (next >= 0) arrivalAt = next
      }
    }
  })

  test('says how long to wait and how much is left, and keeps its word', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(300), { maxLength: 40 }),
        (perSecond, burst, gaps) => {
          const rate = gcraRate(perSecond, burst)
          let arrivalAt = 0
          let now = 1000
          for (const gap of gaps) {
            now += gap
            const left = gcraRemaining(rate, arrivalAt, now)
            let admitted = 0
            let at = arrivalAt
            for (
              let next = gcraAdmit(rate, at, now);
              next >= 0 && admitted < 30;
              next = gcraAdmit(rate, at, now)
            ) {
              at = next
              admitted++
            }
            assert.ok(Math.abs(left - admitted) <= (Number.isInteger(rate.intervalMs) ? 0 : 1))
            const wait = gcraWaitMs(rate, at, now)
            assert.ok(wait > 0)
            assert.ok(gcraAdmit(rate, at, now + wait + 1e-6) >= 0)
            if (left > 0) arrivalAt = gcraAdmit(rate, arrivalAt, now)
          }
        },
      ),
      { seed: 1 },
    )
  })
})

/** A token bucket in whole milliseconds: exact. */
class WholeBucket {
  readonly #intervalMs: number
  readonly #full: number
  #millis: number
  #at = 0

  constructor(intervalMs: number, burst: number) {
    this.#intervalMs = intervalMs
    this.#full = burst * intervalMs
    this.#millis = this.#full
  }

  tryTake(now: number): boolean {
    this.#millis = Math.min(this.#full, this.#millis + now - this.#at)
    this.#at = now
    if (this.#millis < this.#intervalMs) return false
    this.#millis -= this.#intervalMs
    return true
  }
}

describe('token bucket', () => {
  test('admits no more than burst + rate x time in any time', () => {
    const bucket = new TokenBucket(100, 10, 0)
    const random = seededRandom(2)
    const admitted: number[] = []
    for (let now = 0; now < 20_000; now += random() * 5) if (bucket.tryTake(now)) admitted.push(now)
    for (let i = 0; i < admitted.length; i += 7) {
      for (let j = i; j < Math.min(admitted.length, i + 300); j++) {
        const time = (admitted[j] as number) - (admitted[i] as number)
        assert.ok(j - i + 1 <= 10 + time / 10 + 1e-6)
      }
    }
    assert.ok(Math.abs(admitted.length - 2010) < 5)
  })

  test('takes what a request costs, or nothing', () => {
    const bucket = new TokenBucket(1, 10, 0)
    assert.ok(!bucket.tryTake(0, 11))
    assert.ok(bucket.tryTake(0, 7))
    assert.ok(!bucket.tryTake(0, 4))
    assert.equal(bucket.tokens(1000), 4)
    assert.ok(bucket.tryTake(1000, 4))
  })

  test('a clock that steps back gives nothing', () => {
    const bucket = new TokenBucket(1000, 1, 5000)
    assert.ok(bucket.tryTake(5000))
    assert.ok(!bucket.tryTake(4000))
    assert.ok(!bucket.tryTake(5000))
  })
})

describe('sliding window', () => {
  test('counts the previous window by the part that is still covered', () => {
    assert.equal(slidingCount(42, 18, 15 / 60), 49.5)
  })

  test('the known case, through the counter', () => {
    const window = new SlidingWindow(50, 60_000)
    for (let i = 0; i < 42; i++) assert.ok(window.tryTake(i * 1000))
    for (let i = 0; i < 18; i++) assert.ok(window.tryTake(74_999))
    assert.equal(window.count(75_000), 49.5)
    assert.ok(!window.tryTake(75_000))
    assert.ok(window.tryTake(76_000))
  })

  test('a burst at the turn of a window does not pass twice', () => {
    const window = new SlidingWindow(100, 1000)
    let admitted = 0
    for (let i = 0; i < 200; i++) if (window.tryTake(990)) admitted++
    for (let i = 0; i < 200; i++) if (window.tryTake(1010)) admitted++
    assert.ok(admitted <= 101, `${admitted}`)
  })

  test('forgets after two windows', () => {
    const window = new SlidingWindow(1, 1000)
    assert.ok(window.tryTake(500))
    assert.ok(!window.tryTake(1200))
    assert.ok(window.tryTake(2100))
  })
})

describe('replica share', () => {
  test('parts add up to the limit, whatever the replicas', () => {
    for (const limit of [0, 1, 7, 100]) {
      for (let replicas = 1; replicas <= 9; replicas++) {
        const parts = Array.from({ length: replicas }, (_, i) => replicaShare(limit, replicas, i))
        assert.equal(
          parts.reduce((sum, own) => sum + own, 0),
          limit,
        )
        assert.ok(Math.max(...parts) - Math.min(...parts) <= 1)
        assert.deepEqual(
          parts,
          parts.toSorted((a, b) => b - a),
        )
      }
    }
  })

  test('parts by demand add up to the limit, and nobody gets less than the fair part he wants', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(500), { minLength: 1, maxLength: 8 }),
        fc.nat(1000),
        (demands, limit) => {
          const parts = demands.map((_, i) => demandShare(limit, demands, i))
          const sum = parts.reduce((all, own) => all + own, 0)
          assert.ok(Math.abs(sum - limit) < 1e-6 * (1 + limit))
          parts.forEach((part, i) => {
            const fair = Math.min(demands[i] as number, limit / demands.length)
            assert.ok(part >= fair - 1e-6)
          })
        },
      ),
      { seed: 1 },
    )
  })

  test('clients of 90 to 10 get the whole limit and hardly more, with demands a second old', () => {
    const limit = 1000
    const random = seededRandom(3)
    let told = [limit, limit]
    let offered = fill(2, 0)
    let admitted = 0
    const buckets = [new TokenBucket(limit / 2, 50, 0), new TokenBucket(limit / 2, 50, 0)]
    for (let now = 0; now < 30_000; now++) {
      if (now % 1000 === 0 && now > 0) {
        told = offered
        offered = fill(2, 0)
        told.forEach((_, i) => (buckets[i] = new TokenBucket(demandShare(limit, told, i), 50, now)))
        // A new bucket would begin full: what it may burst was there before.
        for (const bucket of buckets) bucket.tryTake(now, 50)
      }
      // 1,500 requests a second, nine of ten at the first replica.
      for (let i = 0; i < 2; i++) {
        if (random() > 0.75) continue
        const replica = random() < 0.9 ? 0 : 1
        offered[replica] = (offered[replica] as number) + 1
        if (buckets[replica]?.tryTake(now) === true && now >= 5000) admitted++
      }
    }
    const perSecond = admitted / 25
    assert.ok(perSecond <= limit * 1.05 && perSecond >= limit * 0.95, `${perSecond}`)
    assert.ok(replicaShare(limit, 2, 0) + 150 < limit * 0.7)
  })
})

describe('circuit limits', () => {
  test('admit up to the limit and not one more, and count each resource by itself', () => {
    const limits = new CircuitLimits(new Int32Array(circuitCells(1)))
    for (let i = 0; i < 3; i++) assert.ok(limits.tryTake('retries'))
    assert.ok(!limits.tryTake('retries'))
    for (let i = 0; i < 1024; i++) assert.ok(limits.tryTake('requests'))
    assert.ok(!limits.tryTake('requests'))
    limits.release('requests')
    assert.ok(limits.tryTake('requests'))
    assert.equal(limits.inUse('connections'), 0)
  })

  test('writers share a limit, and the cells of a dead one can be set to 0', () => {
    const gauges = new Int32Array(circuitCells(2))
    const one = new CircuitLimits(gauges, { writers: 2, writer: 0 }, { pending: 5 })
    const two = new CircuitLimits(gauges, { writers: 2, writer: 1 }, { pending: 5 })
    for (let i = 0; i < 3; i++) assert.ok(one.tryTake('pending'))
    for (let i = 0; i < 2; i++) assert.ok(two.tryTake('pending'))
    assert.ok(!one.tryTake('pending') && !two.tryTake('pending'))
    for (let cell = 0; cell < gauges.length; cell += 2) gauges[cell] = 0
    assert.equal(two.inUse('pending'), 2)
    assert.ok(two.tryTake('pending'))
  })
})

describe('retry budget', () => {
  test("a fresh one holds 100, and five requests pay for one more: Finagle's figures", () => {
    const budget = new RetryBudget()
    assert.equal(budget.balance(0), 100)
    for (let k = 1; k <= 57; k++) {
      budget.onRequest(k)
      assert.equal(budget.balance(k), 100 + Math.floor(k / 5))
    }
  })

  test('deposits expire after ten seconds', () => {
    const budget = new RetryBudget()
    for (let i = 0; i < 500; i++) budget.onRequest(500)
    assert.equal(budget.balance(9999), 200)
    assert.equal(budget.balance(10_000), 100)
  })

  test('draws come back after ten seconds: ten a second for those without requests', () => {
    const budget = new RetryBudget()
    let retries = 0
    for (let now = 0; now < 60_000; now += 10) if (budget.tryRetry(now)) retries++
    assert.equal(retries, 600)
    assert.equal(budget.balance(60_000), 100)
  })

  test('in a total outage the backend sees at most 1.2 times the requests, and ten a second', () => {
    const budget = new RetryBudget()
    let upstream = 0
    for (let now = 0; now < 60_000; now++) {
      budget.onRequest(now)
      upstream++
      for (let again = 0; again < 3 && budget.tryRetry(now); again++) upstream++
    }
    const perSecond = upstream / 60
    assert.ok(perSecond <= 1.02 * (1200 + 10), `${perSecond}`)
    assert.ok(perSecond >= 0.98 * 1200)
  })

  test('with a share of nothing only the least rate is left', () => {
    const budget = new RetryBudget({ ratio: 0, retriesPerSecondMin: 2, windowMs: 5000 })
    for (let i = 0; i < 100; i++) budget.onRequest(0)
    assert.equal(budget.balance(0), 10)
    const none = new RetryBudget({ retriesPerSecondMin: 0 })
    assert.ok(!none.tryRetry(0))
  })

  test("Envoy's budget is a share of what is under way, three at least", () => {
    assert.ok(mayRetryAmong({ requests: 1, pending: 0, retries: 2 }))
    assert.ok(!mayRetryAmong({ requests: 1, pending: 0, retries: 3 }))
    assert.ok(mayRetryAmong({ requests: 80, pending: 20, retries: 19 }))
    assert.ok(!mayRetryAmong({ requests: 80, pending: 20, retries: 20 }))
  })

  test("gRPC's throttle stops at half of its tokens and recovers by tenths", () => {
    const throttle = new RetryThrottle()
    for (let i = 0; i < 4; i++) throttle.onFailure()
    assert.ok(throttle.mayRetry)
    throttle.onFailure()
    assert.equal(throttle.tokens, 5)
    assert.ok(!throttle.mayRetry)
    throttle.onSuccess()
    assert.equal(throttle.tokens, 5.1)
    assert.ok(throttle.mayRetry)
    for (let i = 0; i < 99; i++) throttle.onFailure()
    assert.equal(throttle.tokens, 0)
    for (let i = 0; i < 200; i++) throttle.onSuccess()
    assert.equal(throttle.tokens, 10)
  })
})
