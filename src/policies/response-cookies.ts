import type { ValueType } from '#src/annotations/types.ts'
import { fieldMask } from '#src/exchange/known-fields.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'

/** From what to what; undefined: left as it is. */
interface Replacement {
  readonly from: string
  readonly to: string
}

/** How attributes of the upstream's cookies are rewritten. */
export interface ResponseCookiesConfig {
  readonly domain: Replacement | undefined
  readonly path: Replacement | undefined
}

const off: Replacement = { from: '', to: '' }

/** nginx's notation: `off`, or two words. */
const replacement: ValueType<Replacement> = {
  expects: 'off, or what is replaced and by what, such as "internal.example www.example.com"',
  schema: { pattern: '^(?:off|[^~;\\s]\\S*\\s+[^;\\s]+)$' },
  parse(text) {
    if (text === 'off') return off
    const [, from = '', to = ''] = /^([!-:<-}]+)\s+([!-:<-~]+)$/.exec(text) ?? []
    return from === '' ? undefined : { from, to }
  },
  format: ({ from, to }) => (from === '' ? 'off' : `${from} ${to}`),
  explain: (text) => (text.startsWith('~') ? 'regular expressions are not supported' : undefined),
}

/** Rewrites Domain and Path of the cookies that upstreams set (nginx's proxy_cookie_*). */
export const responseCookies = policy({
  annotations: {
    'proxy-cookie-domain': {
      type: replacement,
      default: off,
      doc: 'Replaces the Domain of cookies that upstreams set, where it equals the first name.',
      example: 'internal.example www.example.com',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
      option: true,
    },
    'proxy-cookie-path': {
      type: replacement,
      default: off,
      doc: 'Replaces the beginning of the Path of cookies that upstreams set.',
      example: '/one/ /',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
      option: true,
    },
  },
  options: {},

  configure(values, { snippet }): ResponseCookiesConfig | undefined {
    const domain = values['proxy-cookie-domain']
    const path = snippet?.cookiePath ?? values['proxy-cookie-path']
    if (domain.from === '' && path.from === '') return undefined
    return {
      domain: domain.from === '' ? undefined : domain,
      path: path.from === '' ? undefined : path,
    }
  },

  start(config) {
    return {
      responseHead({ response }) {
        if (response !== undefined) rewriteCookies(response.fields, config)
        return CONTINUE
      },
    }
  },
})

const setCookie = fieldMask('set-cookie')

function rewriteCookies(fields: Fields, config: ResponseCookiesConfig): void {
  if ((fields.mask & setCookie) === 0) return
  for (let i = 0; i < fields.size; i++) {
    if (!fields.present(i) || 1 << fields.idAt(i) !== setCookie) continue
    const before = fields.valueAt(i)
    const after = rewriteCookie(before, config)
    if (after === before) continue
    fields.setAt(i, after)
  }
}

/**
 * The cookie with its attributes rewritten; the pair itself is never touched. As nginx writes it, where
 * anything is rewritten: one space between, and none around the sign.
 */
function rewriteCookie(cookie: string, config: ResponseCookiesConfig): string {
  const [pair = '', ...attributes] = cookie.split(';').map(readAttribute)
  const written = attributes.filter(Boolean)
  const rewritten = written.map((attribute) => rewriteAttribute(attribute, config))
  const isSame = rewritten.every((attribute, i) => attribute === written[i])
  return isSame ? cookie : [pair, ...rewritten].join('; ')
}

function rewriteAttribute(attribute: string, { domain, path }: ResponseCookiesConfig): string {
  const equals = attribute.indexOf('=')
  const name = attribute.slice(0, equals + 1)
  const value = attribute.slice(equals + 1)
  const key = name.toLowerCase()
  if (key === 'domain=' && domain !== undefined && sameDomain(value, domain.from)) {
    // As nginx: a dot in front stays.
    return name + (value.startsWith('.') ? '.' : '') + domain.to
  }
  if (key === 'path=' && path !== undefined && value.startsWith(path.from)) {
    return name + path.to + value.slice(path.from.length)
  }
  return attribute
}

/** A pair or a word without the space around it. */
function readAttribute(text: string): string {
  const equals = text.indexOf('=')
  if (equals < 0) return text.trim()
  return `${text.slice(0, equals).trim()}=${text.slice(equals + 1).trim()}`
}

/** A dot in front means nothing (RFC 6265 5.2.3). */
function sameDomain(value: string, name: string): boolean {
  return bare(value) === bare(name)
}

function bare(domain: string): string {
  return domain.trim().replace(/^\./, '').toLowerCase()
}
