import { matches, type PathEntry } from './path-entry.ts'
import { hashStart, hashTail, hashUnit } from './text-hash.ts'

const slash = 0x2f

/** The positions, ascending, of the patterns that share a value. */
interface Bucket {
  readonly value: string
  readonly exact: number[]
  readonly prefix: number[]
}

/**
 * Many patterns, found by a rolling hash over the path: at the end of each of its elements one look
 * into a table, however many patterns there are. Regular expressions are tried in turn, and only
 * those that come before what the table gives.
 */
export class PathIndex {
  readonly #entries: readonly PathEntry[]
  readonly #buckets = new Map<number, Bucket[]>()
  readonly #regexes: number[] = []
  /** No value is longer, so no path is read further. */
  #lengthMax = 0

  constructor(entries: readonly PathEntry[]) {
    this.#entries = entries
    for (const [position, { type, value }] of entries.entries()) {
      if (type === 'regex') this.#regexes.push(position)
      else this.#bucketOf(value)[type].push(position)
    }
  }

  /** Position of the first pattern at or after `from` that matches; -1: none does. */
  next(path: string, from: number): number {
    const found = this.#nextByHash(path, from)
    const end = found < 0 ? this.#entries.length : found
    const regexes = this.#regexes
    for (let at = lowerBound(regexes, from); at < regexes.length; at++) {
      const position = regexes[at] as number
      if (position >= end) break
      if (matches(this.#entries[position] as PathEntry, path)) return position
    }
    return found
  }

  /** Precedence need not go by length, so every element's end is looked at. */
  #nextByHash(path: string, from: number): number {
    const { length } = path
    const end = Math.min(length, this.#lengthMax)
    let hash = hashStart
    let best = -1
    for (let at = 0; at < end; at++) {
      const unit = path.charCodeAt(at)
      if (unit === slash) best = earlier(best, this.#at(hash, path, at, from))
      hash = hashUnit(hash, unit)
    }
    if (end === length || path.charCodeAt(end) === slash) {
      best = earlier(best, this.#at(hash, path, end, from))
    }
    return best
  }

  /** The first position at or after `from` whose value is the first `size` units of the path. */
  // oxlint-disable-next-line max-params -- on the path of every request, where an object would cost
  #at(hash: number, path: string, size: number, from: number): number {
    const buckets = this.#buckets.get(hash)
    if (buckets === undefined) return -1
    for (const { value, exact, prefix } of buckets) {
      if (value.length !== size || !path.startsWith(value)) continue
      const found = atOrAfter(prefix, from)
      return size === path.length ? earlier(found, atOrAfter(exact, from)) : found
    }
    return -1
  }

  #bucketOf(value: string): Bucket {
    const hash = hashTail(value, 0)
    let buckets = this.#buckets.get(hash)
    if (buckets === undefined) this.#buckets.set(hash, (buckets = []))
    let bucket = buckets.find((one) => one.value === value)
    if (bucket === undefined) buckets.push((bucket = { value, exact: [], prefix: [] }))
    this.#lengthMax = Math.max(this.#lengthMax, value.length)
    return bucket
  }
}

/** The smaller of two positions, where -1 stands for none. */
function earlier(a: number, b: number): number {
  if (a < 0) return b
  return b < 0 || a < b ? a : b
}

function atOrAfter(positions: readonly number[], from: number): number {
  return positions[lowerBound(positions, from)] ?? -1
}

/** Index of the first position that is not below `from`. */
function lowerBound(positions: readonly number[], from: number): number {
  let low = 0
  if (positions.length === 0 || (positions[0] as number) >= from) return low
  let high = positions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((positions[middle] as number) < from) low = middle + 1
    else high = middle
  }
  return low
}
