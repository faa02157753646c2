import type { Schedule } from '../schedule.ts'

export interface BurstOptions {
  readonly schedule: Schedule
  /** A burst is over when nothing has happened for this long, … */
  readonly quietMs: number
  /** … or when it has lasted this long, so that what never ends is seen as well. */
  readonly lengthMsMax: number
  readonly onOver: () => void
}

/** Takes many events that follow each other closely for one. */
export class Burst {
  readonly #options: BurstOptions
  #cancelQuiet: (() => void) | undefined
  #cancelEnd: (() => void) | undefined

  constructor(options: BurstOptions) {
    this.#options = options
  }

  event(): void {
    const { schedule, quietMs, lengthMsMax } = this.#options
    const over = (): void => {
      this.cancel()
      this.#options.onOver()
    }
    this.#cancelQuiet?.()
    this.#cancelQuiet = schedule(over, quietMs)
    this.#cancelEnd ??= schedule(over, lengthMsMax)
  }

  cancel(): void {
    this.#cancelQuiet?.()
    this.#cancelEnd?.()
    this.#cancelQuiet = undefined
    this.#cancelEnd = undefined
  }
}
