import { escapeUri } from './escape-uri.ts'
import type { PolicyExchange } from './policy.ts'
import { formatTemplate, renderTemplate } from './template.ts'
import type { Template } from './template.ts'

/**
 * Makes the URL at which a client signs in: what is written, and behind it a parameter with the URL that was
 * asked for, unless the parameter is written there already. What a client brings into variables does not
 * count as written, as in ingress-nginx.
 */
export function linkSignIn(
  signIn: Template,
  parameter: string,
): (exchange: PolicyExchange) => string {
  const [, query = ''] = /^[^?#]*\?([^#]*)/.exec(formatTemplate(signIn)) ?? []
  const written = new URLSearchParams(query).get(parameter) ?? ''
  if (written !== '') return (exchange) => renderTemplate(signIn, exchange)
  const begin = `${query === '' ? '?' : '&'}${parameter}=`
  return (exchange) => {
    const { scheme, publicHost, originalTarget, request } = exchange
    const asked = `${scheme}://${publicHost}${escapeUri(originalTarget || request.target)}`
    return `${renderTemplate(signIn, exchange)}${begin}${asked}`
  }
}
