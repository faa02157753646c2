import type { EndpointColumns } from '../balancer.ts'

/**
 * Factors by which requests in flight become a load per endpoint of mean weight: mean / weight, and
 * Infinity for an endpoint without weight. All 1 where weights are equal.
 */
export function perMeanWeight({ count, weight }: EndpointColumns): Float64Array {
  let sum = 0
  let members = 0
  for (let i = 0; i < count; i++) {
    sum += weight[i] as number
    if ((weight[i] as number) > 0) members++
  }
  return weight.subarray(0, count).map((own) => sum / members / own)
}
