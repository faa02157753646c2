/** A word of configuration text, and the line that it begins in. */
export interface Word {
  readonly text: string
  readonly line: number
  /** It stood in quotes, so that it is never an end or a bracket. */
  readonly quoted: boolean
}

/** What ends the words of a directive. */
export type End = ';' | '{' | '}' | 'end'

/** The words up to an end. `problem`: the text is malformed in this line. */
export interface Clause {
  readonly words: readonly Word[]
  readonly end: End
  readonly line: number
  readonly problem?: string
}

const escapes: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' }
const kept = new Set(['"', "'", '\\'])

/**
 * Splits text as nginx's lexer does (ngx_conf_read_token): quotes count at the beginning of a word
 * alone, `#` begins a comment there, `\` protects the next character, and `${` opens no block.
 */
export class WordReader {
  readonly #text: string
  #at = 0
  #line = 1

  constructor(text: string) {
    this.#text = text
  }

  /** The next clause. Behind the last one: `end` without words. */
  next(): Clause {
    const words: Word[] = []
    for (;;) {
      this.#skipSpace()
      const line = this.#line
      const first = this.#text[this.#at]
      if (first === undefined) {
        const problem = words.length > 0 ? 'the text ends where ; or { is missing' : undefined
        return { words, end: 'end', line, ...(problem !== undefined && { problem }) }
      }
      if (first === ';' || first === '{' || first === '}') {
        this.#at++
        const misplaced = first === '}' ? words.length > 0 : words.length === 0
        const problem = `unexpected ${first}`
        return { words, end: first, line, ...(misplaced && { problem }) }
      }
      const word = this.#word(first)
      if (typeof word === 'string') return { words, end: 'end', line, problem: word }
      words.push(word)
    }
  }

  #skipSpace(): void {
    let comment = false
    for (; this.#at < this.#text.length; this.#at++) {
      const unit = this.#text[this.#at] as string
      if (unit === '\n') {
        this.#line++
        comment = false
      } else if (comment || isSpace(unit)) continue
      else if (unit === '#') comment = true
      else return
    }
  }

  /** A word, or what is wrong with it. */
  #word(first: string): Word | string {
    const quote = isQuote(first) ? first : ''
    const line = this.#line
    let text = ''
    let variable = false
    if (quote !== '') this.#at++
    for (; this.#at < this.#text.length; this.#at++) {
      const unit = this.#text[this.#at] as string
      if (unit === quote) return this.#closed({ text, line, quoted: true })
      const ends = quote === '' && endsWord(unit) && !(unit === '{' && variable)
      if (ends) return { text, line, quoted: false }
      if (unit === '\n') this.#line++
      variable = unit === '$'
      text += unit === '\\' ? this.#escape() : unit
    }
    return quote === '' ? { text, line, quoted: false } : `a ${quote} is not closed`
  }

  /** Behind a closing quote a word must end. */
  #closed(word: Word): Word | string {
    this.#at++
    const next = this.#text[this.#at] ?? ' '
    return endsWord(next) || next === ')' ? word : `unexpected ${next}`
  }

  /** What stands for a backslash and the character behind it; ends on the latter. */
  #escape(): string {
    const next = this.#text[this.#at + 1]
    if (next === undefined) return '\\'
    this.#at++
    if (next === '\n') this.#line++
    if (kept.has(next)) return next
    return escapes[next] ?? `\\${next}`
  }
}

function isSpace(unit: string): boolean {
  return unit === ' ' || unit === '\t' || unit === '\r'
}

function endsWord(unit: string): boolean {
  return isSpace(unit) || unit === '\n' || unit === ';' || unit === '{'
}

function isQuote(unit: string): boolean {
  return unit === '"' || unit === "'"
}
