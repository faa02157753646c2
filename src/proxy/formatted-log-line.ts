import type { LogVariable } from '#src/policies/log-variables.ts'
import { variableReader } from '#src/policies/variables.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { loggedStatus } from './access-log-line.ts'
import type { Exchange } from './exchange.ts'
import type { FailedTry } from './failed-try.ts'
import { inQuotes, isPlain, isPlainUnit, oncePerSecond, seconds } from './log-text.ts'

type Read = (exchange: Exchange, durationMs: number) => string

const protocols: Readonly<Record<number, string>> = {
  10: 'HTTP/1.0',
  11: 'HTTP/1.1',
  20: 'HTTP/2.0',
}

/** 2026-11-29T10:00:00+00:00 */
const isoSecond = oncePerSecond((date) => `${date.toISOString().slice(0, 19)}+00:00`)

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** The time of the common log format, in UTC: 29/Nov/2026:10:00:00 +0000. */
const commonTime = oncePerSecond((date) => {
  const day = String(date.getUTCDate()).padStart(2, '0')
  const time = date.toISOString().slice(11, 19)
  return `${day}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:${time} +0000`
})

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
  request_time: (_exchange, durationMs) => seconds(durationMs),
  server_protocol: ({ request }) => protocols[request.version] ?? '',
  service_name: ({ target }) => target?.use.service ?? '',
  service_port: ({ target }) => String(target?.backend.backend.servicePort ?? ''),
  status: (exchange) => String(loggedStatus(exchange)),
  the_real_ip: ({ clientAddress }) => clientAddress,
  time_iso8601: ({ services }) => isoSecond(services.wallClock()),
  time_local: ({ services }) => commonTime(services.wallClock()),
  upstream_addr: (exchange) =>
    ofTries(exchange, ({ address }) => address, exchange.lastEndpoint?.name ?? ''),
  upstream_header_time: (exchange) => ofTries(exchange, () => '-', answeredAfter(exchange)),
  upstream_response_length: (exchange) =>
    ofTries(
      exchange,
      () => '0',
      exchange.lastEndpoint === undefined ? '' : String(exchange.responseBytes),
    ),
  upstream_response_time: (exchange) =>
    ofTries(exchange, ({ ms }) => seconds(ms), answeredAfter(exchange)),
  upstream_status: (exchange) =>
    ofTries(
      exchange,
      ({ status }) => String(status),
      exchange.upstreamMs < 0 ? '' : String(exchange.status),
    ),
}

/** What is said of each try, as nginx writes it: those that failed, then the one that was answered. */
function ofTries(
  { failedTries, tries }: Exchange,
  ofFailed: (failed: FailedTry) => string,
  ofLast: string,
): string {
  if (failedTries === undefined) return ofLast
  const all = failedTries.map(ofFailed)
  if (failedTries.length < tries) all.push(ofLast === '' ? '-' : ofLast)
  return all.join(', ')
}

function answeredAfter({ upstreamMs }: Exchange): string {
  return upstreamMs < 0 ? '' : seconds(upstreamMs)
}

const formats = new WeakMap<GlobalOptions, Read>()

/** The line of a finished exchange in the format of the options, which have one. */
export function formattedLogLine(
  exchange: Exchange,
  durationMs: number,
  options: GlobalOptions,
): string {
  let write = formats.get(options)
  if (write === undefined) {
    write = linkFormat(options)
    formats.set(options, write)
  }
  return write(exchange, durationMs)
}

/** Looks every variable up once; a line is a walk over the parts. */
function linkFormat({ logFormat, logEscape }: GlobalOptions): Read {
  const escape = escapes[logEscape]
  // As in nginx: without a value there is a dash, except where a reader of JSON would see it.
  const absent = logEscape === 'default' ? '-' : ''
  const texts = ['']
  const reads: Read[] = []
  for (const part of logFormat) {
    if ('variable' in part) {
      reads.push(readerOf(part.variable))
      texts.push('')
    } else {
      // Lines are bytes, one character each.
      texts[reads.length] += Buffer.from(part.text, 'utf8').latin1Slice()
    }
  }
  return (exchange, durationMs) => {
    let line = texts[0] as string
    for (let i = 0; i < reads.length; i++) {
      const value = escape((reads[i] as Read)(exchange, durationMs)) || absent
      // One piece where there is no value, as pieces are what costs.
      line += value === '' ? (texts[i + 1] as string) : value + (texts[i + 1] as string)
    }
    return line
  }
}

function readerOf(name: string): Read {
  if (Object.hasOwn(readers, name)) return readers[name as LogVariable]
  if (name.startsWith('sent_http_')) {
    const field = name.slice('sent_http_'.length).replaceAll('_', '-')
    return ({ response }) => response?.fields.get(field) ?? ''
  }
  return variableReader(name)
}

const escapes = {
  /** nginx's own: what could end a quoted text or a line, as \xHH. */
  default: (text: string) =>
    isPlain(text) ? text : replaceAll(text, (code) => `\\x${hex(code, 2).toUpperCase()}`),
  json: inQuotes,
  // Bytes beyond ASCII stay escaped: a log is text.
  none: (text: string) =>
    isPlain(text)
      ? text
      : replaceAll(text, (code) =>
          code === 0x22 || code === 0x5c ? String.fromCodePoint(code) : `\\x${hex(code, 2)}`,
        ),
} as const

function replaceAll(text: string, escaped: (code: number) => string): string {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    out += isPlainUnit(code) ? text[i] : escaped(code)
  }
  return out
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
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
