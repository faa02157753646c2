import type { Timing } from './timing.ts'

/** Gives a stream up that has been silent for too long. */
export class Patience {
  /** It was given up for that. */
  exhausted = false
  readonly #controller = new AbortController()
  readonly #timing: Timing
  readonly #outer: AbortSignal
  readonly #onAbort = (): void => {
    this.#controller.abort()
  }
  #silenceMsMax: number
  #heardAt: number
  #cancel: () => void

  constructor(silenceMsMax: number, outer: AbortSignal, timing: Timing) {
    this.#timing = timing
    this.#outer = outer
    this.#silenceMsMax = silenceMsMax
    this.#heardAt = timing.now()
    this.#cancel = timing.schedule(() => {
      this.#look()
    }, silenceMsMax)
    outer.addEventListener('abort', this.#onAbort)
    if (outer.aborted) this.#controller.abort()
  }

  /** Set off when patience is exhausted, or by the outer signal. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  heard(): void {
    this.#heardAt = this.#timing.now()
  }

  /** From now on another limit counts. */
  allow(silenceMsMax: number): void {
    this.#silenceMsMax = silenceMsMax
  }

  /** Leaves nothing behind; what is still open is cut. */
  end(): void {
    this.#cancel()
    this.#outer.removeEventListener('abort', this.#onAbort)
    this.#controller.abort()
  }

  #look(): void {
    const left = this.#heardAt + this.#silenceMsMax - this.#timing.now()
    if (left <= 0) {
      this.exhausted = true
      this.#controller.abort()
      return
    }
    this.#cancel = this.#timing.schedule(() => {
      this.#look()
    }, left)
  }
}
