import type { Random } from '#algorithms/random.ts'
import { EventQueue } from './event-queue.ts'

/** Servers under processor sharing that differ in speed, and clients that send them requests. */
export interface ClusterSettings {
  readonly servers: number
  readonly clients: number
  /** Offered work as a multiple of what the servers are allotted (1 second of work a second each). */
  readonly load: number
  /** Milliseconds of simulated time, of which the first tenth does not count. */
  readonly durationMs: number
  /** Mean and spread of the normal distribution of the work of a request, cut off at 0. */
  readonly workMs: number
  /** Requests not answered by then fail. */
  readonly timeoutMs: number
  /** Share of servers that get just their allotment, as neighbours use the rest of the machine. */
  readonly contendedShare: number
  /** Speed of the others, as a multiple of the allotment. */
  readonly freeSpeed: number
  /** Mean time until the neighbours of a server come or go. */
  readonly flipMs: number
  readonly random: Random
}

/** What decides where a request goes, and learns how it went. */
export interface Router {
  pick(client: number, now: number): number
  finished(finish: Finish): void
}

/** One request that has ended; the object is used again. */
export interface Finish {
  client: number
  server: number
  now: number
  latencyMs: number
  timedOut: boolean
  /** Requests at the server when this one came. */
  inFlightAtArrival: number
}

export interface ClusterResult {
  /** Latencies in milliseconds in rising order; a failed request counts as the timeout. */
  readonly latencies: Float64Array
  readonly errors: number
}

interface Job {
  readonly client: number
  readonly arrivedAt: number
  readonly inFlightAtArrival: number
  /** Service attained by the server's longest job when this one is done. */
  readonly target: number
  readonly server: number
  active: boolean
}

/** A server whose jobs share its speed evenly. */
class SharedServer {
  speed = 1
  readonly jobs: Job[] = []
  /** Service that a job present from the start would have had. */
  attained = 0
  #since = 0
  /** Changes whenever the next completion does. */
  version = 0

