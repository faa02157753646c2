import { randomFillSync } from 'node:crypto'

const idBytes = 16
const digits = idBytes * 2
/** Ids taken at once: each that is kept keeps the text of all of them. */
const idsAtOnce = 32

/**
 * Request ids: 128 random bits as 32 hexadecimal digits. Random bytes are drawn for many, and made text
 * for some, as calls out of JavaScript cost more than what they do here.
 */
export class RequestIds {
  readonly #block = Buffer.allocUnsafeSlow(idBytes * 512)
  /** Where the bytes begin that are not text yet. */
  #next = this.#block.length
  #text = ''
  #textAt = 0

  make(): string {
    if (this.#textAt >= this.#text.length) this.#refill()
    const start = this.#textAt
    this.#textAt = start + digits
    return this.#text.slice(start, this.#textAt)
  }

  #refill(): void {
    if (this.#next >= this.#block.length) {
      randomFillSync(this.#block)
      this.#next = 0
    }
    const start = this.#next
    this.#next = start + idBytes * idsAtOnce
    this.#text = this.#block.hexSlice(start, this.#next)
    this.#textAt = 0
  }
}
