import type { ValueType } from '#src/annotations/types.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import { renderTemplate, templateType } from './template.ts'
import type { Template } from './template.ts'

/** How URLs in answers of the upstream are rewritten: what they begin with, and by what it is replaced. */
export interface ResponseLocationConfig {
  readonly from: string
  readonly to: Template
}

const urlStart: ValueType<string> = {
  expects: 'off, or the text that a URL begins with',
  schema: { pattern: '^[^~\\s][!-~]*$' },
  parse: (text) => (/^[!-}][!-~]*$/.test(text) && text !== 'default' ? text : undefined),
  format: (text) => text,
  explain: (text) => (text.startsWith('~') ? 'regular expressions are not supported' : undefined),
}

const off: Template = [{ text: 'off' }]

const replacement = templateType(
  'off, or the text that stands there instead, with variables such as $host',
  {
    shape: /^[!-}][!-~]*$/,
  },
)

/** Rewrites Location and Refresh of upstreams, as nginx's proxy_redirect. */
export const responseLocation = policy({
  annotations: {
    'proxy-redirect-from': {
      type: urlStart,
      default: 'off',
      doc: 'What Location and Refresh of an upstream must begin with to be rewritten.',
      example: 'http://internal.example:8080/',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
      option: true,
      refused: { default: 'nginx makes it out of the address of the upstream; name the URL' },
    },
    'proxy-redirect-to': {
      type: replacement,
      default: off,
      doc: 'What stands there instead; it may hold variables.',
      example: 'https://www.example.com/',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
      option: true,
    },
  },
  options: {},

  configure(values): ResponseLocationConfig | undefined {
    const from = values['proxy-redirect-from']
    const to = values['proxy-redirect-to']
    return from === 'off' || replacement.format(to) === 'off' ? undefined : { from, to }
  },

  start({ from, to }) {
    return {
      responseHead(exchange) {
        const fields = exchange.response?.fields
        // Redirects of our own are what they are meant to be.
        if (fields === undefined || exchange.upstreamAddress === '') return CONTINUE
        const location = fields.get('location')
        if (location?.startsWith(from) === true) {
          fields.set('Location', renderTemplate(to, exchange) + location.slice(from.length))
        }
        const refresh = fields.get('refresh')
        const at = refresh === undefined ? -1 : urlAt(refresh)
        if (refresh !== undefined && at >= 0 && refresh.startsWith(from, at)) {
          const url = renderTemplate(to, exchange) + refresh.slice(at + from.length)
          fields.set('Refresh', refresh.slice(0, at) + url)
        }
        return CONTINUE
      },
    }
  },
})

/** Where the URL of a Refresh field begins; -1: it has none. */
function urlAt(refresh: string): number {
  const mark = refresh.toLowerCase().indexOf('url=')
  return mark < 0 ? -1 : mark + 4
}
