import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import { formatTemplate, renderTemplate, templateType } from './template.ts'
import type { Template } from './template.ts'
import { publicHostOf, publicPortOf } from './location.ts'

/** Where a request for exactly `/` is sent. */
export interface AppRootConfig {
  readonly target: Template
}

/** Sends a request for the root of a host to the place where its application begins. */
export const appRoot = policy({
  annotations: {
    'app-root': {
      type: templateType('a path that begins with /', { shape: /^\/[!-~]*$/ }),
      default: [] as Template,
      doc: 'A request for exactly / of the host is answered by a redirect (302) to this path, whatever paths the Ingress has.',
      example: '/app',
      risk: 'medium',
      scope: 'host',
      compatibility: 'same',
    },
  },
  options: {},

  configure(values): AppRootConfig | undefined {
    const target = values['app-root']
    return formatTemplate(target) === '' ? undefined : { target }
  },

  start({ target }) {
    return {
      requestHead(exchange) {
        if (exchange.path !== '/') return CONTINUE
        const { scheme } = exchange
        const host = `${publicHostOf(exchange)}${publicPortOf(exchange)}`
        const location = `${scheme}://${host}${renderTemplate(target, exchange)}`
        return exchange.reply({ status: 302, fields: ['Location', location] })
      },
    }
  },
})
