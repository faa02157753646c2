/** So many small pieces become one: as they come, each byte could cost another 32 of a rope. */
const piecesMax = 64
/** Pieces of this size on average may stay as they are. */
const pieceBytesMin = 256

/** A latin1 text that comes in pieces, which may be of one byte each; held in about its own size. */
export class GatheredText {
  #whole = ''
  /** What came last, and in how many pieces. */
  #tail = ''
  #pieces = 0

  get length(): number {
    return this.#whole.length + this.#tail.length
  }

  append(text: string): void {
    this.#tail += text
    if (++this.#pieces < piecesMax) return
    const tail = this.#tail
    this.#whole += tail.length < piecesMax * pieceBytesMin ? flatText(tail) : tail
    this.#tail = ''
    this.#pieces = 0
  }

  toString(): string {
    return this.#whole + this.#tail
  }
}

/** The same latin1 text in one piece of memory. */
export function flatText(text: string): string {
  return Buffer.from(text, 'latin1').latin1Slice()
}
