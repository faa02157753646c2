import { compilePattern } from '#algorithms/match/linear-pattern.ts'
import type { Pattern } from '#algorithms/match/linear-pattern.ts'
import { cookieValue } from '#src/policies/variables.ts'
import type { VariableSource } from '#src/policies/variables.ts'
import type { Canary } from '#src/table/table.ts'
import type { LiveTarget } from './live-rule.ts'
import { ownsSession } from './sessions.ts'

/** Which side a request is sent to; undefined: chance decides by weight. */
export type Side = 'primary' | 'canary' | undefined

/** The choice between a rule's primary (its first target) and its canary (its second). */
export interface LiveCanary {
  /** `draw` is uniform in [0, 1). */
  choose(source: VariableSource, targets: readonly LiveTarget[], draw: () => number): LiveTarget
}

/**
 * Chooses as ingress-nginx does, the first that decides: a session of the primary, a session of the
 * canary, the header field, the cookie, the weight. A canary without endpoints is passed over; a
 * primary without endpoints is not saved by its canary.
 */
export function linkCanary(canary: Canary): LiveCanary {
  const asked = linkAsked(canary)
  return {
    choose(source, targets, draw) {
      const primary = targets[0] as LiveTarget
      const other = targets[1]
      if (other === undefined || other.backend.eligible === 0 || primary.backend.eligible === 0) {
        return primary
      }
      const side = sideOfSession(source, primary, other) ?? asked(source)
      if (side !== undefined) return side === 'canary' ? other : primary
      const total = primary.use.weight + other.use.weight
      return draw() * total < other.use.weight ? other : primary
    },
  }
}

/** What header and cookie of a request say about one canary. */
export function linkAsked(canary: Canary): (source: VariableSource) => Side {
  const pattern =
    canary.pattern === ''
      ? undefined
      : compilePattern(canary.pattern, { anchor: 'anywhere', anyCase: false })
  return (source) => sideOfHeader(source, canary, pattern) ?? sideOfCookie(source, canary)
}

function sideOfSession(source: VariableSource, primary: LiveTarget, other: LiveTarget): Side {
  if (ownsSession(source, primary)) return 'primary'
  return ownsSession(source, other) ? 'canary' : undefined
}

function sideOfHeader(
  { request }: VariableSource,
  { header, value, broken }: Canary,
  pattern: Pattern | undefined,
): Side {
  if (header === '') return undefined
  const sent = request.fields.get(header)
  if (sent === undefined) return undefined
  if (value !== '') return sent === value ? 'canary' : undefined
  if (broken) return 'primary'
  if (pattern !== undefined) return pattern.test(sent) ? 'canary' : undefined
  return sideOf(sent)
}

function sideOfCookie({ request }: VariableSource, { cookie }: Canary): Side {
  return cookie === '' ? undefined : sideOf(cookieValue(request, cookie))
}

function sideOf(word: string): Side {
  if (word === 'always') return 'canary'
  return word === 'never' ? 'primary' : undefined
}
