import { workerCell } from '#src/shared/worker-memory.ts'
import type { WorkerMemory } from '#src/shared/worker-memory.ts'
import { takeLoadReport } from '#src/upstream/load-reports/load-report.ts'
import { emptyReport } from '#src/upstream/load-reports/metrics.ts'
import type { LiveEndpoint } from '#src/upstream/live-endpoint.ts'
import { Probe, getRequest } from '#src/upstream/probe.ts'
import type { ProbeContext, ProbeOutcome, ProbeOwner, ProbeRequest } from '#src/upstream/probe.ts'
import type { LiveBalancer } from '#src/upstream/live-backend.ts'
import type { LiveTarget } from './live-rule.ts'

/** An answer that takes longer is no news. */
const timeoutMs = 100
/** Probes under way in one worker. */
const probesMax = 256
/** An endpoint that does not answer as it should is left alone for so long; doubles up to the maximum. */
const restMs = 1000
const restMsMax = 60_000

const cells = {
  reported: workerCell('load_probes_total:reported'),
  unreported: workerCell('load_probes_total:unreported'),
  timeout: workerCell('load_probes_total:timeout'),
  failed: workerCell('load_probes_total:failed'),
  skipped: workerCell('load_probes_total:skipped'),
} as const

/** What load probes need from their worker. */
export interface LoadProbesContext extends ProbeContext {
  readonly worker: WorkerMemory
  readonly writer: number
  now(): number
}

const report = emptyReport()

/**
 * Asks endpoints how busy they are, for balancers that want to know it (prequal): small GET requests
 * whose answers carry a load report (ORCA). Bounded in number; an endpoint is asked once at a time, and
 * one that does not tell is asked ever more seldom.
 */
export class LoadProbes {
  readonly #context: LoadProbesContext
  #underWay = 0

  constructor(context: LoadProbesContext) {
    this.#context = context
  }

  /** Sends the probes that are due after a pick. */
  send(target: LiveTarget, live: LiveBalancer): void {
    const { balancer, balance } = live
    const now = this.#context.now()
    for (let index = balancer.nextProbe?.(now) ?? -1; index >= 0;) {
      const endpoint = target.backend.endpoints[index]
      if (endpoint !== undefined && this.#mayAsk(endpoint, now)) {
        this.#underWay++
        endpoint.probing = true
        const request = requestFor(balance.probePath ?? '/')
        const probe = new Probe(new Answer(live, now, this), endpoint)
        probe.send(this.#context, target.pool, request)
      }
      index = balancer.nextProbe?.(now) ?? -1
    }
  }

  #mayAsk(endpoint: LiveEndpoint, now: number): boolean {
    if (endpoint.probing || now < endpoint.probeAfter) return false
    if (this.#underWay < probesMax) return true
    this.#count('skipped')
    return false
  }

  /** A probe is over. */
  end({ endpoint }: Probe, kind: keyof typeof cells): void {
    this.#underWay--
    this.#count(kind)
    endpoint.probing = false
    if (kind === 'reported') {
      endpoint.probesFailed = 0
      return
    }
    const rest = Math.min(restMsMax, restMs * 2 ** endpoint.probesFailed)
    endpoint.probesFailed = Math.min(endpoint.probesFailed + 1, 16)
    endpoint.probeAfter = this.#context.now() + rest
  }

  #count(kind: keyof typeof cells): void {
    const { worker, writer } = this.#context
    worker.add(writer, cells[kind], 1)
  }

  now(): number {
    return this.#context.now()
  }
}

/** Takes one answer to its balancer. */
class Answer implements ProbeOwner {
  readonly #live: LiveBalancer
  readonly #sentAt: number
  readonly #probes: LoadProbes

  constructor(live: LiveBalancer, sentAt: number, probes: LoadProbes) {
    this.#live = live
    this.#sentAt = sentAt
    this.#probes = probes
  }

  onProbed(probe: Probe, outcome: ProbeOutcome): void {
    this.#probes.end(probe, this.#kindOf(probe, outcome))
  }

  #kindOf(probe: Probe, outcome: ProbeOutcome): keyof typeof cells {
    const { response, endpoint } = probe
    if (outcome === 'timeout') return 'timeout'
    if (outcome !== 'answered' || response === undefined) return 'failed'
    if (response.status < 200 || response.status > 299) return 'unreported'
    if (takeLoadReport(response.fields, report) !== 'read') return 'unreported'
    if (Number.isNaN(report.inFlight)) return 'unreported'
    const now = this.#probes.now()
    if (Number.isNaN(report.latencyMs)) report.latencyMs = now - this.#sentAt
    if (endpoint.index >= 0) this.#live.balancer.report?.(endpoint.index, now, report)
    return 'reported'
  }
}

const requests = new Map<string, ProbeRequest>()
/** Requests kept; paths come from annotations. */
const requestsMax = 256

function requestFor(path: string): ProbeRequest {
  let request = requests.get(path)
  if (request === undefined) {
    request = getRequest(path, 'headgate-probe', timeoutMs)
    if (requests.size >= requestsMax) requests.clear()
    requests.set(path, request)
  }
  return request
}
