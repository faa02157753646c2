/** A compiled regular expression; the caller decides its dialect, anchors and regard to case. */
export interface PathTest {
  test(path: string): boolean
}

/** One pattern of a list, ready to be compared. */
export interface PathEntry {
  readonly type: 'exact' | 'prefix' | 'regex'
  /** In bytes, as canonical paths are; without slashes at the end for prefixes. */
  readonly value: string
  readonly test: PathTest | undefined
}

/** Whether a canonical path matches: the definition that every search has to agree with. */
export function matches({ type, value, test }: PathEntry, path: string): boolean {
  if (type === 'exact') return path === value
  if (type === 'regex') return test?.test(path) === true
  if (!path.startsWith(value)) return false
  return path.length === value.length || path.charCodeAt(value.length) === 0x2f
}
