import { flatText } from './gathered-text.ts'
import type { Fields } from './fields.ts'
import type { PreparedFields } from './prepared-fields.ts'

/**
 * First line and received lines of a head as HTTP/1.1 text, with some of the lines taken out. What follows
 * them twice in the same way is one text with them from then on.
 */
export class HeadStart {
  /** See `Fields.removedLines`. */
  readonly removedLines: number
  readonly #text: string
  #tail: PreparedFields | undefined
  #withTail = ''
  #lines = ''
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
      this.#withTail = ''
      this.#whole = ''
      return this.#text + copiedTail.lines
    }
    if (this.#withTail === '') this.#withTail = flatText(this.#text + copiedTail.lines)
    return this.#withTail
  }

  /** The whole text of a head that repeats it and to whose fields nothing was added, with these lines at its end. */
  wholeOf(fields: Fields, lines: string): string {
    const same = fields.copiedTail === this.#tail && lines === this.#lines
    if (same && this.#whole !== '') return this.#whole
    const text = this.textOf(fields) + lines + '\r\n'
    if (same) this.#whole = flatText(text)
    else {
      this.#tail = fields.copiedTail
      this.#lines = lines
      this.#whole = ''
    }
    return text
  }
}
