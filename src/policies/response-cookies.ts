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
  const { size } = fields
  for (let i = 0; i < size; i++) {
    if (!fields.present(i) || 1 << fields.idAt(i) !== setCookie) continue
    const before = fields.valueAt(i)
    const after = rewriteCookie(before, config)
    if (after === before) continue
    fields.removeAt(i)
    fields.append('Set-Cookie', after)
  }
}

/** The cookie with its attributes rewritten; the pair itself is never touched. */
function rewriteCookie(cookie: string, { domain, path }: ResponseCookiesConfig): string {
  const [pair = '', ...attributes] = cookie.split(';')
  const rewritten = attributes.map((attribute) => {
    const [, name = '', value = ''] = /^(\s*[a-z]+\s*=\s*)(.*)$/i.exec(attribute) ?? []
    const key = name.replace('=', '').trim().toLowerCase()
    if (key === 'domain' && domain !== undefined && sameDomain(value, domain.from)) {
      // As nginx: a dot in front stays.
      return name + (value.startsWith('.') ? '.' : '') + domain.to
    }
    if (key === 'path' && path !== undefined && value.startsWith(path.from)) {
      return name + path.to + value.slice(path.from.length)
    }
    return attribute
  })
  return [pair, ...rewritten].join(';')
}

/** A dot in front means nothing (RFC 6265 5.2.3). */
function sameDomain(value: string, name: string): boolean {
  return bare(value) === bare(name)
}

function bare(domain: string): string {
  return domain.trim().replace(/^\./, '').toLowerCase()
}
