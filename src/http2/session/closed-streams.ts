/** How a stream came to be closed: late frames on it mean different things (RFC 9113 5.1). */
export type ClosedHow = 'ended' | 'reset-by-us' | 'reset-by-peer'

const remembered = 128

/** The streams closed last. Of one that is forgotten nothing more is expected to come. */
export class ClosedStreams {
  #ids: Uint32Array | undefined
  readonly #how: ClosedHow[] = []
  #next = 0

  note(id: number, how: ClosedHow): void {
    this.#ids ??= new Uint32Array(remembered)
    this.#ids[this.#next] = id
    this.#how[this.#next] = how
    this.#next = (this.#next + 1) % remembered
  }

  /** Undefined: not closed lately, or never opened. */
  find(id: number): ClosedHow | undefined {
    const at = this.#ids === undefined ? -1 : this.#ids.lastIndexOf(id)
    return at < 0 ? undefined : this.#how[at]
  }
}
