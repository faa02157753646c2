/** Numbers of events by time: a binary heap; events of the same time come in the order of entry. */
export class EventQueue {
  readonly #time: number[] = []
  readonly #order: number[] = []
  readonly #event: number[] = []
  #entries = 0

  get size(): number {
    return this.#time.length
  }

  /** Time of the next event, Infinity when there is none. */
  get nextTime(): number {
    return this.#time[0] ?? Infinity
  }

  push(time: number, event: number): void {
    let at = this.#time.length
    this.#time.push(time)
    this.#order.push(this.#entries++)
    this.#event.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(at, parent)) break
      this.#swap(at, parent)
      at = parent
    }
  }

  /** Takes the next event out; the queue must not be empty. */
  pop(): number {
    const event = this.#event[0] as number
    this.#swap(0, this.#time.length - 1)
    this.#time.pop()
    this.#order.pop()
    this.#event.pop()
    this.#sink()
    return event
  }

  #sink(): void {
    const { length } = this.#time
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= length) return
      const right = left + 1
      const child = right < length && this.#isBefore(right, left) ? right : left
      if (!this.#isBefore(child, at)) return
      this.#swap(at, child)
      at = child
    }
  }

  #isBefore(a: number, b: number): boolean {
    const difference = (this.#time[a] as number) - (this.#time[b] as number)
    return difference === 0
      ? (this.#order[a] as number) < (this.#order[b] as number)
      : difference < 0
  }

  #swap(a: number, b: number): void {
    for (const column of [this.#time, this.#order, this.#event]) {
      const value = column[a] as number
      column[a] = column[b] as number
      column[b] = value
    }
  }
}
