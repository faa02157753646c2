import type { LogVariable } from '#src/policies/log-variables.ts'
import { variableValue } from '#src/policies/variables.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { loggedStatus } from './access-log-line.ts'
import type { Exchange } from './exchange.ts'

type Read = (exchange: Exchange) => string

const protocols: Readonly<Record<number, string>> = {
  10: 'HTTP/1.0',
  11: 'HTTP/1.1',
  20: 'HTTP/2.0',
}

const readers: Readonly<Record<LogVariable, Read>> = {
  body_bytes_sent: ({ responseBytes }) => String(responseBytes),
  ingress_name: ({ live }) => live?.rule.origin.name ?? '',
  msec: ({ services }) => seconds(services.wallClock()),
  namespace: ({ live }) => live?.rule.origin.namespace ?? '',
  // A canary is the upstream itself where it was chosen.
  proxy_alternative_upstream_name: () => '',
  proxy_protocol_addr: ({ stream: { peer } }) =>
    peer.socketAddress === peer.address ? '' : peer.address,
  proxy_upstream_name({ target }) {
    if (target === undefined) return ''
    const { service, servicePort } = target.backend.backend
    return `${service.namespace}-${service.name}-${servicePort}`
  },
  request: ({ request, originalTarget }) =>
    `${request.method} ${originalTarget || request.target} ${protocols[request.version] ?? ''}`,
  request_length: (exchange) => String(headLength(exchange) + exchange.body.bytes),
  request_time: ({ services, startedAt }) => seconds(services.now() - startedAt),
  server_protocol: ({ request }) => protocols[request.version] ?? '',
  service_name: ({ target }) => target?.use.service ?? '',
  service_port: ({ target }) => String(target?.backend.backend.servicePort ?? ''),
  status: (exchange) => String(loggedStatus(exchange)),
  the_real_ip: ({ clientAddress }) => clientAddress,
  time_iso8601: ({ services }) =>
    new Date(services.wallClock()).toISOString().replace(/\.\d+Z$/, '+00:00'),
  time_local: ({ services }) => commonTime(services.wallClock()),
  upstream_addr: ({ lastEndpoint }) => lastEndpoint?.name ?? '',
  upstream_header_time: ({ upstreamMs }) => (upstreamMs < 0 ? '' : seconds(upstreamMs)),
  upstream_response_length: ({ lastEndpoint, responseBytes }) =>
    lastEndpoint === undefined ? '' : String(responseBytes),
  upstream_response_time: ({ upstreamMs }) => (upstreamMs < 0 ? '' : seconds(upstreamMs)),
  upstream_status: ({ upstreamMs, status }) => (upstreamMs < 0 ? '' : String(status)),
}

const formats = new WeakMap<GlobalOptions, Read>()

/** The line of a finished exchange in the format of the options, which have one. */
export function formattedLogLine(exchange: Exchange, options: GlobalOptions): string {
  let write = formats.get(options)
  if (write === undefined) {
    write = linkFormat(options)
    formats.set(options, write)
  }
  return write(exchange)
}

/** Looks every variable up once; a line is a walk over the parts. */
function linkFormat({ logFormat, logEscape }: GlobalOptions): Read {
  const escape = escapes[logEscape]
  // As in nginx: without a value there is a dash, except where a reader of JSON would see it.
  const absent = logEscape === 'default' ? '-' : ''
  const parts = logFormat.map((part): Read => {
    if ('text' in part) {
      // Lines are bytes, one character each.
      const bytes = Buffer.from(part.text, 'utf8').latin1Slice()
      return () => bytes
    }
    const read = readerOf(part.variable)
    return (exchange) => escape(read(exchange)) || absent
  })
  return (exchange) => {
    let line = ''
    for (const part of parts) line += part(exchange)
    return line
  }
}

function readerOf(name: string): Read {
  if (Object.hasOwn(readers, name)) return readers[name as LogVariable]
  if (name.startsWith('sent_http_')) {
    const field = name.slice('sent_http_'.length).replaceAll('_', '-')
    return ({ response }) => response?.fields.get(field) ?? ''
  }
  return (exchange) => variableValue(source(exchange), name)
}

/** What variables of a request are read from. */
function source(exchange: Exchange) {
  const { request, host, path, clientAddress, scheme, requestId, originalTarget } = exchange
  const { peer } = exchange.stream
  return { request, peer, host, path, clientAddress, scheme, requestId, originalTarget }
}

const escapes = {
  /** nginx's own: what could end a quoted text or a line, as \xHH. */
  default: (text: string) =>
    isPlain(text) ? text : replaceAll(text, (code) => `\\x${hex(code, 2).toUpperCase()}`),
  json: (text: string) =>
    isPlain(text)
      ? text
      : replaceAll(text, (code) =>
          code === 0x22 || code === 0x5c ? `\\${String.fromCodePoint(code)}` : `\\u${hex(code, 4)}`,
        ),
  // Bytes beyond ASCII stay escaped: a log is text.
  none: (text: string) =>
    replaceAll(text, (code) =>
      code === 0x22 || code === 0x5c ? String.fromCodePoint(code) : `\\x${hex(code, 2)}`,
    ),
} as const

function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isPlainCode(text.charCodeAt(i))) return false
  return true
}

function isPlainCode(code: number): boolean {
  return code >= 0x20 && code <= 0x7e && code !== 0x22 && code !== 0x5c
}

function replaceAll(text: string, escaped: (code: number) => string): string {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    out += isPlainCode(code) ? text[i] : escaped(code)
  }
  return out
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}

/** Milliseconds as seconds with three places, as nginx writes times. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** The time of the common log format, in UTC: 29/Nov/2026:10:00:00 +0000. */
function commonTime(ms: number): string {
  const date = new Date(ms)
  const day = String(date.getUTCDate()).padStart(2, '0')
  return `${day}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`
}

/** Bytes of the head as an HTTP/1.1 request of the fields that went on. */
function headLength({ request, originalTarget }: Exchange): number {
  const target = originalTarget || request.target
  let length = request.method.length + target.length + ' HTTP/1.1\r\n\r\n'.length + 1
  length += 'Host: \r\n'.length + request.authority.length
  request.fields.forEach((name, value) => {
    length += name.length + value.length + 4
  })
  return length
}
