import type { Directive } from './directives.ts'
import type { Level, Preset } from './level.ts'
import type { DirectiveTable, DirectiveRow } from './row.ts'

/** Directive: the annotation that says the same, in a location. */
const annotations: Readonly<Record<string, string>> = {
  client_max_body_size: 'proxy-body-size',
  proxy_buffer_size: 'proxy-buffer-size',
  proxy_connect_timeout: 'proxy-connect-timeout',
  proxy_send_timeout: 'proxy-send-timeout',
  proxy_read_timeout: 'proxy-read-timeout',
  proxy_next_upstream: 'proxy-next-upstream',
  proxy_next_upstream_timeout: 'proxy-next-upstream-timeout',
  proxy_next_upstream_tries: 'proxy-next-upstream-tries',
  proxy_cookie_domain: 'proxy-cookie-domain',
  proxy_http_version: 'proxy-http-version',
  proxy_ssl_name: 'proxy-ssl-name',
  proxy_ssl_server_name: 'proxy-ssl-server-name',
  proxy_ssl_verify: 'proxy-ssl-verify',
  proxy_ssl_verify_depth: 'proxy-ssl-verify-depth',
  proxy_ssl_protocols: 'proxy-ssl-protocols',
  proxy_ssl_ciphers: 'proxy-ssl-ciphers',
  limit_rate: 'limit-rate',
  limit_rate_after: 'limit-rate-after',
}

/** Annotations whose number counts kilobytes, where the directive has a size. */
const kilobytes = new Set(['limit_rate', 'limit_rate_after'])

/** In a server these have no effect in ingress-nginx: each of its locations has its own. */
function presetRow(annotation: string): DirectiveRow {
  return {
    kind: 'translated',
    places: ['location', 'server'],
    words: [1, 16],
    doc: `As the annotation ${annotation}, which it replaces. In server-snippet it has no effect, for each location has its own.`,
    read(directive, level) {
      const text = textOf(directive)
      if (text === undefined) return 'takes a whole number of kilobytes, such as 100k'
      return preset(directive, level, [{ key: annotation, text }])
    },
  }
}

/** Directives that say what an annotation says: its values, limits and code are used. */
export const presetTable: DirectiveTable = {
  ...Object.fromEntries(
    Object.entries(annotations).map(([name, annotation]) => [name, presetRow(annotation)]),
  ),
  proxy_redirect: {
    kind: 'translated',
    places: ['location', 'server'],
    words: [1, 2],
    doc: 'As the annotations proxy-redirect-from and proxy-redirect-to. Regular expressions, variables and default are refused.',
    read(directive, level) {
      const [from = '', to = from] = directive.words.map(({ text }) => text)
      if ((from + to).includes('$')) return 'variables are not translated'
      return preset(directive, level, [
        { key: 'proxy-redirect-from', text: from },
        { key: 'proxy-redirect-to', text: to },
      ])
    },
  },
  satisfy: {
    kind: 'translated',
    places: ['location'],
    words: [1, 1],
    doc: 'As the annotation satisfy.',
    read: (directive, level) =>
      preset(directive, level, [{ key: 'satisfy', text: directive.words[0]?.text ?? '' }]),
  },
  access_log: {
    kind: 'translated',
    places: ['location', 'server-location'],
    words: [1, 8],
    doc: 'off alone, as the annotation enable-access-log. Logs of their own are refused: the access log is one, as JSON, with the name of the Ingress.',
    read(directive, level) {
      if (directive.words[0]?.text !== 'off' || directive.words.length > 1) {
        return 'a log of its own cannot be had; the access log names the Ingress'
      }
      if (level.place === 'location') {
        return preset(directive, level, [{ key: 'enable-access-log', text: 'false' }])
      }
      level.shared.notes.push({
        line: directive.line,
        message:
          'access_log: requests that a location of a snippet answers are logged all the same',
      })
      return undefined
    },
  },
}

function textOf({ name, words }: Directive): string | undefined {
  const text = words.map((word) => word.text).join(' ')
  if (!kilobytes.has(name)) return text
  const [, count = '', unit = ''] = /^(\d{1,9})([km]?)$/i.exec(text) ?? []
  const factors: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2 }
  const bytes = Number(count) * (factors[unit.toLowerCase()] ?? 1)
  return count === '' || bytes % 1024 !== 0 ? undefined : String(bytes / 1024)
}

function preset(
  { name, line }: Directive,
  { place, shared }: Level,
  presets: readonly Preset[],
): string | undefined {
  if (place === 'server') {
    const keys = presets.map(({ key }) => key).join(' and ')
    shared.notes.push({ line, message: `${name}: each location has its own, from ${keys}` })
    return undefined
  }
  for (const { key, text } of presets) {
    const problem = shared.presetProblem({ key, text })
    if (problem !== undefined) return problem
    shared.presets.set(key, text)
  }
  return undefined
}
