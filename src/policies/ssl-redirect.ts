import { path } from '#src/annotations/names.ts'
import { bool, integerOf, listOf } from '#src/annotations/types.ts'
import { policy } from './policy-definition.ts'
import { publicHostOf } from './location.ts'
import { CONTINUE } from './policy.ts'
import type { PolicyExchange } from './policy.ts'

/** A rule on which plain HTTP is answered by a redirect to HTTPS. */
export interface SslRedirectConfig {
  readonly status: number
  readonly keepTrailingSlash: boolean
  /** Port to be named in the URL; 0: none is. */
  readonly port: number
}

/**
 * Sends clients from http to https, as ingress-nginx does: where a TLS section names the host, or
 * everywhere when forced. What counts is the client's scheme, decided once for the exchange.
 */
export const sslRedirect = policy({
  annotations: {
    'ssl-redirect': {
      type: bool,
      default: true,
      doc: 'Redirects http to https where a TLS section names the host, even if its Secret is missing.',
      example: 'false',
      risk: 'low',
      scope: 'path',
      compatibility: 'same',
      option: true,
    },
    'force-ssl-redirect': {
      type: bool,
      default: false,
      doc: 'Redirects http to https even without a TLS section, for TLS that ends in front of Headgate.',
      example: 'true',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
      option: true,
    },
    'preserve-trailing-slash': {
      type: bool,
      default: false,
      doc: 'Keeps a slash at the very end of the redirect to https, which is cut off otherwise.',
      example: 'true',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
      option: true,
    },
    'use-port-in-redirects': {
      type: bool,
      default: false,
      doc: 'Names the port of the https listener in the redirect to https.',
      example: 'true',
      risk: 'low',
      scope: 'path',
      compatibility: 'same',
      option: true,
    },
  },

  options: {
    'http-redirect-code': {
      type: integerOf([301, 302, 307, 308]),
      default: 308,
      doc: 'Status of the redirect to https.',
      example: '301',
      compatibility: 'same',
    },
    'no-tls-redirect-locations': {
      type: listOf(path),
      default: ['/.well-known/acme-challenge'],
      doc: 'Paths of an Ingress that begin with one of these are never redirected to https.',
      example: '/.well-known/acme-challenge,/health',
      compatibility: 'same',
      emptyIsValue: true,
    },
  },

  configure(values, { options, tls, path: rulePath, httpsPort }): SslRedirectConfig | undefined {
    const wanted = values['force-ssl-redirect'] || (values['ssl-redirect'] && tls)
    const exempt = options['no-tls-redirect-locations'].some((start) => rulePath.startsWith(start))
    if (!wanted || exempt) return undefined
    return {
      status: options['http-redirect-code'],
      keepTrailingSlash: values['preserve-trailing-slash'],
      port: values['use-port-in-redirects'] ? httpsPort : 0,
    }
  },

  start({ status, keepTrailingSlash, port }) {
    const portText = port === 0 ? '' : `:${port}`
    return {
      requestHead(exchange) {
        if (exchange.scheme === 'https') return CONTINUE
        const location = secureLocation(exchange, keepTrailingSlash, portText)
        return exchange.reply({ status, fields: ['Location', location] })
      },
    }
  },
})

/** The same URL under https. The client's port is left out: the one of http would be wrong. */
function secureLocation(
  exchange: PolicyExchange,
  keepTrailingSlash: boolean,
  portText: string,
): string {
  const { target } = exchange.request
  const cut = !keepTrailingSlash && target.endsWith('/')
  return `https://${publicHostOf(exchange)}${portText}${cut ? target.slice(0, -1) : target}`
}
