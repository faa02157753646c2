import type { CloseReason } from './transport.ts'

const reasons = new Map<string, CloseReason>([
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['ECONNABORTED', 'reset'],
  ['ENOTCONN', 'reset'],
  ['ECONNREFUSED', 'refused'],
  ['ETIMEDOUT', 'timeout'],
  ['EHOSTUNREACH', 'unreachable'],
  ['EHOSTDOWN', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['ENETDOWN', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
])

/** Sorts a system error (`ECONNRESET`, …) into the reasons that the proxy tells apart. */
export function closeReasonOf(code: string): CloseReason {
  return reasons.get(code) ?? 'error'
}
