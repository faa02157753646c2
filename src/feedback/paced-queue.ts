import { TokenBucket } from '#algorithms/limit/token-bucket.ts'
import { restAfter } from '#src/kubernetes/api-error.ts'

export interface PacedQueueOptions<Job> {
  readonly perSecond: number
  readonly burst: number
  /** Jobs at work at once. */
  readonly parallelMax: number
  /** Jobs that wait; more are refused. */
  readonly lengthMax: number
  /** Does a job; rejects when it is to be tried again, after a pause for all. */
  readonly work: (job: Job, key: string) => Promise<void>
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly random: () => number
  /** Calls back once after `delayMs`; the result takes the call back. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void
  /** Everything rests for `delayMs`, as a job failed. */
  readonly onPause?: (error: unknown, delayMs: number) => void
}

const pauseMsMin = 1000
const pauseMsMax = 60_000

/**
 * Jobs by key, each key waiting at most once, done in order at a bounded rate. What fails pauses the
 * whole queue, longer each time in a row (jittered), and as long as is asked for: whoever it asks is not
 * well. At its start, and after a failure, what has gathered goes out at the rate, without a burst.
 */
export class PacedQueue<Job> {
  readonly #options: PacedQueueOptions<Job>
  readonly #jobs = new Map<string, Job>()
  readonly #bucket: TokenBucket
  readonly #atWork = new Set<string>()
  #running = false
  #pauseMs = 0
  #cancel: (() => void) | undefined
  #idle: (() => void)[] = []

  constructor(options: PacedQueueOptions<Job>) {
    this.#options = options
    this.#bucket = new TokenBucket(options.perSecond, options.burst, options.now())
  }

  /** Jobs that wait. */
  get length(): number {
    return this.#jobs.size
  }

  /** There is no room for another key. */
  get full(): boolean {
    return this.#jobs.size >= this.#options.lengthMax
  }

  /** Puts a job in the place of one that waits under the same key; false: there is no room. */
  add(key: string, job: Job): boolean {
    if (this.full && !this.#jobs.has(key)) return false
    this.#jobs.set(key, job)
    this.#turn()
    return true
  }

  start(): void {
    this.#running = true
    this.#pauseMs = 0
    this.#forgetBurst()
    this.#turn()
  }

  /** Forgets what waits; what is at work ends by itself. */
  stop(): void {
    this.#running = false
    this.#jobs.clear()
    this.#cancel?.()
    this.#cancel = undefined
    this.#settleIdle()
  }

  /** Resolves when nothing waits and nothing is at work. */
  async whenIdle(): Promise<void> {
    if (this.#jobs.size === 0 && this.#atWork.size === 0) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #turn(): void {
    const { now, parallelMax, perSecond } = this.#options
    while (this.#running && this.#cancel === undefined) {
      // After a failure one job goes ahead and finds out.
      if (this.#atWork.size >= (this.#pauseMs > 0 ? 1 : parallelMax)) return
      const next = this.#next()
      if (next === undefined) return
      if (!this.#bucket.tryTake(now())) {
        this.#rest(Math.ceil(1000 / perSecond))
        return
      }
      this.#jobs.delete(next.key)
      void this.#do(next.key, next.job)
    }
  }

  /** A key is never at work twice. */
  #next(): { readonly key: string; readonly job: Job } | undefined {
    for (const [key, job] of this.#jobs) if (!this.#atWork.has(key)) return { key, job }
    return undefined
  }

  async #do(key: string, job: Job): Promise<void> {
    this.#atWork.add(key)
    try {
      await this.#options.work(job, key)
      if (this.#pauseMs > 0) this.#forgetBurst()
      this.#pauseMs = 0
    } catch (error) {
      if (this.#running) {
        if (!this.#jobs.has(key)) this.#jobs.set(key, job)
        this.#pause(error)
      }
    }
    this.#atWork.delete(key)
    this.#settleIdle()
    this.#turn()
  }

  #pause(error: unknown): void {
    // Jobs that fail together are one failure.
    if (this.#cancel !== undefined) return
    const { random, onPause } = this.#options
    this.#pauseMs = Math.min(pauseMsMax, Math.max(pauseMsMin, this.#pauseMs * 2))
    const pauseMs = this.#pauseMs * (0.75 + 0.5 * random())
    const delayMs = Math.round(restAfter(error, pauseMs, random))
    onPause?.(error, delayMs)
    this.#rest(delayMs)
  }

  #forgetBurst(): void {
    const nowMs = this.#options.now()
    this.#bucket.tryTake(nowMs, this.#bucket.tokens(nowMs))
  }

  #rest(delayMs: number): void {
    this.#cancel = this.#options.schedule(() => {
      this.#cancel = undefined
      this.#turn()
    }, delayMs)
  }

  #settleIdle(): void {
    if (this.#jobs.size > 0 || this.#atWork.size > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
