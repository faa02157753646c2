import type { PickInput } from '#algorithms/balance/balancer.ts'
import type { Random } from '#algorithms/random.ts'
import type { SpanSink } from '#src/exchange/span.ts'
import type { Roster } from '#src/exchange/roster.ts'
import type { TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Mirrors } from '#src/policies/mirror-request.ts'
import type { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import type { LimitMemory } from '#src/shared/limit-memory.ts'
import type { RuleMemory } from '#src/shared/rule-memory.ts'
import type { WorkerMemory } from '#src/shared/worker-memory.ts'
import type { UpstreamConnector } from '#src/upstream/pool.ts'
import type { Exchange } from './exchange.ts'
import type { LiveTable } from './live-table.ts'
import type { LoadProbes } from './load-probes.ts'
import type { RequestIds } from './request-ids.ts'
import type { TrustedPeers } from './trusted-peers.ts'

/** What one worker offers to its exchanges. One object a worker; exchanges keep a reference. */
export interface Services {
  /** The table in force. An exchange reads it once and keeps the rule it matched. */
  table: LiveTable
  trustedPeers: TrustedPeers
  readonly wheel: TimerWheel
  readonly random: Random
  readonly endpoints: EndpointMemory
  readonly rules: RuleMemory
  readonly limits: LimitMemory
  readonly worker: WorkerMemory
  /** Our column in shared memory. */
  readonly writer: number
  readonly requestIds: RequestIds
  readonly connector: UpstreamConnector
  readonly loadProbes: LoadProbes
  /** Filled anew for every pick. */
  readonly pickInput: PickInput
  /** Bytes of request bodies kept for another try, in all exchanges. */
  replayBytes: number
  replayBytesMax: number
  /** The worker finishes what it has and takes nothing new. */
  draining: boolean
  /** Exchanges under way; for draining. */
  exchanges: number
  /** Those that a policy has stopped: draining cancels them. */
  readonly suspended: Roster<Exchange>
  /** Monotonic milliseconds, the same clock in all workers. */
  now(): number
  /** The same as of this turn of the event loop: when the events at hand had come. */
  turnNow(): number
  /** Milliseconds since 1970, for logs. */
  wallClock(): number
  /** Copies of requests on their way to mirrors. */
  readonly mirrors: Mirrors
  readonly accessLog: AccessLog | undefined
  /** Absent: nobody takes spans. */
  readonly spans: SpanSink | undefined
}

/** Takes finished lines; never blocks. */
export interface AccessLog {
  write(line: string): void
}
