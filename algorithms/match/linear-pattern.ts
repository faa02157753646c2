import { RE2JS } from 're2js'

/** A regular expression that runs in time linear in the text, whoever wrote it. */
export interface Pattern {
  test(text: string): boolean
  /** The whole match and its groups, '' for a group that took no part; undefined: no match. */
  groups(text: string): readonly string[] | undefined
}

/** Longer patterns are refused: matching costs time in proportion to them. */
export const patternLengthMax = 1024

/** Where a pattern must match. `start`: at the first character, as paths of an Ingress do. */
export type PatternAnchor = 'start' | 'anywhere'

/**
 * Why a text cannot be used as a pattern; undefined: it can. The syntax is RE2's: what PCRE has beyond
 * it (lookaround, back references) cannot be matched in linear time.
 */
export function patternProblem(text: string): string | undefined {
  if (text.length > patternLengthMax) return `is longer than ${patternLengthMax} characters`
  try {
    RE2JS.compile(text, RE2JS.CASE_INSENSITIVE)
    if (runsOnV8(text, 'start')) void new RegExp(text, 'i')
    return undefined
  } catch (error) {
    const detail = error instanceof Error ? error.message.split('\n')[0] : ''
    return `is not a regular expression that can be used (${detail})`
  }
}

/** Compiles a pattern that has no `patternProblem`. */
export function compilePattern(
  text: string,
  { anchor, anyCase }: { readonly anchor: PatternAnchor; readonly anyCase: boolean },
): Pattern {
  const source = anchor === 'start' ? `^(?:${text})` : text
  if (runsOnV8(text, anchor)) return onV8(new RegExp(source, anyCase ? 'i' : ''))
  return onRe2(RE2JS.compile(source, anyCase ? RE2JS.CASE_INSENSITIVE : 0))
}

function onV8(regex: RegExp): Pattern {
  return {
    test: (text) => regex.test(text),
    groups(text) {
      const found = regex.exec(text)
      if (found === null) return undefined
      return Array.from<string | undefined, string>(found, (group) => group ?? '')
    },
  }
}

function onRe2(regex: RE2JS): Pattern {
  return {
    test: (text) => regex.matcher(text).find(),
    groups(text) {
      const matcher = regex.matcher(text)
      if (!matcher.find()) return undefined
      const groups: string[] = []
      for (let i = 0; i <= matcher.groupCount(); i++) {
        // Its types do not say that a group may have taken no part.
        const group: string | null = matcher.group(i)
        groups.push(group ?? '')
      }
      return groups
    },
  }
}

/** Letters behind a backslash that mean the same in RE2 and in V8. */
const commonEscape = /^[dDwWbB]$|^[^A-Za-z0-9]$/

/** Of choices (`?` and `|`) a backtracking engine may have to try every combination. */
const choicesMax = 8
/** A repetition of exactly so many is as good as writing them out. */
const exactMax = 32

/**
 * Whether a backtracking engine matches the pattern in time linear in the text, and both engines read it
 * alike. Then V8 may run it, which is many times faster. Cheap and cautious: no group is repeated but by
 * `?`; choices are few; and of the other repetitions at most one (none, if a match may begin anywhere)
 * stands anywhere but at the very end, so that no two of them can divide a text between them.
 */
export function runsOnV8(pattern: string, anchor: PatternAnchor): boolean {
  let inner = anchor === 'start' ? 1 : 0
  let choices = choicesMax
  for (let at = 0; at < pattern.length;) {
    const end = tokenEnd(pattern, at)
    if (end < 0) return false
    if (/[?|]/.test(pattern.charAt(at))) choices--
    const repeat = repeatAt(pattern, end)
    if (repeat !== '' && pattern.charAt(at) === ')') return false
    at = end + repeat.length
    if (repeat !== '' && !isExact(repeat) && !isEnd(pattern, at)) inner--
  }
  return choices >= 0 && inner >= 0
}

function repeatAt(pattern: string, at: number): string {
  return /^(?:[*+]|\{\d+(?:,\d*)?\})/.exec(pattern.slice(at))?.[0] ?? ''
}

function isExact(repeat: string): boolean {
  return /^\{\d+\}$/.test(repeat) && Number(repeat.slice(1, -1)) <= exactMax
}

function isEnd(pattern: string, at: number): boolean {
  return /^\)*\$?\)*$/.test(pattern.slice(at))
}

/** Where the token at this place ends; -1: it is one that the engines may read otherwise. */
function tokenEnd(pattern: string, at: number): number {
  const character = pattern.charAt(at)
  if (character === '\\') return commonEscape.test(pattern.charAt(at + 1)) ? at + 2 : -1
  if (character === '[') return classEnd(pattern, at)
  if (character === '(' && pattern.charAt(at + 1) === '?')
    return pattern.charAt(at + 2) === ':' ? at + 3 : -1
  if (character === '{' || character === '}' || character === '*' || character === '+') return -1
  // Beyond ASCII case means different things to the engines.
  return character > '~' ? -1 : at + 1
}

function classEnd(pattern: string, at: number): number {
  const match = /^\[\^?(?:[^\][\\]|\\[dDwW]|\\[^A-Za-z0-9])+\]/.exec(pattern.slice(at))
  return match === null ? -1 : at + match[0].length
}
