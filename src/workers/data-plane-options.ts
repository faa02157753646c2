import type { Random } from '#algorithms/random.ts'
import type { SpanSink } from '#src/exchange/span.ts'
import type { TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Logger } from '#src/observe/log.ts'
import type { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import type { LimitMemory } from '#src/shared/limit-memory.ts'
import type { RuleMemory } from '#src/shared/rule-memory.ts'
import type { WorkerMemory } from '#src/shared/worker-memory.ts'
import type { Transport } from '#src/transport/transport.ts'
import type { TableUpdate, UnopenedListener } from './messages.ts'

/** Takes finished lines of the access log, without a line end; never blocks. */
export interface LineSink {
  write(line: string): void
}

/** What a data plane is given by the worker that it runs in. */
export interface DataPlaneOptions {
  readonly transport: Transport
  readonly endpoints: EndpointMemory
  readonly rules: RuleMemory
  /** Absent: limits are this worker's alone. */
  readonly limits?: LimitMemory
  readonly worker: WorkerMemory
  /** Our column in shared memory, 0 to writers - 1. */
  readonly writer: number
  /** Advanced by the worker. */
  readonly wheel: TimerWheel
  /** Monotonic milliseconds, the same clock in all workers. */
  readonly now: () => number
  /** The same, as of this turn of the event loop; absent: there is no cheaper one than `now`. */
  readonly turnNow?: () => number
  /** Milliseconds since 1970, for logs. */
  readonly wallClock: () => number
  readonly random: Random
  readonly accessLog: LineSink
  /** Absent: nobody takes spans. */
  readonly spans?: SpanSink
  /** Addresses of listeners that name none. */
  readonly bindAddresses: readonly string[]
  /** TLS ticket keys, 48 bytes, the same in all workers. */
  readonly ticketKeys: Buffer
  /** Key of session cookies, the same in all replicas; absent or '': one that is no secret. */
  readonly sessionKey?: string
  /** For what an operator should know; bounded, never per request. */
  readonly log: Logger
  /** Nothing in this worker refers any more to an endpoint that left the table: once per endpoint that left. */
  readonly onReleasedEndpoint: (slot: number) => void
  /** Listeners that cannot be opened, all of them, whenever they are others. */
  readonly onUnopenedListeners?: (listeners: readonly UnopenedListener[]) => void
}

/** What a worker runs: the proxy in production, something simpler in tests of the process. */
export interface DataPlane {
  /** Resolves when the table is in force and its listeners are open; rejects when one cannot be opened. */
  apply(update: TableUpdate): Promise<void>
  /** New TLS connections use these from now on. */
  setTicketKeys(keys: Buffer): void
  /** Stops accepting, loses nothing accepted, finishes what is in flight; cuts the rest after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>
}
