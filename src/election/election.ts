import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import { microTime } from './lease.ts'
import type { Claim, Lease } from './lease.ts'

/** The Lease that is fought for. */
export interface LeaseApi {
  /** Undefined: there is none yet. */
  read(signal: AbortSignal): Promise<Lease | undefined>
  /** Puts a claim in place of `before`; undefined when another one was faster. */
  write(before: Lease | undefined, claim: Claim, signal: AbortSignal): Promise<Lease | undefined>
}

/** In milliseconds. `renewDeadlineMs` is shorter than `leaseMs`: the difference is the safe distance. */
export interface ElectionTiming {
  /** So long after the last renewal that it saw, another candidate waits. */
  readonly leaseMs: number
  /** So long after its last renewal a leader acts. */
  readonly renewDeadlineMs: number
  readonly retryMs: number
}

/** What client-go's components use. */
export const defaultTiming: ElectionTiming = {
  leaseMs: 15_000,
  renewDeadlineMs: 10_000,
  retryMs: 2000,
}

export interface ElectionOptions {
  readonly leases: LeaseApi
  /** Of this replica, and of no other at any time. */
  readonly identity: string
  readonly timing: ElectionTiming
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number
  /** Milliseconds since 1970; written for people, never compared. */
  readonly wallClock: () => number
  readonly random: () => number
  /** Calls back once after `delayMs`; the result takes the call back. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void
  readonly onChange: (leading: boolean) => void
  readonly log: Logger
}

/** Candidates that do not lead come back at random within so many retry periods more. */
const jitter = 1.2
const releaseMsMax = 3000

/**
 * Elects one of several replicas by a Lease, as client-go does it: the holder renews, the others take
 * over when they have seen no renewal for the lease's duration on their own clock.
 *
 * Whatever the network does, at most one replica leads. A holder counts from the moment at which it
 * *sent* its last renewal that succeeded, the others from the moment at which they *saw* it, which is
 * later; and the holder's time is shorter. Clocks may be wrong by any amount, as long as they run at
 * about the same speed.
 */
export class LeaderElection {
  readonly #options: ElectionOptions
  /** The Lease as this replica saw it last. */
  #lease: Lease | undefined
  /** When the renewal in it was first seen. */
  #seenMs = 0
  #leadsUntil = Number.NEGATIVE_INFINITY
  #told = false
  #stopped = true
  #cancelExpiry: (() => void) | undefined
  #wake: (() => void) | undefined
  #abort = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #lastProblem = ''

  constructor(options: ElectionOptions) {
    this.#options = options
  }

  /** Whether this replica may act as leader, now. */
  get leading(): boolean {
    return this.#told && this.#options.now() < this.#leadsUntil
  }

  /** Milliseconds for which that is sure, 0 when it does not lead. */
  get remainingMs(): number {
    return this.leading ? this.#leadsUntil - this.#options.now() : 0
  }

  /** Who holds the Lease as far as is known, '' for nobody. */
  get holder(): string {
    return this.#lease?.holder ?? ''
  }

  start(): void {
    if (!this.#stopped) return
    this.#stopped = false
    this.#abort = new AbortController()
    this.#running = this.#run()
  }

  /** Stops leading and being a candidate; a Lease that is held is given back, so that nobody waits. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    const wasLeading = this.leading
    this.#stepDown('this replica stops')
    this.#abort.abort()
    this.#wake?.()
    await this.#running
    if (wasLeading) await this.#release()
  }

  async #run(): Promise<void> {
    const { timing, random } = this.#options
    while (!this.#stopped) {
      await this.#attempt()
      const apart = this.#told ? 0 : random() * jitter * timing.retryMs
      await this.#sleep(timing.retryMs + apart)
    }
  }

  async #sleep(delayMs: number): Promise<void> {
    if (this.#stopped) return
    await new Promise<void>((resolve) => {
      const cancel = this.#options.schedule(resolve, delayMs)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
    this.#wake = undefined
  }

  /** One try to hold the Lease. Never rejects. */
  async #attempt(): Promise<void> {
    try {
      const renewed = this.leading && this.#lease !== undefined && (await this.#claim(this.#lease))
      if (!renewed) await this.#contend()
      this.#lastProblem = ''
    } catch (error) {
      this.#report(errorText(error))
    }
  }

