import type { Schedule } from '#src/sources/schedule.ts'

interface Due {
  readonly at: number
  readonly callback: () => void
}

/** Time that passes when a test says so. */
export class ManualTime {
  #now = 0
  readonly #due = new Set<Due>()

  readonly now = (): number => this.#now

  readonly schedule: Schedule = (callback, delayMs) => {
    const due = { at: this.#now + delayMs, callback }
    this.#due.add(due)
    return () => {
      this.#due.delete(due)
    }
  }

  /** Runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const [next] = [...this.#due].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
      if (next === undefined) break
      this.#due.delete(next)
      this.#now = next.at
      next.callback()
    }
    this.#now = end
  }
}
