/** Results of the endpoints of one backend in one interval, columns by endpoint. */
export interface OutcomeWindow {
  readonly count: number
  readonly requests: ArrayLike<number>
  readonly failures: ArrayLike<number>
}

/** A rule names the endpoints that are worse than the others: 1 by index. */
export type OutlierRule = (window: OutcomeWindow) => Uint8Array

/** Parameters of Envoy's rule of success rates. */
export interface SuccessRateOptions {
  /** Endpoints with enough requests below which the rule says nothing. Default 5. */
  readonly hostsMin?: number
  /** Requests in the interval below which an endpoint does not count. Default 100. */
  readonly requestsMin?: number
  /** Standard deviations below the mean. Default 1.9. */
  readonly factor?: number
}

/**
 * Success rate, as Envoy has it: out is whoever is below the mean less 1.9 standard deviations (of
 * the population).
 *
 * When to use: for people who come from Envoy. **It can be masked**: b failing endpoints of n lie
 * sqrt((n - b) / b) deviations below the mean, so two of five, three of ten or five of twenty are
 * never found. The median rule finds them.
 * Cost: O(n) an interval. Source: Envoy outlier detection.
 */
export function successRateRule(options: SuccessRateOptions = {}): OutlierRule {
  const { hostsMin = 5, requestsMin = 100, factor = 1.9 } = options
  return (window) => {
    const flags = new Uint8Array(window.count)
    const members = membersOf(window, requestsMin)
    if (members.length < Math.max(1, hostsMin)) return flags
    const threshold = successRateThreshold(
      members.map((index) => successPercent(window, index)),
      factor,
    )
    for (const index of members) if (successPercent(window, index) < threshold) flags[index] = 1
    return flags
  }
}

/** Mean less `factor` standard deviations, in the unit of the rates. */
export function successRateThreshold(rates: readonly number[], factor = 1.9): number {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
  const squares = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0)
  return mean - factor * Math.sqrt(squares / rates.length)
}

/** Parameters of Envoy's rule of failure percentages. */
export interface FailurePercentageOptions {
  readonly hostsMin?: number
  readonly requestsMin?: number
  /** Default 85. */
  readonly percentMax?: number
}

/**
 * Failure percentage, as Envoy has it: out is whoever fails at least 85 % of 50 requests or more.
 *
 * When to use: beside a relative rule, for what is bad in itself. Cost: O(n) an interval.
 */
export function failurePercentageRule(options: FailurePercentageOptions = {}): OutlierRule {
  const { hostsMin = 5, requestsMin = 50, percentMax = 85 } = options
  return (window) => {
    const flags = new Uint8Array(window.count)
    const members = membersOf(window, requestsMin)
    if (members.length < hostsMin) return flags
    for (const index of members) {
      if (100 - successPercent(window, index) >= percentMax) flags[index] = 1
    }
    return flags
  }
}

/** Endpoints with enough requests. */
export function membersOf({ count, requests }: OutcomeWindow, requestsMin: number): number[] {
  const members: number[] = []
  for (let i = 0; i < count; i++) if ((requests[i] as number) >= requestsMin) members.push(i)
  return members
}

/** Success rate of an endpoint in points, 0 to 100. */
export function successPercent({ requests, failures }: OutcomeWindow, index: number): number {
  return 100 * (1 - (failures[index] as number) / (requests[index] as number))
}
