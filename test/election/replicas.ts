import { LeaderElection, defaultTiming } from '#src/election/election.ts'
import type { LeaseApi } from '#src/election/election.ts'
import { leaseWith, readLease } from '#src/election/lease.ts'
import type { Claim, Lease } from '#src/election/lease.ts'
import { createLogger } from '#src/observe/log.ts'
import { ManualTime } from '#test/sources/manual-time.ts'

const name = { namespace: 'ops', name: 'lead' }

/** The way of one replica to the API server. */
export class Link {
  /** On the way there, and back; each half takes this long. */
  halfMs = 5
  /** Requests and answers get lost. */
  cut = false
  readonly #server: Server

  constructor(server: Server) {
    this.#server = server
  }

  /** A request that is given up is carried out all the same if it was under way. */
  async call<Result>(work: () => Result, signal: AbortSignal): Promise<Result> {
    return await new Promise((resolve, reject) => {
      const { schedule } = this.#server.time
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error)
      })
      if (this.cut) return
      schedule(() => {
        const result = work()
        schedule(() => {
          if (!this.cut) resolve(result)
        }, this.halfMs)
      }, this.halfMs)
    })
  }
}

/** An API server that keeps one Lease. */
export class Server {
  readonly time: ManualTime
  #raw: Record<string, unknown> | undefined
  #version = 0
  writes = 0

  constructor(time: ManualTime) {
    this.time = time
  }

  get lease(): Lease | undefined {
    return this.#raw === undefined ? undefined : readLease(structuredClone(this.#raw))
  }

  write(before: Lease | undefined, claim: Claim): Lease | undefined {
    const sent = leaseWith(name, before, claim)
    const { resourceVersion } = sent['metadata'] as { resourceVersion?: string }
    if (resourceVersion !== (this.#raw === undefined ? undefined : String(this.#version))) {
      return undefined
    }
    this.writes++
    this.#put(sent)
    return this.lease
  }

  /** Somebody adds a label. */
  touch(): void {
    if (this.#raw !== undefined) this.#put(this.#raw)
  }

  #put(raw: Record<string, unknown>): void {
    this.#version++
    const metadata = { ...(raw['metadata'] as object), resourceVersion: String(this.#version) }
    this.#raw = { ...raw, metadata }
  }
}

export interface Replica {
  readonly identity: string
  readonly election: LeaderElection
  readonly link: Link
  readonly changes: boolean[]
  readonly logged: string[]
  /** It ends without a word: nothing that it planned happens any more. */
  kill(): void
}

interface AddOptions {
  /** How wrong its clocks are. */
  readonly skewMs?: number
  readonly random?: () => number
}

/** A small world: replicas, their clocks, and an API server between them. */
export class World {
  readonly time = new ManualTime()
  readonly server = new Server(this.time)
  readonly replicas: Replica[] = []
  /** Moments at which more than one replica led. */
  readonly doubles: number[] = []

  add(identity: string, { skewMs = 0, random = () => 0.5 }: AddOptions = {}): Replica {
    const { time, server } = this
    const link = new Link(server)
    const changes: boolean[] = []
    const logged: string[] = []
    let dead = false
    const leases: LeaseApi = {
      read: async (signal) => await link.call(() => server.lease, signal),
      write: async (before, claim, signal) =>
        await link.call(() => server.write(before, claim), signal),
    }
    const election = new LeaderElection({
      leases,
      identity,
      timing: defaultTiming,
      now: () => time.now() + skewMs,
      wallClock: () => Date.UTC(2026, 0, 1) + time.now() + skewMs,
      random,
      schedule: (callback, delayMs) =>
        time.schedule(() => {
          if (!dead) callback()
        }, delayMs),
      onChange: (leading) => changes.push(leading),
      log: createLogger({
        format: 'text',
        level: 'debug',
        now: () => 0,
        write: (line) => logged.push(line),
      }),
    })
    const kill = (): void => {
      dead = true
      this.replicas.splice(this.replicas.indexOf(replica), 1)
    }
    const replica = { identity, election, link, changes, logged, kill }
    this.replicas.push(replica)
    return replica
  }

  get leaders(): string[] {
    return this.replicas.filter(({ election }) => election.leading).map(({ identity }) => identity)
  }

  async pass(ms: number, stepMs = 100): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.time.advance(Math.min(stepMs, ms - passed))
      await new Promise((resolve) => setImmediate(resolve))
      if (this.leaders.length > 1) this.doubles.push(this.time.now())
    }
  }

  /** How long it takes until somebody leads, in steps. */
  async untilLed(msMax: number, stepMs = 100): Promise<number> {
    let passed = 0
    while (this.leaders.length === 0 && passed < msMax) {
      await this.pass(stepMs, stepMs)
      passed += stepMs
    }
    return passed
  }
}
