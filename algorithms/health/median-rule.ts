import { membersOf, successPercent } from './outlier-rules.ts'
import type { OutlierRule } from './outlier-rules.ts'

/** Parameters of our rule. */
export interface MedianRuleOptions {
  /** Robust z-score below which an endpoint is out. Default 3.5 (Iglewicz and Hoaglin). */
  readonly scoreMax?: number
  /** Least spread of the rates in points, so that a pool without failures does not split hairs. */
  readonly spreadMinPoints?: number
  /** The failure rate must be so many points above the median beyond doubt. */
  readonly marginPoints?: number
  readonly requestsMin?: number
  readonly hostsMin?: number
}

/**
 * Normal quantile of the bound. With it and 20 requests or more, an endpoint with 1 % of errors in a
 * sound pool is taken for bad in less than one of 10 million intervals.
 */
const boundQuantile = 4.5

/**
 * Median rule, ours: out is whoever is far below the median success rate, measured by the median
 * deviation, and whose failure rate is above the pool's beyond doubt.
 *
 * When to use: by default. Up to half of the endpoints may fail and all of them are found, where a
 * rule of means is blind from 22 % on. Small numbers of requests decide nothing by chance.
 * Cost: O(n log n) an interval.
 * Source: modified z-score 0.6745 (p - median) / MAD < -3.5, Iglewicz and Hoaglin 1993; and the lower
 * end of the Wilson interval of the failure rate above the median plus 5 points.
 */
export function medianRule(options: MedianRuleOptions = {}): OutlierRule {
  const { scoreMax = 3.5, spreadMinPoints = 1, marginPoints = 5 } = options
  const { requestsMin = 20, hostsMin = 3 } = options
  return (window) => {
    const flags = new Uint8Array(window.count)
    const members = membersOf(window, requestsMin)
    if (members.length < hostsMin) return flags
    const rates = members.map((index) => successPercent(window, index))
    const middle = median(rates)
    const spread = Math.max(spreadMinPoints, median(rates.map((rate) => Math.abs(rate - middle))))
    for (const [at, index] of members.entries()) {
      const score = (0.6745 * ((rates[at] as number) - middle)) / spread
      const failures = window.failures[index] as number
      const surely = 100 * wilsonLower(failures, window.requests[index] as number, boundQuantile)
      if (score < -scoreMax && surely > 100 - middle + marginPoints) flags[index] = 1
    }
    return flags
  }
}

/**
 * Lower end of the Wilson score interval of a share: the true share is above it but for the chance
 * that belongs to the normal quantile `z`.
 */
export function wilsonLower(hits: number, trials: number, z: number): number {
  if (trials === 0) return 0
  const share = hits / trials
  const square = (z * z) / trials
  const centre = share + square / 2
  const half = z * Math.sqrt((share * (1 - share) + square / 4) / trials)
  return Math.max(0, (centre - half) / (1 + square))
}

/** The middle value, or the mean of the two middle ones; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}
