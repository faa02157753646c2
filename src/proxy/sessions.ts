import { variableValue } from '#src/policies/variables.ts'
import type { VariableSource } from '#src/policies/variables.ts'
import type { Exchange } from './exchange.ts'
import type { LiveTarget } from './live-rule.ts'

/** The value of the session cookie that the client sent, '' for none. */
export function sentSession(source: VariableSource, { balancer }: LiveTarget): string {
  const part = balancer.balance.hashKey[0]
  return part !== undefined && 'variable' in part ? variableValue(source, part.variable) : ''
}

/** Whether the client has a session with this target, which must balance by sessions for that. */
export function ownsSession(source: VariableSource, target: LiveTarget): boolean {
  const { sessions } = target.backend
  if (sessions === undefined || target.balancer.sessions === undefined) return false
  return sessions.owns(sentSession(source, target))
}

/**
 * The value of the cookie that the answer must set, '' for none: the client's session is new, or its
 * endpoint is gone (which matters only where it names that) or, where `changeOnFailure` says so, failed.
 */
export function newSession(exchange: Exchange, changeOnFailure: boolean): string {
  const { attempt } = exchange
  if (attempt === undefined || !attempt.answered) return ''
  const { target, endpoint } = attempt
  const { sessions } = target.backend
  const { sessions: known } = target.balancer
  if (sessions === undefined || known === undefined) return ''
  if (endpoint.index < 0 || (exchange.hashKey > 0 && !changeOnFailure)) return ''
  const { sessionKey } = exchange
  const value = known === 'key' ? sessions.valueOf(sessionKey) : sessions.valueAt(endpoint.index)
  return value === sentSession(exchange, target) ? '' : value
}
