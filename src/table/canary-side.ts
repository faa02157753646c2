import { pathBytes } from '#algorithms/match/canonical-path.ts'
import { compilePattern } from '#algorithms/match/linear-pattern.ts'
import type { Canary } from './table.ts'

/** Which side a request is sent to; undefined: it is left to what comes behind. */
export type Side = 'primary' | 'canary' | undefined

/** What a request's field and cookie, as bytes, say about one canary; the field comes first. */
export interface CanaryReader {
  /** `sent`: the value of the canary's field; undefined: the request has none. */
  header(sent: string | undefined): Side
  /** `sent`: the value of the canary's cookie, '' for none. */
  cookie(sent: string): Side
}

/** The rules of ingress-nginx's canary annotations (balancer.lua, route_to_alternative_balancer). */
export function canaryReader(canary: Canary): CanaryReader {
  const { header, broken, cookie } = canary
  // Fields are bytes.
  const value = pathBytes(canary.value)
  const pattern =
    canary.pattern === ''
      ? undefined
      : compilePattern(pathBytes(canary.pattern), { anchor: 'anywhere', anyCase: false })
  return {
    header(sent) {
      if (header === '' || sent === undefined) return undefined
      if (value !== '') return sent === value ? 'canary' : undefined
      if (broken) return 'primary'
      if (pattern !== undefined) return pattern.test(sent) ? 'canary' : undefined
      return sideOf(sent)
    },
    cookie: (sent) => (cookie === '' ? undefined : sideOf(sent)),
  }
}

function sideOf(word: string): Side {
  if (word === 'always') return 'canary'
  return word === 'never' ? 'primary' : undefined
}