  advance(now: number): void {
    if (this.jobs.length > 0) this.attained += ((now - this.#since) * this.speed) / this.jobs.length
    this.#since = now
  }

  /** Milliseconds to the next completion, from the time advanced to. */
  untilNext(): number {
    let least = Infinity
    for (const { target } of this.jobs) if (target < least) least = target
    return (Math.max(0, least - this.attained) * this.jobs.length) / this.speed
  }

  /** The job that is done. */
  nextJob(): Job | undefined {
    let next = this.jobs[0]
    for (const job of this.jobs) if (next !== undefined && job.target < next.target) next = job
    return next
  }

  remove(job: Job): void {
    const last = this.jobs.pop()
    if (last !== undefined && last !== job) this.jobs[this.jobs.indexOf(job)] = last
    job.active = false
  }
}

/** The cluster itself: requests in flight at each server are open to routers that probe. */
export class Cluster {
  readonly settings: ClusterSettings
  readonly #servers: SharedServer[]
  readonly #completions = new EventQueue()
  readonly #flips = new EventQueue()
  /** Jobs by arrival; all have the same timeout, so they run out in this order. */
  readonly #pending: Job[] = []
  #firstPending = 0
  readonly #latencies: number[] = []
  #errors = 0
  readonly #finish: Finish = {
    client: 0,
    server: 0,
    now: 0,
    latencyMs: 0,
    timedOut: false,
    inFlightAtArrival: 0,
  }

  constructor(settings: ClusterSettings) {
    const { servers, contendedShare, freeSpeed, random } = settings
    this.settings = settings
    this.#servers = Array.from({ length: servers }, () => new SharedServer())
    for (const [i, server] of this.#servers.entries()) {
      server.speed = i < servers * contendedShare ? 1 : freeSpeed
      this.#flips.push(exponential(random, settings.flipMs), i)
    }
  }

  inFlight(server: number): number {
    return (this.#servers[server] as SharedServer).jobs.length
  }

  run(router: Router): ClusterResult {
    const { durationMs, servers, load, random, clients } = this.settings
    const gapMs = meanWork(this.settings) / (load * servers)
    let arrivesAt = exponential(random, gapMs)
    while (arrivesAt < durationMs) {
      this.#settleUntil(arrivesAt, router)
      const client = Math.floor(random() * clients)
      this.#start(client, router.pick(client, arrivesAt), arrivesAt)
      arrivesAt += exponential(random, gapMs)
    }
    return { latencies: Float64Array.from(this.#latencies).toSorted(), errors: this.#errors }
  }

  /** Plays everything that happens before the next arrival. */
  #settleUntil(time: number, router: Router): void {
    for (;;) {
      const timeoutAt = this.#nextTimeout()
      const next = Math.min(this.#completions.nextTime, this.#flips.nextTime, timeoutAt)
      if (next > time) return
      if (next === timeoutAt) this.#timeOut(next, router)
      else if (next === this.#completions.nextTime) this.#complete(next, router)
      else this.#flip(next)
    }
  }

  #start(client: number, index: number, now: number): void {
    const server = this.#servers[index] as SharedServer
    server.advance(now)
    const target = server.attained + truncatedNormal(this.settings)
    const inFlightAtArrival = server.jobs.length
    const job = { client, server: index, arrivedAt: now, inFlightAtArrival, target, active: true }
    server.jobs.push(job)
    this.#pending.push(job)
    this.#schedule(index, now)
  }

  #schedule(index: number, now: number): void {
    const server = this.#servers[index] as SharedServer
    server.version++
    if (server.jobs.length === 0) return
    this.#completions.push(now + server.untilNext(), server.version * this.#servers.length + index)
  }

  #complete(now: number, router: Router): void {
    const event = this.#completions.pop()
    const index = event % this.#servers.length
    const server = this.#servers[index] as SharedServer
    if (server.version !== Math.floor(event / this.#servers.length)) return
    server.advance(now)
    const job = server.nextJob()
    if (job !== undefined) this.#end(job, now, router)
  }

  #timeOut(now: number, router: Router): void {
    const job = this.#pending[this.#firstPending] as Job
    ;(this.#servers[job.server] as SharedServer).advance(now)
    this.#end(job, now, router)
  }

  #end(job: Job, now: number, router: Router): void {
    const { timeoutMs, durationMs } = this.settings
    const latencyMs = now - job.arrivedAt
    ;(this.#servers[job.server] as SharedServer).remove(job)
    this.#schedule(job.server, now)
    const timedOut = latencyMs >= timeoutMs
    if (job.arrivedAt > durationMs / 10) {
      this.#latencies.push(Math.min(latencyMs, timeoutMs))
      if (timedOut) this.#errors++
    }
    const finish = this.#finish
    finish.client = job.client
    finish.server = job.server
    finish.now = now
    finish.latencyMs = latencyMs
    finish.timedOut = timedOut
    finish.inFlightAtArrival = job.inFlightAtArrival
    router.finished(finish)
  }

  #nextTimeout(): number {
    const pending = this.#pending
    while (pending[this.#firstPending]?.active === false) this.#firstPending++
    const job = pending[this.#firstPending]
    return job === undefined ? Infinity : job.arrivedAt + this.settings.timeoutMs
  }

  #flip(now: number): void {
    const index = this.#flips.pop()
    const { random, contendedShare, freeSpeed, flipMs } = this.settings
    const server = this.#servers[index] as SharedServer
    server.advance(now)
    server.speed = random() < contendedShare ? 1 : freeSpeed
    this.#schedule(index, now)
    this.#flips.push(now + exponential(random, flipMs), index)
  }
}

/** A draw from the exponential distribution. */
export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean
}

/** A draw from the standard normal distribution (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

function truncatedNormal({ random, workMs }: ClusterSettings): number {
  for (;;) {
    const work = workMs * (1 + normal(random))
    if (work > 0) return work
  }
}

/** Mean of the normal distribution with equal mean and spread, given that it is above 0. */
function meanWork({ workMs }: ClusterSettings): number {
  const densityAtOne = 0.2419707245
  const shareBelowOne = 0.8413447461
  return workMs * (1 + densityAtOne / shareBelowOne)
}
