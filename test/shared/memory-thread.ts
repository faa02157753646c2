import { parentPort, workerData } from 'node:worker_threads'
import { processClock } from '#src/shared/clock.ts'
import { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import type { EndpointBuffers } from '#src/shared/endpoint-memory.ts'
import { RuleMemory } from '#src/shared/rule-memory.ts'
import type { RuleBuffers } from '#src/shared/rule-memory.ts'
import { WorkerMemory, workerCell } from '#src/shared/worker-memory.ts'
import type { WorkerBuffers } from '#src/shared/worker-memory.ts'

// The other side of memory.test.ts: writes as worker 1 and says what time it is here.
const { endpoints, rules, worker } = workerData as {
  endpoints: EndpointBuffers
  rules: RuleBuffers
  worker: WorkerBuffers
}
const { inFlight } = EndpointMemory.attach(endpoints)
inFlight[3 * 2 + 1] = 1
const ruleMemory = RuleMemory.attach(rules)
ruleMemory.recordExchange(ruleMemory.row(4, 0, 1), 2, 1)
const workerMemory = WorkerMemory.attach(worker)
workerMemory.add(1, workerCell('tunnels'), 2)
workerMemory.beat(1)
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window
parentPort?.postMessage(processClock()())
