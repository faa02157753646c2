import { pathBytes } from '#algorithms/match/canonical-path.ts'
import { compilePattern, patternProblem } from '#algorithms/match/linear-pattern.ts'
import type { ValueType } from '#src/annotations/types.ts'

/** Regular expressions in one list: each of them may be tried on each request. */
export const mapPatternsMax = 256

/**
 * What stands on the left of nginx's map, with commas between: whole values, compared in any case,
 * `~` and a regular expression, or `~*` and one for any case.
 */
export const mapValues: ValueType<readonly string[]> = {
  expects:
    'a comma-separated list of values, of ~ and a regular expression, or of ~* and one for any case',
  schema: {},
  parse(text) {
    const parts = partsOf(text)
    return tooMany(parts) || parts.some((part) => problemOf(part) !== undefined) ? undefined : parts
  },
  format: (parts) => parts.join(','),
  explain(text) {
    const parts = partsOf(text)
    if (tooMany(parts)) return `more than ${mapPatternsMax} regular expressions are not`
    for (const part of parts) {
      const problem = problemOf(part)
      if (problem !== undefined) return `${JSON.stringify(part)} ${problem}`
    }
    return undefined
  },
}

/** Whether a value, in bytes, is in a list of `mapValues`; patterns are compiled here, once. */
export function mapTester(list: readonly string[]): (value: string | undefined) => boolean {
  const parts = list.map(pathBytes)
  const exact = new Set(parts.filter((part) => !isPattern(part)).map((part) => part.toLowerCase()))
  const patterns = parts
    .filter(isPattern)
    .map((part) =>
      compilePattern(regexOf(part), { anchor: 'anywhere', anyCase: part.startsWith('~*') }),
    )
  return (value) =>
    value !== undefined &&
    (exact.has(value.toLowerCase()) || patterns.some((pattern) => pattern.test(value)))
}

function partsOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function tooMany(parts: readonly string[]): boolean {
  return parts.length > mapPatternsMax && parts.filter(isPattern).length > mapPatternsMax
}

function problemOf(part: string): string | undefined {
  return isPattern(part) ? patternProblem(pathBytes(regexOf(part))) : undefined
}

function isPattern(part: string): boolean {
  return part.startsWith('~')
}

function regexOf(part: string): string {
  return part.slice(part.startsWith('~*') ? 2 : 1)
}
