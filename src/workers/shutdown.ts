import type { Logger } from '#src/observe/log.ts'
import type { Supervisor } from './supervisor.ts'

export interface ShutdownOptions {
  readonly supervisor: Supervisor
  /** How long to go on accepting after readiness has failed. */
  readonly graceMs: number
  /** How long requests in flight may take; asked when draining begins. */
  readonly drainTimeoutMs: () => number
  readonly log: Logger
}

/** Workers that do not say that they have drained get so much more. */
const slackMs = 2000

/**
 * The way out: readiness fails, the grace period goes by with everything as before, then nothing new
 * is accepted and what is in flight finishes. Each further request to stop shortens it: the first
 * ends the grace period, or else cuts what is in flight.
 */
export class Shutdown {
  readonly #options: ShutdownOptions
  #phase: 'running' | 'grace' | 'drain' | 'cut' = 'running'
  #endGrace: (() => void) | undefined
  #done: () => void = () => undefined
  /** Resolves when every thread has ended. */
  readonly done = new Promise<void>((resolve) => {
    this.#done = resolve
  })

  constructor(options: ShutdownOptions) {
    this.#options = options
  }

  /** Called for each SIGTERM and SIGINT. */
  request(signal: string): void {
    const { log } = this.#options
    log.info('stopping', { signal, phase: this.#phase })
    if (this.#phase === 'running') void this.#run()
    else if (this.#phase === 'grace') this.#endGrace?.()
    else if (this.#phase === 'drain') this.#cut()
  }

  async #run(): Promise<void> {
    const { supervisor, graceMs, log } = this.#options
    this.#phase = 'grace'
    supervisor.beginDraining()
    if (graceMs > 0) {
      await within(graceMs, (end) => {
        this.#endGrace = end
      })
    }
    this.#phase = 'drain'
    const timeoutMs = this.#options.drainTimeoutMs()
    await within(timeoutMs + slackMs, (end) => {
      void supervisor.pool.drain(timeoutMs).then(end)
    })
    await supervisor.stop()
    log.info('stopped')
    this.#done()
  }

  #cut(): void {
    this.#phase = 'cut'
    void this.#options.supervisor.pool.drain(0)
  }
}

/** Resolves when `start`'s callback is called, or after `timeoutMs`. */
async function within(timeoutMs: number, start: (end: () => void) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, timeoutMs)
    start(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