  async #contend(): Promise<void> {
    const lease = await this.#bounded(async (signal) => await this.#options.leases.read(signal))
    if (this.#stopped) return
    if (lease !== undefined) this.#see(lease)
    if (lease === undefined || this.#mayTake(lease)) await this.#claim(lease)
    else if (this.#told) this.#stepDown(`${lease.holder} holds the Lease`)
  }

  /** The time of a renewal is that of its being seen here. */
  #see(lease: Lease): void {
    if (lease.renewal !== this.#lease?.renewal) this.#seenMs = this.#options.now()
    this.#lease = lease
  }

  #mayTake({ holder, durationMs }: Lease): boolean {
    const { identity, timing, now } = this.#options
    if (holder === '' || holder === identity) return true
    return now() - this.#seenMs >= (durationMs || timing.leaseMs)
  }

  /** False: another one was faster. */
  async #claim(before: Lease | undefined): Promise<boolean> {
    const { leases, identity, timing, now } = this.#options
    const sentMs = now()
    const claim = this.#claimOver(before, identity)
    const lease = await this.#bounded(async (signal) => await leases.write(before, claim, signal))
    if (lease === undefined) return false
    this.#see(lease)
    if (!this.#stopped) this.#lead(sentMs + timing.renewDeadlineMs)
    return true
  }

  #claimOver(before: Lease | undefined, holder: string): Claim {
    const { identity, timing, wallClock } = this.#options
    const time = microTime(wallClock())
    const goesOn = before?.holder === identity
    return {
      holder,
      durationMs: timing.leaseMs,
      transitions: before === undefined ? 0 : before.transitions + (goesOn ? 0 : 1),
      acquireTime: goesOn && before.acquireTime !== '' ? before.acquireTime : time,
      renewTime: time,
    }
  }

  #lead(untilMs: number): void {
    const { schedule, now, onChange, log, identity } = this.#options
    this.#cancelExpiry?.()
    const leftMs = untilMs - now()
    if (leftMs <= 0) {
      this.#stepDown('the API server took too long')
      return
    }
    this.#leadsUntil = untilMs
    this.#cancelExpiry = schedule(() => {
      this.#stepDown('the Lease could not be renewed in time')
      // Whatever is under way is too late; the next try begins anew.
      this.#abort.abort()
      this.#abort = new AbortController()
    }, leftMs)
    if (this.#told) return
    this.#told = true
    log.info('this replica leads', { identity })
    onChange(true)
  }

  #stepDown(reason: string): void {
    this.#cancelExpiry?.()
    this.#cancelExpiry = undefined
    this.#leadsUntil = Number.NEGATIVE_INFINITY
    if (!this.#told) return
    this.#told = false
    const { log } = this.#options
    if (this.#stopped) log.info('this replica leads no more', { reason })
    else log.warn('this replica leads no more', { reason })
    this.#options.onChange(false)
  }

  async #release(): Promise<void> {
    this.#abort = new AbortController()
    const { leases, identity, timing } = this.#options
    const giveBack = async (lease: Lease): Promise<Lease | undefined> => {
      const claim = { ...this.#claimOver(lease, ''), durationMs: 0 }
      return await this.#bounded(
        async (signal) => await leases.write(lease, claim, signal),
        Math.min(releaseMsMax, timing.renewDeadlineMs),
      )
    }
    try {
      if (this.#lease !== undefined && (await giveBack(this.#lease)) !== undefined) return
      // A renewal that was cut off may have gone through after all.
      const lease = await this.#bounded(async (signal) => await leases.read(signal), releaseMsMax)
      if (lease?.holder === identity) await giveBack(lease)
    } catch (error) {
      this.#report(`the Lease could not be given back: ${errorText(error)}`)
    }
  }

  /** A call that ends, one way or the other, within the time in which its outcome matters. */
  async #bounded<Result>(
    call: (signal: AbortSignal) => Promise<Result>,
    timeoutMs = this.#options.timing.renewDeadlineMs,
  ): Promise<Result> {
    const timeout = new AbortController()
    const cancel = this.#options.schedule(() => {
      timeout.abort(new Error(`no answer within ${timeoutMs} ms`))
    }, timeoutMs)
    try {
      return await call(AbortSignal.any([timeout.signal, this.#abort.signal]))
    } finally {
      cancel()
    }
  }

  /** Once for a row of the same problem. */
  #report(problem: string): void {
    if (problem === this.#lastProblem) return
    this.#lastProblem = problem
    if (!this.#stopped) this.#options.log.warn('leader election fails', { problem })
  }
}
