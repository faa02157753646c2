import type { Random } from '#algorithms/random.ts'
import type { Algorithm, BalanceOptions, Balancer, EndpointColumns } from '../balancer.ts'
import type { LoadReport, PickInput } from '../balancer.ts'
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
 * The configured weights multiply the reported ones. State: the report columns; of several writers
 * the last report counts, so that all balance by the same weights.
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
  #updateAt = -Infinity

  constructor(columns: EndpointColumns, random: Random, options: BalanceOptions) {
    this.#columns = columns
    this.#errorPenalty = options.errorPenalty ?? defaultErrorPenalty
    this.#weighted = { ...columns, weight: columns.weight.slice() }
    this.#schedule = new StaticStride(this.#weighted, random)
  }

  rebuild(): void {
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
    const { cell, writer, reported, reportedAt, reportingSince } = this.#columns
    const newest = this.#newestCell(index)
    const ours = (cell[index] as number) + writer
    // After a silence the endpoint may be another process: it warms up anew.
    const silent = now - (reportedAt[newest] as number) > expiryMs
    const begins = reported[newest] === 0 || silent
    reportingSince[ours] = begins ? now : (reportingSince[newest] as number)
    reported[ours] = own
    reportedAt[ours] = now
  }

  /** The cell of the endpoint with the last report, whoever got it. */
  #newestCell(index: number): number {
    const { cell, writers, reportedAt } = this.#columns
    const first = cell[index] as number
    let newest = first
    for (let own = first + 1; own < first + writers; own++) {
      if ((reportedAt[own] as number) > (reportedAt[newest] as number)) newest = own
    }
    return newest
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
    const { reported, reportedAt, reportingSince } = this.#columns
    const newest = this.#newestCell(index)
    if (now - (reportedAt[newest] as number) > expiryMs) return 0
    const warm = now - (reportingSince[newest] as number) >= blackoutMs
    return warm ? (reported[newest] as number) : 0
  }
}
