import { randomFillSync } from 'node:crypto'

const idBytes = 16

/** Request ids: 128 random bits as 32 hexadecimal digits, taken from a block drawn now and then. */
export class RequestIds {
  readonly #block = Buffer.allocUnsafeSlow(idBytes * 512)
  #next = this.#block.length

  make(): string {
    if (this.#next >= this.#block.length) {
      randomFillSync(this.#block)
      this.#next = 0
    }
    const start = this.#next
    this.#next = start + idBytes
    return this.#block.hexSlice(start, this.#next)
  }
}
