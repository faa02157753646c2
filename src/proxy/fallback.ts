import type { Exchange } from './exchange.ts'

/**
 * Turns an exchange, for which no endpoint was to be had, to the backend of last resort, which is told
 * what it stands in for. False: there is none, or it was asked already.
 */
export function takeFallback(exchange: Exchange): boolean {
  const { live, request, tries } = exchange
  const fallback = live?.fallback
  const rule = live?.rule
  if (fallback === undefined || rule?.fallback === undefined) return false
  if (tries > 0 || exchange.target === fallback || exchange.page !== undefined) return false
  const { fields } = request
  const { namespace, name } = rule.origin
  exchange.target = fallback
  fields.set('X-Code', '503')
  fields.set('X-Format', fields.get('accept') ?? '')
  fields.set('X-Original-URI', exchange.originalTarget || request.target)
  fields.set('X-Namespace', namespace)
  fields.set('X-Ingress-Name', name)
  fields.set('X-Service-Name', rule.fallback.service)
  fields.set('X-Service-Port', rule.fallback.servicePort)
  return true
}
