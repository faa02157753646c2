/** What is under way at a backend. */
export interface ActiveWork {
  readonly requests: number
  readonly pending: number
  readonly retries: number
}

/**
 * Whether one retry more is within the share of what is under way: retries are at most
 * max(`retriesMin`, `ratio` x (requests + pending)).
 *
 * When to use: in place of {@link RetryBudget} where retries must follow the present concurrency
 * rather than the requests of the last seconds; no state of its own.
 * Cost: O(1). Source: Envoy retry_budget (20 %, at least 3).
 */
export function mayRetryAmong(active: ActiveWork, ratio = 0.2, retriesMin = 3): boolean {
  const allowed = Math.max(retriesMin, Math.floor(ratio * (active.requests + active.pending)))
  return active.retries < allowed
}
