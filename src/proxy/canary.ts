import { cookieValue } from '#src/policies/variables.ts'
import type { VariableSource } from '#src/policies/variables.ts'
import { canaryReader } from '#src/table/canary-side.ts'
import type { Side } from '#src/table/canary-side.ts'
import type { Canary } from '#src/table/table.ts'
import type { LiveTarget } from './live-rule.ts'
import { ownsSession } from './sessions.ts'

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
  const reader = canaryReader(canary)
  const { header, cookie } = canary
  return ({ request }) => {
    const side = header === '' ? undefined : reader.header(request.fields.getSent(header))
    return side ?? (cookie === '' ? undefined : reader.cookie(cookieValue(request, cookie)))
  }
}

function sideOfSession(source: VariableSource, primary: LiveTarget, other: LiveTarget): Side {
  if (ownsSession(source, primary)) return 'primary'
  return ownsSession(source, other) ? 'canary' : undefined
}
