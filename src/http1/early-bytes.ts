/**
 * Bytes that came before their turn, behind the request that is being served. Reading pauses while
 * there are any, so that it is one read of them at most.
 */
export class EarlyBytes {
  #bytes: Buffer | undefined
  /** What was taken out is being received, so that what comes back needs no copy. */
  #own = false

  get any(): boolean {
    return this.#bytes !== undefined
  }

  hold(buffer: Buffer, start: number, end: number): void {
    const bytes = buffer.subarray(start, end)
    if (this.#own) this.#bytes = bytes
    else this.#bytes = Buffer.concat(this.#bytes === undefined ? [bytes] : [this.#bytes, bytes])
  }

  /** Has all of them received, whose turn it is now; some may come back. */
  release(receiver: { onData(buffer: Buffer, start: number, end: number): void }): void {
    const bytes = this.#bytes
    if (bytes === undefined) return
    this.#bytes = undefined
    this.#own = true
    receiver.onData(bytes, 0, bytes.length)
    this.#own = false
  }

  clear(): void {
    this.#bytes = undefined
  }
}
