import { layShares, shareAt } from '#algorithms/hash/shares.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import { CONTINUE } from '#src/policies/policy.ts'
import type { Phases } from '#src/policies/policy.ts'
import { cookieValue } from '#src/policies/variables.ts'
import type { VariableSource } from '#src/policies/variables.ts'
import type { CanaryGroup, WeightedBackend } from '#src/table/table.ts'
import { linkAsked } from './canary.ts'
import type { LiveCanary } from './canary.ts'
import type { LiveTarget } from './live-rule.ts'

/** A month: who comes back within it stays on the side that it had. */
const cookieSeconds = 30 * 24 * 3600

/** A choice among any number of canaries, and the phase that lets clients keep it. */
export interface LiveCanaryGroup {
  readonly canary: LiveCanary
  readonly phases: Phases
}

/**
 * Chooses among a primary (the first target) and its canaries. In their order, header and cookie of each
 * may choose it (always) or rule it out (never); else the weights decide, by a number that the client
 * keeps in a cookie. So everybody stays on one side, a weight is a share of clients on every side, and a
 * changed weight moves clients between its own canary and the primary. Who falls to a canary that is
 * ruled out or has no endpoints goes to the primary; a primary without endpoints is not saved by its
 * canaries.
 */
export function linkCanaryGroup(
  { name, canaries }: CanaryGroup,
  backends: readonly WeightedBackend[],
): LiveCanaryGroup {
  const cookie = `headgate-canary-${name}`
  const asked = canaries.map(linkAsked)
  const sum = backends.reduce((total, { weight }) => total + weight, 0)
  const layout = layShares(backends.slice(1).map(({ weight }) => weight / Math.max(sum, 1)))
  /** Numbers of clients that have none yet, until the answer tells them. */
  const fresh = new WeakMap<RequestHead, number>()
  const keyOf = ({ request }: VariableSource, draw: () => number): number => {
    const sent = cookieValue(request, cookie)
    if (isKey(sent)) return Number.parseInt(sent, 16)
    const drawn = Math.floor(draw() * 2 ** 32)
    fresh.set(request, drawn)
    return drawn
  }
  return {
    canary: {
      choose(source, targets, draw) {
        const primary = targets[0] as LiveTarget
        if (primary.backend.eligible === 0) return primary
        let barred = 0
        for (let i = 1; i < targets.length; i++) {
          const other = targets[i] as LiveTarget
          const side = other.backend.eligible === 0 ? 'primary' : asked[i - 1]?.(source)
          if (side === 'canary') return other
          if (side === 'primary') barred |= 1 << i
        }
        const chosen = 1 + shareAt(layout, keyOf(source, draw) / 2 ** 32)
        const target = targets[chosen] ?? primary
        return (barred & (1 << chosen)) === 0 ? target : primary
      },
    },
    phases: {
      responseHead({ request, response, scheme }) {
        const drawn = fresh.get(request)
        if (drawn === undefined) return CONTINUE
        const value = drawn.toString(16).padStart(8, '0')
        const secure = scheme === 'https' ? '; Secure' : ''
        response?.fields.append(
          'Set-Cookie',
          `${cookie}=${value}; Path=/; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Lax${secure}`,
        )
        return CONTINUE
      },
      // Heads are used again: what was drawn belongs to this exchange alone.
      end({ request }) {
        fresh.delete(request)
      },
    },
  }
}

function isKey(text: string): boolean {
  return text.length === 8 && /^[0-9a-f]{8}$/.test(text)
}
