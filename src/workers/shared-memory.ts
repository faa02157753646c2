import { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import { LimitMemory } from '#src/shared/limit-memory.ts'
import { LogRing } from '#src/shared/log-ring.ts'
import { RuleMemory } from '#src/shared/rule-memory.ts'
import { WorkerMemory } from '#src/shared/worker-memory.ts'

/** Bytes of the access log that may wait per worker. */
const accessLogBytes = 1 << 21

/** Clients under limits that are remembered at once; a power of two. */
const limitedClients = 1 << 18

/** Everything that the threads share. It outlives them all. */
export interface SharedMemory {
  readonly writers: number
  readonly endpoints: EndpointMemory
  readonly rules: RuleMemory
  readonly limits: LimitMemory
  readonly workers: WorkerMemory
  /** One per worker. */
  readonly accessLogs: readonly LogRing[]
}

/** Reserves the memory of `writers` workers; slots include the overflow slot. */
export function createSharedMemory(
  writers: number,
  endpointSlots: number,
  ruleSlots: number,
): SharedMemory {
  return {
    writers,
    endpoints: EndpointMemory.create(endpointSlots, writers),
    rules: RuleMemory.create(ruleSlots, writers),
    limits: LimitMemory.create(limitedClients, writers),
    workers: WorkerMemory.create(writers),
    accessLogs: Array.from({ length: writers }, () => LogRing.create(accessLogBytes)),
  }
}
