import type { Logger } from '#src/observe/log.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import type { WorkerMemory } from '#src/shared/worker-memory.ts'
import type { HealthCheck } from '#src/table/table.ts'
import { healthProblem, healthRequest } from '#src/upstream/health-request.ts'
import { claimCheck, noteCheck } from '#src/upstream/health-state.ts'
import type { LiveBackend } from '#src/upstream/live-backend.ts'
import type { LiveEndpoint } from '#src/upstream/live-endpoint.ts'
import type { PoolSettings } from '#src/upstream/pool.ts'
import { Probe } from '#src/upstream/probe.ts'
import type { ProbeContext, ProbeOutcome, ProbeOwner } from '#src/upstream/probe.ts'

/** Checks under way in one worker; what is due beyond that waits for its next turn. */
const checksMax = 64

const cells = {
  good: workerCell('health_checks_total:good'),
  failed: workerCell('health_checks_total:failed'),
  delayed: workerCell('health_checks_total:delayed'),
} as const
const ejections = workerCell('upstream_ejections_total')

/** What health checks need from their worker. */
export interface HealthChecksContext extends ProbeContext {
  readonly memory: EndpointMemory
  readonly worker: WorkerMemory
  readonly writer: number
  readonly log: Logger
  now(): number
}

/**
 * Active health checks of the backends that ask for them. Workers share the work and its result: each
 * check is taken by one of them, and an endpoint that fails is ejected in all.
 */
export class HealthChecks {
  readonly #context: HealthChecksContext
  readonly #settings = new WeakMap<PoolSettings, PoolSettings>()
  #underWay = 0

  constructor(context: HealthChecksContext) {
    this.#context = context
  }

  /** Sends the checks that are due. To be called a few times a second. */
  run(backends: Iterable<LiveBackend>): void {
    const now = this.#context.now()
    for (const live of backends) {
      const check = live.backend.healthCheck
      const pool = live.firstPool
      if (check === undefined || pool === undefined) continue
      const settings = this.#settingsFor(check, pool)
      for (const endpoint of live.endpoints) {
        if (this.#underWay >= checksMax) {
          this.#count('delayed')
          return
        }
        this.#check(live, endpoint, { check, settings, now })
      }
    }
  }

  #check(live: LiveBackend, endpoint: LiveEndpoint, { check, settings, now }: Round): void {
    const { slot } = endpoint
    // Slot 0 is shared by endpoints without one of their own.
    if (slot === 0 || !claimCheck(this.#context.memory, slot, now, check.intervalMs)) return
    this.#underWay++
    const probe = new Probe(new Answer(this, live, check), endpoint)
    probe.send(this.#context, settings, healthRequest(check))
  }

  /** A check is over. `problem` '': it was good. */
  end(live: LiveBackend, check: HealthCheck, endpoint: LiveEndpoint, problem: string): void {
    this.#underWay--
    this.#count(problem === '' ? 'good' : 'failed')
    // What has left the table may have given its slot to another.
    if (endpoint.index < 0) return
    const { memory, log, worker, writer } = this.#context
    const change = noteCheck(memory, endpoint.slot, problem === '', check)
    if (change === 'none') return
    const { namespace, name } = live.backend.service
    const fields = { service: `${namespace}/${name}`, endpoint: endpoint.name }
    if (change === 'healthy') {
      log.info('an endpoint passes its health checks again', fields)
      return
    }
    worker.add(writer, ejections, 1)
    log.warn('an endpoint fails its health checks and gets no requests', { ...fields, problem })
  }

  /**
   * How checks connect. HTTP/1 checks close their connections, so that they do not push those of requests
   * out of the idle ones; gRPC is HTTP/2 whatever the routes speak.
   */
  #settingsFor({ kind }: HealthCheck, pool: PoolSettings): PoolSettings {
    const { protocol, tls } = pool
    if (protocol === 'http2' || (protocol === 'auto' && kind === 'http')) return pool
    let settings = this.#settings.get(pool)
    const wanted = kind === 'grpc' ? 'http2' : protocol
    if (settings?.protocol !== wanted) {
      settings =
        kind === 'grpc'
          ? { protocol: 'http2', tls: tls && { ...tls, alpn: ['h2'] } }
          : { protocol, tls, connection: 'close' }
      this.#settings.set(pool, settings)
    }
    return settings
  }

  #count(kind: keyof typeof cells): void {
    const { worker, writer } = this.#context
    worker.add(writer, cells[kind], 1)
  }
}

interface Round {
  readonly check: HealthCheck
  readonly settings: PoolSettings
  readonly now: number
}

/** Takes one answer to the verdict. */
class Answer implements ProbeOwner {
  readonly #checks: HealthChecks
  readonly #live: LiveBackend
  readonly #check: HealthCheck

  constructor(checks: HealthChecks, live: LiveBackend, check: HealthCheck) {
    this.#checks = checks
    this.#live = live
    this.#check = check
  }

  onProbed(probe: Probe, outcome: ProbeOutcome): void {
    const problem = healthProblem(this.#check, probe, outcome)
    this.#checks.end(this.#live, this.#check, probe.endpoint, problem)
  }
}
