import { compilePattern } from '#algorithms/match/linear-pattern.ts'
import type { Pattern } from '#algorithms/match/linear-pattern.ts'
import type { OwnLocation } from './program.ts'

/** The location that ingress-nginx would make of the rule at hand. */
export interface RuleLocation {
  readonly type: 'exact' | 'prefix' | 'regex'
  /** Decoded; for a prefix without slash at the end. */
  readonly path: string
}

/** A location of a snippet, ready to be compared with paths. */
export interface LinkedLocation {
  readonly own: OwnLocation
  readonly pattern: Pattern | undefined
}

export function linkLocations(locations: readonly OwnLocation[]): readonly LinkedLocation[] {
  return locations.map((own) => ({
    own,
    pattern:
      own.match === 'regex'
        ? compilePattern(own.path, { anchor: 'anywhere', anyCase: own.anyCase })
        : undefined,
  }))
}

/**
 * Which of a server's own locations takes a path, as nginx chooses: an exact one, else the longest
 * prefix if it says so (`^~`), else the first regular expression, else the longest prefix. Undefined:
 * the rule's own location takes it. Snippets stand before the rules in the configuration.
 */
export function chooseLocation(
  locations: readonly LinkedLocation[],
  path: string,
  rule: RuleLocation,
): LinkedLocation | undefined {
  const exact = locations.find(({ own }) => own.match === 'exact' && own.path === path)
  if (exact !== undefined) return exact
  if (isExact(rule, path)) return undefined
  const prefix = longestPrefix(locations, path)
  const length = rule.type === 'regex' ? 0 : rule.path.length + 1
  const longest = prefix !== undefined && prefix.own.path.length >= length ? prefix : undefined
  if (longest?.own.match === 'prefix-first') return longest
  const regex = locations.find(({ pattern }) => pattern?.test(path) === true)
  return regex ?? (rule.type === 'regex' ? undefined : longest)
}

function longestPrefix(
  locations: readonly LinkedLocation[],
  asked: string,
): LinkedLocation | undefined {
  let longest: LinkedLocation | undefined
  for (const location of locations) {
    const { match, path } = location.own
    if (!match.startsWith('prefix') || !asked.startsWith(path)) continue
    if (longest === undefined || path.length > longest.own.path.length) longest = location
  }
  return longest
}

/** ingress-nginx makes an exact location of a prefix as well, for the path without its slash. */
function isExact({ type, path }: RuleLocation, asked: string): boolean {
  return type !== 'regex' && path !== '' && path === asked
}
