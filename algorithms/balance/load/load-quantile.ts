/** Loads remembered. */
const windowSize = 128
/** Loads from here on count as equal. */
const loadMax = 1023

/**
 * A quantile of the last 128 loads, kept up to date as they come.
 *
 * Cost: O(1) amortised: the quantile moves by the difference of neighbouring windows.
 */
export class LoadQuantile {
  readonly #quantile: number
  readonly #recent = new Int32Array(windowSize)
  /** How often each load is in the window. */
  readonly #times = new Int32Array(loadMax + 1)
  #seen = 0
  #place = 0
  #value = 0
  /** Loads in the window that are below `#value`. */
  #below = 0

  /** `quantile`: 0 to 1, the share of loads that are at or below the value. */
  constructor(quantile: number) {
    this.#quantile = quantile
  }

  /** The least load that at least the share `quantile` of the window does not exceed. */
  get value(): number {
    return this.#value
  }

  /** `load`: a whole number. */
  add(load: number): void {
    const own = load < loadMax ? load : loadMax
    const place = this.#place
    this.#place = place + 1 === windowSize ? 0 : place + 1
    if (this.#seen < windowSize) this.#seen++
    else {
      const oldest = this.#recent[place] as number
      this.#times[oldest] = (this.#times[oldest] as number) - 1
      if (oldest < this.#value) this.#below--
    }
    this.#recent[place] = own
    this.#times[own] = (this.#times[own] as number) + 1
    if (own < this.#value) this.#below++
    this.#settle()
  }

  #settle(): void {
    const due = this.#quantile * this.#seen
    const times = this.#times
    while (this.#below >= due && this.#value > 0) {
      this.#value--
      this.#below -= times[this.#value] as number
    }
    while (this.#below + (times[this.#value] as number) < due) {
      this.#below += times[this.#value] as number
      this.#value++
    }
  }
}
