/** When a thread that ended is started again. */
export interface BackoffOptions {
  /** Delay before the second restart in a row; the first is immediate. */
  readonly firstMs: number
  readonly maxMs: number
  /** A thread that lived so long counts as sound again. */
  readonly soundMs: number
}

export const defaultBackoff: BackoffOptions = { firstMs: 500, maxMs: 30_000, soundMs: 60_000 }

/** Delays between restarts: none, then doubling from `firstMs` to `maxMs`. */
export class Backoff {
  readonly #options: BackoffOptions
  #inARow = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** Milliseconds to wait before the restart of a thread that lived `livedMs`. */
  next(livedMs: number): number {
    if (livedMs >= this.#options.soundMs) this.#inARow = 0
    const delay = this.#inARow === 0 ? 0 : this.#options.firstMs * 2 ** (this.#inARow - 1)
    this.#inARow++
    return Math.min(delay, this.#options.maxMs)
  }
}
