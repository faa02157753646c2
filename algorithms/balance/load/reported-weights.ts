import type { Random } from '#algorithms/random.ts'
import type { Algorithm, BalanceOptions, Balancer, EndpointColumns } from '../balancer.ts'
import type { LoadReport, PickInput } from '../balancer.ts'
import { CarryOver, carried } from '../carry-over.ts'
import { StaticStride } from '../turns/weighted.ts'

/** Weights are worked out so often. */
const updateMs = 1000
/** Reports of an endpoint count only from so long after its first. */
const blackoutMs = 10_000
/** A weight without a report for so long is forgotten. */
const expiryMs = 180_000
const defaultErrorPenalty = 1

/**
 * The weight that a load report stands for: requests a second per unit of utilization, where errors
 * count as extra utilization; 0 where the report says nothing.
 *
 * Source: gRPC A58, qps / (utilization + eps / qps * penalty).
 */
export function weightOf(report: LoadReport, errorPenalty = defaultErrorPenalty): number {
  const { requestsPerSecond, errorsPerSecond, utilization } = report
  if (!(requestsPerSecond > 0) || !(utilization > 0)) return 0
  const errors = errorsPerSecond > 0 ? errorsPerSecond : 0
  return requestsPerSecond / (utilization + (errors / requestsPerSecond) * errorPenalty)
}

/**
 * Client-side weighted round robin: each endpoint in proportion to what it can do, as its load
 * reports tell (requests a second per unit of utilization).
 *
 * When to use: endpoints send load reports (ORCA) and differ in size in an unknown way, as pods on
 * different machines do.
 * Cost: O(1) amortised; once a second O(n).
 * Source: gRPC A58, Envoy client_side_weighted_round_robin: blackout 10 s after the first report,
 * expiry 3 min, endpoints without a weight get the mean, fewer than two weights mean plain turns.
 * The configured weights multiply the reported ones.
 */
export const reportedWeights: Algorithm = {
  summary: 'Every endpoint in proportion to its capacity as told by its load reports (ORCA).',
  keyed: false,
  create: (columns, random, options) => new ReportedWeights(columns, random, options),
}

class ReportedWeights implements Balancer {
  readonly #columns: EndpointColumns
  readonly #errorPenalty: number
  /** The same columns with weights of our own, which the schedule reads. */
  readonly #weighted: EndpointColumns
  readonly #schedule: StaticStride
  readonly #carryOver: CarryOver
  /** Weight last reported, when that was, and when the reports began; 0: never. */
  #reported: Float64Array
  #reportedAt: Float64Array
  #firstAt: Float64Array
  #updateAt = -Infinity

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    const { count, weight } = columns
    this.#columns = columns
    this.#errorPenalty = options.errorPenalty ?? defaultErrorPenalty
    this.#weighted = { ...columns, weight: weight.slice() }
    this.#schedule = new StaticStride(this.#weighted, random)
    this.#carryOver = new CarryOver(columns)
    this.#reported = new Float64Array(count)
    this.#reportedAt = new Float64Array(count)
    this.#firstAt = new Float64Array(count)
  }

  rebuild(): void {
    const from = this.#carryOver.next()
    if (from !== undefined) {
      this.#reported = carried(this.#reported, from)
      this.#reportedAt = carried(this.#reportedAt, from)
      this.#firstAt = carried(this.#firstAt, from)
    }
    Object.assign(this.#weighted, this.#columns, { weight: this.#columns.weight.slice() })
    this.#schedule.rebuild()
    this.#updateAt = -Infinity
  }

  pick(input: PickInput): number {
    if (input.now >= this.#updateAt) this.#update(input)
    return this.#schedule.pick(input)
  }

  report(index: number, now: number, report: LoadReport): void {
    const own = weightOf(report, this.#errorPenalty)
    if (own === 0) return
    // After a silence the endpoint may be another process: it warms up anew.
    const silent = now - (this.#reportedAt[index] as number) > expiryMs
    if (this.#reported[index] === 0 || silent) this.#firstAt[index] = now
    this.#reported[index] = own
    this.#reportedAt[index] = now
  }

  #update({ now }: PickInput): void {
    this.#updateAt = now + updateMs
    const { count, weight } = this.#columns
    let sum = 0
    let known = 0
    for (let i = 0; i < count; i++) {
      const own = this.#weightAt(i, now)
      if (own === 0) continue
      sum += own
      known++
    }
    const mean = known === 0 ? 1 : sum / known
    for (let i = 0; i < count; i++) {
      const own = known < 2 ? 1 : this.#weightAt(i, now) || mean
      this.#weighted.weight[i] = (weight[i] as number) * own
    }
    this.#schedule.rebuild()
  }

  #weightAt(index: number, now: number): number {
    const own = this.#reported[index] as number
    if (own === 0 || now - (this.#reportedAt[index] as number) > expiryMs) return 0
    return now - (this.#firstAt[index] as number) < blackoutMs ? 0 : own
  }
}
