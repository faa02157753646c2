import { WordReader } from './words.ts'
import type { Word } from './words.ts'

/** One directive of nginx's configuration. */
export interface Directive {
  readonly name: string
  readonly line: number
  readonly words: readonly Word[]
  /** Directives in braces; undefined: it ends with a semicolon. */
  readonly block?: readonly Directive[]
}

/** Something that cannot be taken, and in which line it stands. */
export interface LineProblem {
  readonly line: number
  readonly message: string
}

/** Longer texts, and more or deeper directives, are refused. Lengths in bytes. */
export const snippetLimits = { length: 32_768, directives: 512, depth: 4, words: 64 } as const

type Parsed = { readonly directives: readonly Directive[] } | { readonly problem: LineProblem }

/** Reads configuration text into directives. Total: whatever is malformed is named with its line. */
export function parseDirectives(text: string): Parsed {
  if (text.length > snippetLimits.length) {
    return {
      problem: { line: 1, message: `is longer than ${snippetLimits.length} bytes` },
    }
  }
  const parser = new Parser(text)
  const directives = parser.block(0)
  return parser.problem === undefined ? { directives } : { problem: parser.problem }
}

class Parser {
  readonly #reader: WordReader
  #count = 0
  problem: LineProblem | undefined

  constructor(text: string) {
    this.#reader = new WordReader(text)
  }

  /** The directives up to the end of a block. After a problem the result means nothing. */
  block(depth: number): readonly Directive[] {
    const directives: Directive[] = []
    while (this.problem === undefined) {
      const { words, end, line, problem } = this.#reader.next()
      if (problem !== undefined) return this.#fail(line, problem)
      if (end === '}') {
        if (depth === 0) return this.#fail(line, 'unexpected }')
        return directives
      }
      const [first, ...rest] = words
      if (first === undefined) {
        if (depth > 0) return this.#fail(line, 'a block is not closed')
        return directives
      }
      if (++this.#count > snippetLimits.directives) {
        return this.#fail(line, `more than ${snippetLimits.directives} directives`)
      }
      if (words.length > snippetLimits.words) {
        return this.#fail(line, `more than ${snippetLimits.words} words in one directive`)
      }
      const directive = { name: first.text, line: first.line, words: rest }
      if (end !== '{') directives.push(directive)
      else if (/_by_lua(?:_block)?$/.test(first.text)) {
        return this.#fail(first.line, `${first.text}: cannot be translated: code is never executed`)
      } else if (depth >= snippetLimits.depth) return this.#fail(line, 'blocks are nested too deep')
      else directives.push({ ...directive, block: this.block(depth + 1) })
    }
    return directives
  }

  #fail(line: number, message: string): readonly Directive[] {
    this.problem ??= { line, message }
    return []
  }
}
