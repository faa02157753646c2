import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Timer, TimerWheel } from '#src/exchange/timer-wheel.ts'

interface Probe {
  readonly timer: Timer
  readonly firedAt: number[]
}

function probe(wheel: TimerWheel, then?: (timer: Timer) => void): Probe {
  const firedAt: number[] = []
  const timer = new Timer({
    onTimer(fired) {
      firedAt.push(wheel.now)
      then?.(fired)
    },
  })
  return { timer, firedAt }
}

function run(wheel: TimerWheel, untilMs: number): void {
  for (let now = wheel.now; now <= untilMs; now += wheel.tickMs) wheel.advance(now)
}

test('a timer fires once, at its deadline or at most three ticks after it', () => {
  for (const delayMs of [0, 1, 49, 50, 51, 999, 60_000, 3_600_000]) {
    const wheel = new TimerWheel(12_345)
    const { timer, firedAt } = probe(wheel)
    wheel.arm(timer, delayMs)
    run(wheel, 12_345 + delayMs + 1000)
    assert.equal(firedAt.length, 1, `delay ${delayMs}`)
    const late = (firedAt[0] as number) - 12_345 - delayMs
    assert.ok(late >= 0 && late <= 3 * wheel.tickMs, `delay ${delayMs} was ${late} ms late`)
    assert.equal(wheel.size, 0)
  }
})

test('moving a deadline later costs nothing in the wheel and holds', () => {
  const wheel = new TimerWheel(0)
  const { timer, firedAt } = probe(wheel)
  wheel.arm(timer, 100)
  const { filed } = timer
  for (let now = 0; now < 5000; now += 50) {
    wheel.advance(now)
    wheel.arm(timer, 100)
  }
  assert.deepEqual(firedAt, [])
  assert.ok(filed >= 0)
  run(wheel, 6000)
  assert.equal(firedAt.length, 1)
})

test('moving a deadline earlier takes effect', () => {
  const wheel = new TimerWheel(0)
  const { timer, firedAt } = probe(wheel)
  wheel.arm(timer, 60_000)
  wheel.arm(timer, 100)
  run(wheel, 300)
  assert.equal(firedAt.length, 1)
})

test('a removed or disarmed timer does not fire, and removal leaves nothing behind', () => {
  const wheel = new TimerWheel(0)
  const removed = probe(wheel)
  const disarmed = probe(wheel)
  wheel.arm(removed.timer, 100)
  wheel.arm(disarmed.timer, 100)
  wheel.remove(removed.timer)
  wheel.disarm(disarmed.timer)
  assert.equal(wheel.size, 1)
  run(wheel, 1000)
  assert.equal(wheel.size, 0)
  assert.deepEqual([removed.firedAt, disarmed.firedAt], [[], []])
})

test('a callback may remove or arm any other timer of the same tick', () => {
  const wheel = new TimerWheel(0)
  const others: Probe[] = []
  const first = probe(wheel, () => {
    for (const { timer } of others) wheel.remove(timer)
  })
  for (let i = 0; i < 5; i++) others.push(probe(wheel))
  for (const { timer } of others) wheel.arm(timer, 100)
  // Filed last, so expired first.
  wheel.arm(first.timer, 100)
  run(wheel, 1000)
  assert.equal(first.firedAt.length, 1)
  for (const { firedAt } of others) assert.deepEqual(firedAt, [])
  assert.equal(wheel.size, 0)
})

test('after a stall of hours everything due fires once', () => {
  const wheel = new TimerWheel(0)
  const probes = Array.from({ length: 100 }, () => probe(wheel))
  for (const [i, { timer }] of probes.entries()) wheel.arm(timer, i * 977)
  wheel.advance(10 * 3_600_000)
  for (const { firedAt } of probes) assert.equal(firedAt.length, 1)
})

test('any sequence of calls agrees with a list of deadlines', () => {
  const step = fc.record({
    action: fc.constantFrom('arm', 'disarm', 'remove', 'advance'),
    timer: fc.nat(5),
    ms: fc.nat(40_000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const wheel = new TimerWheel(0, 50, 16)
      const probes = Array.from({ length: 6 }, () => probe(wheel))
      const due = probes.map(() => Infinity)
      for (const { action, timer: i, ms } of steps) {
        const { timer, firedAt } = probes[i] as Probe
        if (action === 'arm') {
          wheel.arm(timer, ms)
          due[i] = wheel.now + ms
        } else if (action === 'advance') {
          wheel.advance(wheel.now + ms)
          for (const [k, at] of due.entries()) due[k] = check(wheel, probes[k] as Probe, at)
        } else {
          if (action === 'disarm') wheel.disarm(timer)
          else wheel.remove(timer)
          due[i] = Infinity
          assert.deepEqual(firedAt, [])
        }
      }
    }),
  )
})

/** Compares a timer with its deadline in the model; gives the deadline that is left. */
function check(wheel: TimerWheel, { firedAt }: Probe, at: number): number {
  const fired = firedAt.length > 0
  if (at + 3 * wheel.tickMs <= wheel.now) assert.ok(fired, 'overdue')
  if (at > wheel.now) assert.ok(!fired, 'early')
  firedAt.length = 0
  return fired ? Infinity : at
}
