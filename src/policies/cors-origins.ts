import type { ValueType } from '#src/annotations/types.ts'

/** One origin of a list (RFC 6454 6.2), lower case. */
export interface OriginPattern {
  /** `*`: every origin. */
  readonly any: boolean
  /** The origin up to its first label: `https://`. */
  readonly scheme: string
  /** Host and port; behind one label where `wildcard` says so, with the dot in front. */
  readonly rest: string
  readonly wildcard: boolean
}

/** The default: every origin. */
export const anyOrigin: readonly OriginPattern[] = [
  { any: true, scheme: '', rest: '', wildcard: false },
]

/** Origins between commas. What is none is left out, as in ingress-nginx. */
export const originList: ValueType<readonly OriginPattern[]> = {
  expects: 'a comma-separated list of * and origins such as https://app.example.com:8443',
  schema: {},
  parse(text) {
    const patterns = partsOf(text).map(readOrigin)
    const valid = patterns.filter((pattern) => pattern !== undefined)
    return valid.length === 0 ? undefined : valid
  },
  format: (patterns) =>
    patterns
      .map(({ any, scheme, wildcard, rest }) => (any ? '*' : scheme + (wildcard ? '*' : '') + rest))
      .join(','),
  warn(text) {
    const bad = partsOf(text).find((part) => readOrigin(part) === undefined)
    return bad === undefined ? undefined : `${JSON.stringify(bad)} is no origin and is left out`
  },
}

function partsOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function readOrigin(text: string): OriginPattern | undefined {
  if (text === '*') return anyOrigin[0]
  const parts = /^((?:[a-z][-a-z0-9+.]*:\/\/)?)(\*?)([-a-z0-9._]+(?::\d{1,5})?)$/.exec(
    text.toLowerCase(),
  )
  if (parts === null) return undefined
  const [, scheme = '', star = '', rest = ''] = parts
  if (star !== '' && !rest.startsWith('.')) return undefined
  return { any: false, scheme, rest, wildcard: star !== '' }
}

/** Whether a list without `*` has this origin. */
export function matchesOrigin(patterns: readonly OriginPattern[], origin: string): boolean {
  const lower = origin.toLowerCase()
  return patterns.some(({ scheme, rest, wildcard }) => {
    if (!wildcard) return lower === scheme + rest
    if (!lower.startsWith(scheme) || !lower.endsWith(rest)) return false
    const label = lower.slice(scheme.length, lower.length - rest.length)
    return /^[-a-z0-9_]+$/.test(label)
  })
}
