/** When something is compiled, and for how long what was found about dates stays true. */
export class Moment {
  /** Milliseconds since 1970, whole. */
  readonly nowMs: number
  #untilMs = Number.POSITIVE_INFINITY

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  /** The last millisecond at which all that was asked has the same answer. */
  get untilMs(): number {
    return this.#untilMs
  }

  /** Whether it is later than this. */
  isAfter(ms: number): boolean {
    if (this.nowMs > ms) return true
    this.#untilMs = Math.min(this.#untilMs, ms)
    return false
  }
}
