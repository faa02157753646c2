const slash = 0x2f

/** One path to match, as routes have it. */
export interface PathPattern {
  readonly type: 'exact' | 'prefix' | 'regex'
  /** For `prefix` without trailing slash, so that '' matches every path. */
  readonly value: string
}

/** Lists up to this length are searched one by one: cheaper than cutting the path apart. */
const linearMax = 8

/** Whether a prefix covers a path: whole elements only, so `/foo` covers `/foo` and `/foo/x`. */
export function coversPath(prefix: string, path: string): boolean {
  if (!path.startsWith(prefix)) return false
  return path.length === prefix.length || path.charCodeAt(prefix.length) === slash
}

/**
 * An ordered list of paths in which the first match counts. It answers what trying one after the
 * other would, at a cost that grows with the depth of the path and not with the length of the list.
 */
export class PathList {
  readonly #patterns: readonly PathPattern[]
  readonly #testRegex: (index: number, path: string) => boolean
  readonly #exact = new Map<string, number[]>()
  readonly #prefix = new Map<string, number[]>()
  readonly #regex: number[] = []

  /** `testRegex` decides whether the pattern at an index, of type `regex`, matches a path. */
  constructor(
    patterns: readonly PathPattern[],
    testRegex: (index: number, path: string) => boolean = () => false,
  ) {
    this.#patterns = patterns
    this.#testRegex = testRegex
    if (patterns.length <= linearMax) return
    for (const [index, { type, value }] of patterns.entries()) {
      if (type === 'regex') this.#regex.push(index)
      else push(type === 'exact' ? this.#exact : this.#prefix, value, index)
    }
  }

  /**
   * The index of the first pattern behind `after` that matches a canonical path, or -1. `after` is
   * -1 at first, and the last index where a caller with further conditions goes on.
   */
  find(path: string, after: number): number {
    if (this.#patterns.length <= linearMax) return this.#findLinear(path, after)
    let best = firstBehind(this.#exact.get(path), after, -1)
    best = firstBehind(this.#prefix.get(path), after, best)
    for (
      let end = path.lastIndexOf('/');
      end >= 0;
      end = end === 0 ? -1 : path.lastIndexOf('/', end - 1)
    ) {
      best = firstBehind(this.#prefix.get(path.slice(0, end)), after, best)
    }
    for (const index of this.#regex) {
      if (index <= after) continue
      if (best >= 0 && index > best) break
      if (this.#testRegex(index, path)) return index
    }
    return best
  }

  #findLinear(path: string, after: number): number {
    const patterns = this.#patterns
    for (let index = after + 1; index < patterns.length; index++) {
      const { type, value } = patterns[index] as PathPattern
      if (type === 'prefix') {
        if (coversPath(value, path)) return index
      } else if (type === 'exact') {
        if (value === path) return index
      } else if (this.#testRegex(index, path)) {
        return index
      }
    }
    return -1
  }
}

function push(lists: Map<string, number[]>, value: string, index: number): void {
  const list = lists.get(value)
  if (list === undefined) lists.set(value, [index])
  else list.push(index)
}

/** The smaller of `best` (-1: none) and the first index of an ascending list behind `after`. */
function firstBehind(list: readonly number[] | undefined, after: number, best: number): number {
  if (list === undefined) return best
  for (const index of list) {
    if (index > after) return best < 0 || index < best ? index : best
  }
  return best
}
