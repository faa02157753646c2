import type { Fields } from '#src/exchange/fields.ts'
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
  setOrRemove(fields, 'X-Format', fields.getSent('accept'))
  fields.set('X-Namespace', namespace)
  fields.set('X-Ingress-Name', name)
  fields.set('X-Service-Name', rule.fallback.service)
  fields.set('X-Service-Port', rule.fallback.servicePort)
  return true
}

/** A field of the proxy's own: what a client sent under its name never gets through. */
export function setOrRemove(fields: Fields, name: string, value: string | undefined): void {
  if (value === undefined || value === '') fields.remove(name)
  else fields.set(name, value)
}
