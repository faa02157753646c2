import type { Schedule } from '../schedule.ts'

export interface SecondLooksOptions {
  readonly schedule: Schedule
  readonly now: () => number
  readonly delayMs: number
  /** After this long of ever new versions one counts at its first look. */
  readonly patienceMs: number
  /** These paths are due. */
  readonly onDue: (paths: readonly string[]) => void
}

interface Suspect {
  readonly version: string
  readonly since: number
}

/**
 * Versions of files that look half written: cut off, or gone for the moment. Each counts only when it
 * is still the same a little later.
 */
export class SecondLooks {
  readonly #options: SecondLooksOptions
  readonly #suspects = new Map<string, Suspect>()
  #cancel: (() => void) | undefined

  constructor(options: SecondLooksOptions) {
    this.#options = options
  }

  /** Whether this odd version has to wait for its second look. */
  defers(path: string, version: string): boolean {
    const { now, patienceMs } = this.#options
    const before = this.#suspects.get(path)
    const since = before?.since ?? now()
    if (before?.version === version || now() - since >= patienceMs) return false
    this.#suspects.set(path, { version, since })
    this.#cancel ??= this.#options.schedule(() => {
      this.#cancel = undefined
      this.#options.onDue([...this.#suspects.keys()])
    }, this.#options.delayMs)
    return true
  }

  /** The path has a version that counts. */
  forget(path: string): void {
    this.#suspects.delete(path)
  }

  cancel(): void {
    this.#cancel?.()
    this.#suspects.clear()
  }
}
