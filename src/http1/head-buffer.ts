import { CR, LF } from './characters.ts'

const firstBytes = 512

/**
 * Holds a head (or a trailer section) that arrives in pieces until it can be read in one go. So a
 * head has one reading, however it was cut, and a byte is looked at twice, however many the cuts.
 */
export class HeadBuffer {
  bytes: Buffer
  length = 0
  /** The head may have this many bytes. */
  readonly bytesMax: number
  /** Its first line may have this many, less one. */
  readonly #lineBytesMax: number
  #sawLine = false

  constructor(bytesMax: number, lineBytesMax: number) {
    this.bytesMax = bytesMax
    this.#lineBytesMax = lineBytesMax
    this.bytes = Buffer.allocUnsafeSlow(Math.min(firstBytes, bytesMax))
  }

  /**
   * Takes bytes, as many as a head may still have. True: it is time to read the head, because it is
   * whole, too large, or has a bare CR or LF: it will be read to its end, or refused.
   */
  append(buffer: Buffer, start: number, end: number): boolean {
    const from = this.length
    const size = Math.min(end - start, this.bytesMax - from)
    this.#grow(from + size)
    buffer.copy(this.bytes, from, start, start + size)
    this.length += size
    if (this.#endsWithin(from) || this.length >= this.bytesMax) return true
    return !this.#sawLine && this.length >= this.#lineBytesMax
  }

  #endsWithin(from: number): boolean {
    const { bytes, length } = this
    for (let at = from; at < length; at++) {
      const afterReturn = at > 0 && bytes[at - 1] === CR
      if (bytes[at] !== LF) {
        if (afterReturn) return true
        continue
      }
      this.#sawLine = true
      if (!afterReturn || at === 1 || bytes[at - 2] === LF) return true
    }
    return false
  }

  #grow(size: number): void {
    if (size <= this.bytes.length) return
    const capacity = Math.min(this.bytesMax, Math.max(size, this.bytes.length * 2))
    const grown = Buffer.allocUnsafeSlow(capacity)
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
  }
}
