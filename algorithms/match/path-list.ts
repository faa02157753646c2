import { pathBytes } from './canonical-path.ts'
import { matches, type PathEntry, type PathTest } from './path-entry.ts'
import { PathIndex } from './path-index.ts'

/** One pattern of a list. */
export interface PathPattern {
  /**
   * `exact`: the path is the value. `prefix`: the path is the value or goes on with a slash, and
   * slashes at the end of the value do not count; '' and '/' match every path. `regex`: the test says so.
   */
  readonly type: 'exact' | 'prefix' | 'regex'
  /** As the user wrote it; compared with regard to case. */
  readonly value: string
}

/** Up to this many patterns are compared one by one, which is faster than the index. */
const linearMax = 6

/**
 * The patterns of one host in order of precedence, searched for the first that matches a canonical
 * path. What a linear search would find, but for many patterns in one pass over the path.
 *
 * Looking up does not allocate. Further conditions are the caller's business:
 *
 *     let at = list.next(path, 0)
 *     while (at >= 0 && !conditionsHold(rules[at])) at = list.next(path, at + 1)
 */
export class PathList {
  readonly #entries: readonly PathEntry[]
  readonly #index: PathIndex | undefined
  /** The first pattern matches every path, as on most hosts. */
  readonly #firstTakesAll: boolean

  /** `compileTest` is called once for every pattern of type `regex`. */
  constructor(patterns: readonly PathPattern[], compileTest: (pattern: string) => PathTest) {
    this.#entries = patterns.map((pattern) => pathEntry(pattern, compileTest))
    const [first] = this.#entries
    this.#firstTakesAll = first?.type === 'prefix' && first.value === ''
    if (patterns.length > linearMax) this.#index = new PathIndex(this.#entries)
  }

  get length(): number {
    return this.#entries.length
  }

  /** Position of the first pattern at or after `from` that matches; -1: none does. */
  next(path: string, from: number): number {
    if (from === 0 && this.#firstTakesAll) return 0
    if (this.#index !== undefined) return this.#index.next(path, from)
    const entries = this.#entries
    for (let at = from; at < entries.length; at++) {
      if (matches(entries[at] as PathEntry, path)) return at
    }
    return -1
  }
}

/**
 * A pattern ready to be compared by itself, with {@link matches}. The pattern of a regular expression
 * goes to `compileTest` as the user wrote it.
 */
export function pathEntry(
  { type, value }: PathPattern,
  compileTest: (pattern: string) => PathTest,
): PathEntry {
  if (type === 'regex') return { type, value, test: compileTest(value) }
  const bytes = pathBytes(value)
  return { type, value: type === 'prefix' ? bytes.replace(/\/+$/, '') : bytes, test: undefined }
}
