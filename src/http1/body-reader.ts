import type { Fields } from '#src/exchange/fields.ts'
import { ChunkedDecoder } from './chunked-decoder.ts'
import type { ChunkedProblem } from './chunked-decoder.ts'
import type { NameRules } from './field-scanner.ts'
import { chunkedFraming } from './framing.ts'

/** A read like this shows that more of its size will come. */
const largeRead = 32 * 1024

/**
 * Reads one message body after another, of any framing. Bodies of known length and those that last
 * until the connection ends are counted, not looked at. Nothing is copied: the data of a step lies
 * in the buffer it was given.
 */
export class BodyReader {
  dataStart = 0
  dataEnd = 0
  /** Bytes that are still to come; Infinity when only the connection's end will tell. */
  #remaining = 0
  #decoder: ChunkedDecoder | undefined

  /** `framing`: a length, `chunkedFraming`, or Infinity. */
  start(framing: number, rules: NameRules | undefined): void {
    const chunked = framing === chunkedFraming
    this.#decoder = chunked ? new ChunkedDecoder(rules) : undefined
    this.#remaining = chunked ? 0 : framing
  }

  /** The body is over. */
  get done(): boolean {
    return this.#decoder === undefined ? this.#remaining === 0 : this.#decoder.done
  }

  /** Why the body cannot be read on, or ''. */
  get problem(): ChunkedProblem | '' {
    return this.#decoder?.failed === true ? this.#decoder.problem : ''
  }

  get trailers(): Fields | undefined {
    return this.#decoder?.trailers
  }

  /** Whether `size` more bytes are sure to end the body. */
  endsWithin(size: number): boolean {
    return this.#decoder === undefined ? this.#remaining <= size : this.#decoder.done
  }

  get untilClose(): boolean {
    return this.#remaining === Infinity
  }

  /** Whether it pays to read the rest with a buffer of its own, after a read of `size` bytes. */
  isLong(size: number): boolean {
    if (this.done) return false
    return size >= largeRead || (this.#remaining > largeRead && this.#remaining !== Infinity)
  }

  /** Reads on, up to the end of one piece of data. Returns the position reached. */
  read(buffer: Buffer, from: number, end: number): number {
    if (this.#decoder !== undefined) {
      const position = this.#decoder.read(buffer, from, end)
      this.dataStart = this.#decoder.dataStart
      this.dataEnd = this.#decoder.dataEnd
      return position
    }
    const size = Math.min(end - from, this.#remaining)
    this.#remaining -= size
    this.dataStart = from
    this.dataEnd = from + size
    return this.dataEnd
  }

  /** Lets go of what the last body needed. */
  clear(): void {
    this.#decoder = undefined
    this.#remaining = 0
  }
}
