/** What objects of one kind may hold together. Those past it are left out, and have another chance when there is room. */
export class ByteBudget {
  readonly bytesMax: number
  readonly #held = new Map<string, number>()
  /** Left out, with their size. */
  readonly #leftOut = new Map<string, number>()
  /** Of those left out, the ones that were told to come again. */
  readonly #coming = new Set<string>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get leftOut(): number {
    return this.#leftOut.size
  }

  /** Whether there is room for the object as it is now; what it had before is free again. */
  admit(key: string, bytes: number): boolean {
    this.release(key)
    if (this.#bytes + bytes > this.bytesMax) {
      this.#leftOut.set(key, bytes)
      return false
    }
    this.#held.set(key, bytes)
    this.#bytes += bytes
    return true
  }

  /** The object is gone, or nobody wants it any more. */
  release(key: string): void {
    this.#bytes -= this.#held.get(key) ?? 0
    this.#held.delete(key)
    this.#leftOut.delete(key)
    this.#coming.delete(key)
  }

  /** Those left out that fit in now, in the order in which they came, each once until it is admitted anew or not. */
  takeFitting(): string[] {
    const keys: string[] = []
    let room = this.bytesMax - this.#bytes
    for (const [key, bytes] of this.#leftOut) {
      if (bytes > room || this.#coming.has(key)) continue
      room -= bytes
      this.#coming.add(key)
      keys.push(key)
    }
    return keys
  }
}
