import { algorithms, sessionsOf } from '#algorithms/balance/index.ts'
import type {
  Algorithm,
  Balancer,
  EndpointColumns,
  PickInput,
} from '#algorithms/balance/balancer.ts'
import { hashText } from '#algorithms/hash.ts'
import type { Random } from '#algorithms/random.ts'
import type { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import type { Backend, Balance, Endpoint } from '#src/table/table.ts'
import { forgetChecks } from './health-state.ts'
import { LiveEndpoint } from './live-endpoint.ts'
import type { PoolSettings } from './pool.ts'
import { BackendSessions } from './sessions.ts'

/** What a backend needs from its worker. */
export interface BackendContext {
  readonly memory: EndpointMemory
  /** Our column in shared memory. */
  readonly writer: number
  readonly random: Random
  /** Of session cookies; absent: one that is no secret. See `sessionSecret`. */
  readonly sessionSecret?: Uint8Array | undefined
  /** Monotonic milliseconds, the same clock in every worker. */
  now(): number
  /** The backend began to hold endpoints back; `readmit` is due until it says no. */
  onEjected(backend: LiveBackend): void
  /** Nothing here refers to the endpoint any more. */
  onReleased(endpoint: LiveEndpoint): void
}

/** A balancer in use, shared by all rules that balance this backend in the same way. */
export interface LiveBalancer {
  readonly keyed: boolean
  /** What its sessions are known by, where it has such. */
  readonly sessions: Algorithm['sessions']
  /** It wants to know what endpoints tell of their load; asked once a try, so kept at hand. */
  readonly reads: boolean
  /** It asks endpoints for it. */
  readonly probes: boolean
  readonly balance: Balance
  readonly balancer: Balancer
  /** Rules that use it. */
  users: number
}

/**
 * The endpoints of one backend and their balancers. It outlives tables: an update changes it in
 * place, so that no rule needs to be linked again and an endpoint that stays keeps its history.
 */
export class LiveBackend {
  readonly key: string
  backend: Backend
  endpoints: LiveEndpoint[] = []
  /** Endpoints that may be picked when all are well. */
  eligible = 0
  /** Endpoints this worker holds back as ejected. */
  ejected = 0
  /** Targets of rules that refer to it. */
  users = 0
  /** The table names it; false while a rule refers to a backend that is not (or no longer) there. */
  named = true
  readonly columns: EndpointColumns
  /** Keeps each client at one endpoint, where the Service asks for that (sessionAffinity: ClientIP). */
  affinity: LiveBalancer | undefined
  /** Session cookies of its endpoints, once a rule balances by them. */
  sessions: BackendSessions | undefined
  /** How rules connect to it, and how many of their targets do so. */
  readonly #pools = new Map<PoolSettings, number>()
  readonly #balancers = new Map<string, LiveBalancer>()
  readonly #context: BackendContext

  constructor(backend: Backend, slots: Int32Array, context: BackendContext) {
    this.key = backend.key
    this.backend = backend
    this.#context = context
    this.columns = emptyColumns(context)
    this.update(backend, slots)
  }

  /** Puts another list of endpoints in force. `slots` is parallel to `backend.endpoints`. */
  update(backend: Backend, slots: Int32Array): void {
    const known = new Map<string, LiveEndpoint>()
    for (const endpoint of this.endpoints) known.set(identityText(endpoint), endpoint)
    const now = this.#context.now()
    const oldSince = this.columns.since
    const next = sizedColumns(this.columns, backend.endpoints.length)
    const anyReady = backend.endpoints.some((endpoint) => endpoint.state === 'ready')
    const draining = new Uint8Array(backend.endpoints.length)
    next.draining = draining
    const live: LiveEndpoint[] = []
    this.eligible = 0
    this.ejected = 0
    for (const [i, endpoint] of backend.endpoints.entries()) {
      const slot = slots[i] ?? 0
      const { entry, since } = this.#entryFor(known, endpoint, slot, oldSince)
      const usable = endpoint.state === 'ready' || !anyReady
      next.weight[i] = endpoint.weight
      next.cell[i] = slot * next.writers
      next.identity[i] = hashText(identityText(endpoint), 0)
      next.since[i] = since ?? (this.endpoints.length === 0 ? 0 : now)
      next.usable[i] = usable ? 1 : 0
      draining[i] = Number(endpoint.state === 'draining')
      if (usable && endpoint.weight > 0) this.eligible++
      entry.index = i
      live.push(entry)
    }
    for (const gone of known.values()) this.#retire(gone)
    this.endpoints = live
    this.#followChecks(backend)
    this.backend = backend
    this.named = true
    this.#followAffinity(backend.clientIpAffinitySeconds > 0)
    this.#rebuild()
  }

  /** The endpoints changed: whoever keeps something about them makes it anew. */
  #rebuild(): void {
    this.sessions?.rebuild(this.endpoints, this.columns.identity)
    for (const { balancer } of this.#balancers.values()) balancer.rebuild()
  }

  /** The balancer for these settings, made on first use. Give it back with `releaseBalancer`. */
  balancerFor(balance: Balance): LiveBalancer {
    const name = JSON.stringify([
      balance.algorithm,
      balance.options,
      balance.hashKey,
      balance.probePath ?? '',
    ])
    let live = this.#balancers.get(name)
    if (live === undefined) {
      if (sessionsOf(balance.algorithm) !== undefined) this.#keepSessions()
      const algorithm = algorithms[balance.algorithm as keyof typeof algorithms]
      const balancer = algorithm.create(this.columns, this.#context.random, balance.options)
      live = {
        keyed: algorithm.keyed,
        sessions: sessionsOf(balance.algorithm),
        reads: balancer.report !== undefined,
        probes: balance.probePath !== undefined,
        balance,
        balancer,
        users: 0,
      }
      this.#balancers.set(name, live)
    }
    live.users++
    return live
  }

  #keepSessions(): void {
    if (this.sessions !== undefined) return
    this.sessions = new BackendSessions(this.key, this.#context.sessionSecret)
    this.sessions.rebuild(this.endpoints, this.columns.identity)
  }

  /** Who is no longer checked is not held back by old checks. */
  #followChecks(next: Backend): void {
    if (this.backend.healthCheck === undefined || next.healthCheck !== undefined) return
    for (const { slot } of this.endpoints) forgetChecks(this.memory, slot)
  }

  #followAffinity(wanted: boolean): void {
    if (wanted === (this.affinity !== undefined)) return
    if (this.affinity !== undefined) this.releaseBalancer(this.affinity)
    this.affinity = wanted ? this.balancerFor(clientIpBalance) : undefined
  }

  releaseBalancer(live: LiveBalancer): void {
    if (--live.users > 0) return
    for (const [name, value] of this.#balancers) if (value === live) this.#balancers.delete(name)
  }

  /** The endpoint for one try, or undefined when none is usable. */
  pick(balancer: Balancer, input: PickInput): LiveEndpoint | undefined {
    const index = balancer.pick(input)
    return index < 0 ? undefined : this.endpoints[index]
  }

  /** A target of a rule came that connects in this way. */
  usePool(pool: PoolSettings): void {
    this.users++
    this.#pools.set(pool, (this.#pools.get(pool) ?? 0) + 1)
  }

  unusePool(pool: PoolSettings): void {
    this.users--
    const left = (this.#pools.get(pool) ?? 0) - 1
    if (left > 0) this.#pools.set(pool, left)
    else this.#pools.delete(pool)
  }

  /** How its first rule connects; undefined: no rule refers to it. */
  get firstPool(): PoolSettings | undefined {
    for (const pool of this.#pools.keys()) return pool
    return undefined
  }

  get memory(): EndpointMemory {
    return this.#context.memory
  }

  /** Takes an ejected endpoint out of the picks; false when it is the last one, which stays. */
  holdBack(endpoint: LiveEndpoint): boolean {
    if (this.eligible - this.ejected <= 1) return false
    if (this.columns.usable[endpoint.index] === 0) return true
    this.columns.usable[endpoint.index] = 0
    this.ejected++
    if (this.ejected === 1) this.#context.onEjected(this)
    return true
  }

  /** Lets endpoints whose back-off is over back into the picks. True while others remain out. */
  readmit(now: number): boolean {
    if (this.ejected === 0) return false
    const anyReady = this.backend.endpoints.some((endpoint) => endpoint.state === 'ready')
    for (const endpoint of this.endpoints) {
      const { index, slot } = endpoint
      if (this.columns.usable[index] === 1) continue
      if (anyReady && this.backend.endpoints[index]?.state !== 'ready') continue
      if ((this.memory.ejectedUntil[slot] as number) > now) continue
      this.columns.usable[index] = 1
      this.ejected--
    }
    return this.ejected > 0
  }

  /** A try at the endpoint began or ended. */
  hold(endpoint: LiveEndpoint): void {
    endpoint.holders++
    const { inFlight, requests } = this.#context.memory
    inFlight[endpoint.cell] = (inFlight[endpoint.cell] as number) + 1
    requests[endpoint.cell] = (requests[endpoint.cell] as number) + 1
  }

  release(endpoint: LiveEndpoint): void {
    const { inFlight } = this.#context.memory
    inFlight[endpoint.cell] = (inFlight[endpoint.cell] as number) - 1
    if (--endpoint.holders === 0 && endpoint.index < 0) this.#context.onReleased(endpoint)
  }

  #entryFor(
    known: Map<string, LiveEndpoint>,
    endpoint: Endpoint,
    slot: number,
    oldSince: Float64Array,
  ): { entry: LiveEndpoint; since: number | undefined } {
    const name = identityText(endpoint)
    const entry = known.get(name)
    if (entry?.is(endpoint, slot) === true) {
      known.delete(name)
      return { entry, since: oldSince[entry.index] }
    }
    const cell = slot * this.columns.writers + this.#context.writer
    return { entry: new LiveEndpoint(endpoint, slot, cell), since: undefined }
  }

  #retire(endpoint: LiveEndpoint): void {
    endpoint.index = -1
    for (const pool of endpoint.pools) pool.retire()
    if (endpoint.holders === 0) this.#context.onReleased(endpoint)
  }
}

const clientIpBalance: Balance = {
  algorithm: 'consistent-hash',
  // A client stays where it is, however busy that endpoint is.
  options: { boundFactor: Infinity },
  hashKey: [{ variable: 'remote_addr' }],
}

function identityText(endpoint: { address: string; port: number; uid: string }): string {
  return `${endpoint.address} ${endpoint.port} ${endpoint.uid}`
}

function emptyColumns({ memory, writer }: BackendContext): EndpointColumns {
  return {
    count: 0,
    weight: new Float64Array(0),
    usable: new Uint8Array(0),
    cell: new Int32Array(0),
    identity: new Uint32Array(0),
    since: new Float64Array(0),
    writers: memory.writers,
    writer,
    inFlight: memory.inFlight,
    latency: memory.latency,
    updated: memory.updated,
    reported: memory.reported,
    reportedAt: memory.reportedAt,
    reportingSince: memory.reportingSince,
  }
}

/** Gives the columns room for `count` endpoints, in new arrays: balancers read them from the object. */
function sizedColumns(columns: EndpointColumns, count: number): EndpointColumns {
  columns.count = count
  columns.weight = new Float64Array(count)
  columns.usable = new Uint8Array(count)
  columns.cell = new Int32Array(count)
  columns.identity = new Uint32Array(count)
  columns.since = new Float64Array(count)
  return columns
}
