import type { Random } from '#algorithms/random.ts'

/**
 * What a balancer sees of its endpoints: columns indexed by endpoint, 0 to count - 1.
 *
 * `weight`, `usable` and `cell` belong to one reader. The other columns may be shared memory that
 * several balancers write at once; a balancer does not know. Endpoint i owns `writers` consecutive
 * cells there, from `cell[i]`; each cell has one writer (ours is `cell[i] + writer`), and a reader
 * combines them: gauges and sums add up, estimates as the algorithm says.
 *
 * `count` and the contents change only through {@link Balancer.rebuild}; `usable` at any time.
 */
export interface EndpointColumns {
  count: number
  /** Relative capacity, >= 0. Weight 0 is never picked. */
  weight: Float64Array
  /** 1: may be picked. 0: ejected, draining or not ready. */
  usable: Uint8Array
  /** First cell of the endpoint in the columns below. */
  cell: Int32Array
  /** Stable 32-bit hash of the endpoint's identity, for hashing and for rules that need an order. */
  identity: Uint32Array
  /** Milliseconds (the clock of `now`) since when the endpoint is in the set, for slow start. */
  since: Float64Array
  /** Cells per endpoint. */
  writers: number
  /** Which of an endpoint's cells is ours, 0 to writers - 1. */
  writer: number
  /** Gauge: requests whose response body has not ended. Written by the proxy, not by algorithms. */
  inFlight: Int32Array
  /** Estimate of the latency in milliseconds, 0: none yet. Written by `observe`. */
  latency: Float64Array
  /** When `latency` was last written, in milliseconds. */
  updated: Float64Array
  /** Weight that the load reports of the endpoint stand for, 0: none yet. Written by `report`. */
  reported: Float64Array
  /** When `reported` was last written, in milliseconds. */
  reportedAt: Float64Array
  /** When the reports began that `reported` belongs to, in milliseconds. */
  reportingSince: Float64Array
  /**
   * Sum of the start times of the requests in flight, in whole milliseconds, written by the proxy.
   * Absent: no algorithm sees how long a request has been waiting.
   */
  started?: Float64Array
  /** 1: not for new requests, but sessions bound to the endpoint go on. Absent: none is. */
  draining?: Uint8Array
}

/** The changing part of one pick. One object is filled anew for every pick. */
export interface PickInput {
  /** 32-bit hash of the request's key, 0 for algorithms that read none. */
  key: number
  /** Monotonic milliseconds. */
  now: number
  /** Endpoints that this request has already tried: the first `triedCount` of `tried`. */
  tried: Int32Array
  triedCount: number
  /**
   * Set by a pick of algorithms whose `sessions` is `key`: the key under which this endpoint is found
   * again, 1 to 2^31 - 1, or 0 for none.
   */
  session: number
}

export interface Balancer {
  /**
   * The index of an endpoint, or -1 when none is usable.
   *
   * Avoids the endpoints already tried while another is usable, and uses them again otherwise.
   * Runs once a try: it must not allocate, await or throw.
   */
  pick(input: PickInput): number
  /** The set, the weights or the identities changed. `usable` needs no call. */
  rebuild(): void
  /** One finished try: `latencyMs` to the response head. Absent where the algorithm learns nothing. */
  observe?(index: number, now: number, latencyMs: number, outcome: Outcome): void
  /**
   * What an endpoint told of itself, in an answer to a probe or in a header of a response (ORCA).
   * The object may be used again by the caller.
   */
  report?(index: number, now: number, report: LoadReport): void
  /**
   * The endpoint to probe now, or -1. To be called after a pick until it says -1; the answers come
   * back through `report`. Absent where the algorithm needs no probes.
   */
  nextProbe?(now: number): number
}

/** What an endpoint tells of its load; a field is NaN where it does not say. */
export interface LoadReport {
  /** Requests in flight at the endpoint, from all clients. */
  inFlight: number
  /** Latency in milliseconds that it has of late with about so many requests in flight. */
  latencyMs: number
  /** Utilization of its scarcest resource; 1 is full, and more is possible. */
  utilization: number
  /** Requests and errors a second that it answers. */
  requestsPerSecond: number
  errorsPerSecond: number
}

/** How a try ended, as far as an estimate of latency is concerned. */
export type Outcome = 'success' | 'failure' | 'overload'

/** One balancing algorithm: its name for users, its options, and how it starts. */
export interface Algorithm {
  /** One sentence for the reference page. */
  readonly summary: string
  /** Whether `pick` reads `key`. */
  readonly keyed: boolean
  /** What `key` is where it comes from the cookie of a session: its endpoint's identity, or its own key. */
  readonly sessions?: 'endpoint' | 'key'
  create(columns: EndpointColumns, random: Random, options: BalanceOptions): Balancer
}

/** Parameters of algorithms; every field has a default in the algorithm that reads it. */
export interface BalanceOptions {
  /** Bounded loads: no endpoint holds more than this multiple of the mean load. Infinity: off. */
  readonly boundFactor?: number
  /** Time constant of latency estimates in milliseconds. */
  readonly decayMs?: number
  /** What an overloaded or failing answer counts as in latency estimates, in milliseconds. */
  readonly penaltyMs?: number
  /** Slow start: milliseconds over which the weight of a new endpoint rises. 0: off. */
  readonly slowStartMs?: number
  /** Slow start: exponent of the rise; 1 is linear. */
  readonly slowStartAggression?: number
  /** Endpoints drawn per pick, where an algorithm draws. */
  readonly choices?: number
  /** Subset hashing: endpoints in a group. */
  readonly subsetSize?: number
  /** Prequal: probes per request, 0 for endpoints that report by themselves. May be a fraction. */
  readonly probesPerRequest?: number
  /** Weights from load reports: how much an error counts against an endpoint. */
  readonly errorPenalty?: number
}
