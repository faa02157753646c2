import type { Random } from '#algorithms/random.ts'
import type { Algorithm, Balancer, EndpointColumns, Outcome, PickInput } from '../balancer.ts'
import { CarryOver, carried } from '../carry-over.ts'
import { ageAt, inFlightAt, mayPick } from '../columns.ts'
import { defaultPenaltyMs } from './latency.ts'

/** Weight of a new sample in the mean. */
const sampleShare = 0.05
/** Response times are compared in steps, and above the greatest no further. */
const bucketMs = 20
const bucketsMaxMs = 5000
/** An endpoint without a sample for so many whole seconds counts as half as slow: fail_timeout + 1. */
const halvingSeconds = 11

/**
 * Least time, as nginx has it: a scan for the least response time times connections.
 *
 * When to use: few endpoints of different speed, where two workers should come to the same choice.
 * Cost: O(n); rebuild O(n). State: the latency columns.
 * Source: nginx 1.31 least_time. Score (response time in steps of 20 ms) x (1 + in flight) /
 * weight, where the response time is a mean with weight 0.05 for the newest sample, halves while the
 * endpoint is idle, and is at least the mean age of what is in flight (where `started` is counted);
 * ties go round by smooth weighted round robin. Ours differs where peers fail:
 * an endpoint without a sample counts as the mean of the others, not as the fastest, and a failing
 * endpoint has the response time of the penalty and the longest queue, not the shortest.
 */
export const leastTime: Algorithm = {
  summary: 'The endpoint with the least response time times requests in flight for its weight.',
  keyed: false,
  create: (columns, random, options) => new LeastTime(columns, random, options.penaltyMs),
}

/** A response time in whole milliseconds as it counts: 1 to 19 are 20, 20 are 40, 4999 and above 5000. */
export function timeBucket(wholeMs: number): number {
  return wholeMs >= bucketsMaxMs ? bucketsMaxMs : wholeMs + bucketMs - (wholeMs % bucketMs)
}

class LeastTime implements Balancer {
  readonly #columns: EndpointColumns
  readonly #random: Random
  readonly #penaltyMs: number
  readonly #carryOver: CarryOver
  /** Failures in a row, up to 2. */
  #failures = new Uint8Array(0)
  #time = new Float64Array(0)
  /** Current weights of the round robin among ties. */
  #turn = new Float64Array(0)
  #ties = new Int32Array(0)

  constructor(columns: EndpointColumns, random: Random, penaltyMs = defaultPenaltyMs) {
    this.#columns = columns
    this.#random = random
    this.#penaltyMs = penaltyMs
    this.#carryOver = new CarryOver(columns)
    this.#reset()
  }

  rebuild(): void {
    const from = this.#carryOver.next()
    if (from === undefined) return
    const failures = carried(this.#failures, from)
    this.#reset()
    this.#failures = failures
  }

  #reset(): void {
    const { count, weight } = this.#columns
    this.#failures = new Uint8Array(count)
    this.#time = new Float64Array(count)
    this.#ties = new Int32Array(count)
    this.#turn = Float64Array.from({ length: count }, (_, i) => {
      return this.#random() * (weight[i] as number)
    })
  }

  pick(input: PickInput): number {
    const index = this.#least(input, false)
    return index < 0 && input.triedCount > 0 ? this.#least(input, true) : index
  }

  observe(index: number, now: number, latencyMs: number, outcome: Outcome): void {
    const { latency, updated, cell, writer } = this.#columns
    const newest = this.#newestCell(index)
    const old = latency[newest] as number
    let mean = Math.max(1, Math.round(latencyMs))
    if (outcome === 'success') {
      this.#failures[index] = 0
      if (old > 0) mean = old + (mean - old) * sampleShare
    } else {
      const again = outcome === 'overload' || this.#failures[index] !== 0
      this.#failures[index] = again ? 2 : 1
      if (!again) return
      mean = Math.max(old, this.#penaltyMs)
    }
    const own = (cell[index] as number) + writer
    latency[own] = mean
    updated[own] = now
  }

  #least(input: PickInput, again: boolean): number {
    const columns = this.#columns
    const { count, weight } = columns
    const longest = this.#readTimes(input, again)
    let tied = 0
    let leastScore = Infinity
    for (let i = 0; i < count; i++) {
      if (!mayPick(columns, i, input, again)) continue
      const inFlight = this.#failures[i] === 0 ? inFlightAt(columns, i) : longest
      const score = ((this.#time[i] as number) * (1 + inFlight)) / (weight[i] as number)
      if (score > leastScore) continue
      if (score < leastScore) tied = 0
      leastScore = score
      this.#ties[tied++] = i
    }
    return tied <= 1 ? this.#firstTie(tied) : this.#nextTie(tied)
  }

  /** Fills `#time` with the bucket of every candidate; the longest queue among them. */
  #readTimes(input: PickInput, again: boolean): number {
    const columns = this.#columns
    const time = this.#time
    let known = 0
    let sum = 0
    let longest = 0
    for (let i = 0; i < columns.count; i++) {
      time[i] = 0
      if (!mayPick(columns, i, input, again)) continue
      longest = Math.max(longest, inFlightAt(columns, i))
      const own = this.#wholeTimeAt(i, input)
      if (own === 0) continue
      time[i] = timeBucket(own)
      sum += own
      known++
    }
    const unknown = timeBucket(known === 0 ? 0 : Math.round(sum / known))
    for (let i = 0; i < columns.count; i++) if (time[i] === 0) time[i] = unknown
    return longest
  }

  /** Response time in whole milliseconds, 0 when there is none. */
  #wholeTimeAt(index: number, input: PickInput): number {
    const { latency, updated } = this.#columns
    const cell = this.#newestCell(index)
    const idleSeconds = Math.floor((input.now - (updated[cell] as number)) / 1000)
    let mean = latency[cell] as number
    for (let halving = Math.floor(idleSeconds / halvingSeconds); halving > 0; halving--) {
      mean /= 2
      if (mean < 0.5) return ageAt(this.#columns, index, input)
    }
    return Math.max(Math.round(mean), ageAt(this.#columns, index, input))
  }

  /** Every writer goes on from the newest mean, so that k writers compute what one would. */
  #newestCell(index: number): number {
    const { cell, writers, updated, latency } = this.#columns
    const first = cell[index] as number
    let newest = first
    for (let other = first + 1; other < first + writers; other++) {
      const later = (updated[other] as number) - (updated[newest] as number)
      if (later > 0 || (later === 0 && (latency[other] as number) > (latency[newest] as number))) {
        newest = other
      }
    }
    return newest
  }

  #firstTie(tied: number): number {
    return tied === 0 ? -1 : (this.#ties[0] as number)
  }

  #nextTie(tied: number): number {
    const { weight } = this.#columns
    const turn = this.#turn
    let best = this.#ties[0] as number
    let sum = 0
    for (let at = 0; at < tied; at++) {
      const index = this.#ties[at] as number
      const own = weight[index] as number
      const moved = (turn[index] as number) + own
      turn[index] = moved
      sum += own
      if (moved > (turn[best] as number)) best = index
    }
    turn[best] = (turn[best] as number) - sum
    return best
  }
}
