import type { EndpointColumns } from '../balancer.ts'
import type { WeightedDraw } from '../turns/weighted-draw.ts'
import { drawnMax } from '../turns/weighted-draw.ts'

/**
 * Factors by which requests in flight become a load per endpoint of mean weight: mean / weight, and
 * Infinity for an endpoint without weight. All are about 1 where weights are equal.
 */
function perMeanWeight({ count, weight }: EndpointColumns): Float64Array {
  let sum = 0
  let members = 0
  for (let i = 0; i < count; i++) {
    sum += weight[i] as number
    if ((weight[i] as number) > 0) members++
  }
  return weight.subarray(0, count).map((own) => sum / members / own)
}

/** Endpoints that one pick compares. */
export interface Candidates {
  /** Indices of endpoints. */
  readonly drawn: Int32Array
  /** The factors of {@link perMeanWeight}, by endpoint. */
  readonly perWeight: Float64Array
  /** All factors are 1 and need not be read, which costs more than all else about a load. */
  readonly equal: boolean
  /** To be filled: requests in flight per endpoint of mean weight, by place in `drawn`. */
  readonly load: Float64Array
}

/** Candidates for the weights as they are. */
export function candidatesOf(columns: EndpointColumns, { drawn }: WeightedDraw): Candidates {
  const { count, weight } = columns
  return {
    drawn,
    perWeight: perMeanWeight(columns),
    equal: weight.subarray(0, count).every((own) => own === weight[0]),
    load: new Float64Array(drawnMax),
  }
}

/** Fills the loads of the first `count` candidates. */
export function readLoads(columns: EndpointColumns, candidates: Candidates, count: number): void {
  const { cell, inFlight, writers } = columns
  const { drawn, perWeight, load } = candidates
  for (let at = 0; at < count; at++) {
    const index = drawn[at] as number
    const first = cell[index] as number
    let sum = inFlight[first] as number
    for (let own = first + 1; own < first + writers; own++) sum += inFlight[own] as number
    load[at] = sum > 0 ? sum * (perWeight[index] as number) : 0
  }
}
