import { RE2JS } from 're2js'

/** Longer patterns, or such that repeat a part more often, are refused: their programs grow with them. */
const patternLengthMax = 4096

/** A regular expression that is searched for in time linear in the text, whatever either holds. */
export interface LinearPattern {
  /** Whether it is found anywhere in the text. */
  test(text: string): boolean
}

/** Whether `linearPattern` takes this pattern. */
export function isLinearPattern(pattern: string): boolean {
  try {
    linearPattern(pattern)
    return true
  } catch {
    return false
  }
}

/**
 * Compiles a pattern in RE2's syntax: that of PCRE without lookaround and back-references, which
 * nothing searches in linear time. Throws for any other.
 */
export function linearPattern(pattern: string): LinearPattern {
  if (pattern.length > patternLengthMax) throw new RangeError('the pattern is too long')
  const compiled = RE2JS.compile(pattern)
  return { test: (text) => compiled.matcher(text).find() }
}
