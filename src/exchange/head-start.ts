import { flatText } from './gathered-text.ts'
import type { Fields } from './fields.ts'
import type { PreparedFields } from './prepared-fields.ts'

/** First line and received lines of a head as HTTP/1.1 text, with some of the lines taken out. */
export class HeadStart {
  /** See `Fields.removedLines`. */
  readonly removedLines: number
  readonly #text: string
  /** The prepared fields that followed last, and the text with them once they have come twice. */
  #tail: PreparedFields | undefined
  #whole = ''

  constructor(firstLine: string, fields: Fields) {
    this.removedLines = fields.removedLines
    this.#text = flatText(firstLine + fields.copiedLines())
  }

  /** The text of a head that repeats it, up to what was added to its fields one by one. */
  textOf({ copiedTail }: Fields): string {
    if (copiedTail === undefined) return this.#text
    if (copiedTail !== this.#tail) {
      this.#tail = copiedTail
      this.#whole = ''
      return this.#text + copiedTail.lines
    }
    if (this.#whole === '') this.#whole = flatText(this.#text + copiedTail.lines)
    return this.#whole
  }
}
