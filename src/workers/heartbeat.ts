/**
 * Notices an event loop that stands still. It counts checks and not time: when the whole process was
 * stopped for a while, the watched thread gets its turn before it is judged.
 */
export class Heartbeat {
  readonly #read: () => number
  readonly #checksMax: number
  #last = -1
  #still = 0

  /** `read` gives a number that changes with every beat. */
  constructor(read: () => number, checksMax: number) {
    this.#read = read
    this.#checksMax = checksMax
  }

  /** To be called at regular intervals. False: no beat came for `checksMax` intervals. */
  check(): boolean {
    const beat = this.#read()
    this.#still = beat === this.#last ? this.#still + 1 : 0
    this.#last = beat
    return this.#still < this.#checksMax
  }

  /** The thread was started anew. */
  reset(): void {
    this.#last = -1
    this.#still = 0
  }
}
