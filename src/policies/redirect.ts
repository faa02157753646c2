import type { Annotation } from '#src/annotations/schema.ts'
import { bool, integer } from '#src/annotations/types.ts'
import { publicHostOf, publicPortOf } from './location.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import { snippetState } from './snippets/state.ts'
import { renderTemplate, templateType } from './template.ts'
import type { Template } from './template.ts'

/** A rule that answers every request by a redirect. */
export interface RedirectConfig {
  readonly status: number
  readonly target: Template
  /** A path is sent as it is, not made a URL. */
  readonly relative: boolean
}

const location = templateType(
  'a URL with http or https, or a path that begins with /, with variables such as $request_uri',
  { shape: /^(?:https?:\/\/|\/|\$)[!-~]*$/i },
)

/** Whether redirects of ours to a path stay paths. */
export const relativeRedirects: Annotation<boolean> = {
  type: bool,
  default: false,
  doc: 'Sends a redirect to a path as it is, without scheme and host.',
  example: 'true',
  risk: 'low',
  scope: 'path',
  compatibility: 'same',
  option: true,
}

/** Redirects instead of asking an upstream. The temporary redirect wins over the permanent one. */
export const redirect = policy({
  annotations: {
    'permanent-redirect': {
      type: location,
      default: [] as Template,
      doc: 'Every request is answered by a redirect to this URL, which stands for itself: path and query of the request are not added.',
      example: 'https://www.example.com/new',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
    },
    'permanent-redirect-code': {
      type: integer(300, 308),
      default: 301,
      doc: 'Status of permanent-redirect.',
      example: '308',
      risk: 'low',
      scope: 'path',
      compatibility: 'same',
    },
    'temporal-redirect': {
      type: location,
      default: [] as Template,
      doc: 'As permanent-redirect, with status 302; it wins over permanent-redirect.',
      example: 'https://www.example.com$request_uri',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
    },
    'temporal-redirect-code': {
      type: integer(300, 307),
      default: 302,
      doc: 'Status of temporal-redirect.',
      example: '307',
      risk: 'low',
      scope: 'path',
      compatibility: 'same',
    },
    'relative-redirects': relativeRedirects,
  },
  options: {},

  configure(values): RedirectConfig | undefined {
    const relative = values['relative-redirects']
    const temporal = values['temporal-redirect']
    if (temporal.length > 0) {
      return { status: values['temporal-redirect-code'], target: temporal, relative }
    }
    const permanent = values['permanent-redirect']
    if (permanent.length === 0) return undefined
    return { status: values['permanent-redirect-code'], target: permanent, relative }
  },

  start({ status, target, relative }) {
    return {
      requestHead(exchange) {
        // A snippet said `break`, which ends this as well.
        if (snippetState(exchange)?.ended === true) return CONTINUE
        let text = renderTemplate(target, exchange)
        // As nginx does it: the host that was asked for, without its port.
        if (!relative && text.startsWith('/')) {
          text = `${exchange.scheme}://${publicHostOf(exchange)}${text}`
        }
        return exchange.reply({ status, fields: ['Location', text] })
      },
    }
  },
})

/** A host that exists only to send its requests to another one. */
export interface HostRedirectConfig {
  readonly host: string
  readonly status: number
}

/** The redirect between `www.x` and `x`. The compiler makes a host of its own for it. */
export const hostRedirect = policy({
  annotations: {
    'from-to-www-redirect': {
      type: bool,
      default: false,
      doc: 'Redirects www.x to x, or x to www.x: towards the host in the rule. A host that has rules of its own is left alone.',
      example: 'true',
      risk: 'low',
      scope: 'host',
      compatibility: 'same',
    },
  },
  options: {},

  configure: (): HostRedirectConfig | undefined => undefined,

  start({ host, status }) {
    return {
      requestHead(exchange) {
        const { scheme, request } = exchange
        // As ingress-nginx does it: without a slash at the end.
        const { target } = request
        const path = target.endsWith('/') ? target.slice(0, -1) : target
        const url = `${scheme}://${host}${publicPortOf(exchange)}${path}`
        return exchange.reply({ status, fields: ['Location', url] })
      },
    }
  },
})
