import type { ResponseHead } from '#src/exchange/heads.ts'
import { mayHaveBody } from '#src/http1/head-text.ts'
import type { LogVariable } from '#src/policies/log-variables.ts'
import { variableReader } from '#src/policies/variables.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { loggedStatus } from './access-log-line.ts'
import type { Exchange } from './exchange.ts'
import type { FailedTry } from './failed-try.ts'
import { lineTime } from './line-time.ts'
import { isKept, KeptLine } from './kept-line.ts'
import { commonTime, escapes, isoSeconds, LineFormat } from './log-format.ts'
import type { ReadLog } from './log-format.ts'
import { seconds } from './log-text.ts'
import { upstreamName } from './upstream-name.ts'

type Read = ReadLog<Exchange>

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
  proxy_upstream_name: ({ target }) =>
    target === undefined ? '' : upstreamName(target.backend.backend),
  request: ({ request, originalTarget }) =>
    `${request.method} ${originalTarget || request.target} ${protocols[request.version] ?? ''}`,
  request_length: (exchange) => String(headLength(exchange) + exchange.body.bytes),
  request_time: (_exchange, durationMs) => seconds(durationMs),
  server_protocol: ({ request }) => protocols[request.version] ?? '',
  service_name: ({ target }) => target?.use.service ?? '',
  service_port: ({ target }) => String(target?.backend.backend.servicePort ?? ''),
  status: (exchange) => String(loggedStatus(exchange)),
  the_real_ip: ({ clientAddress }) => clientAddress,
  time_iso8601: ({ services, startedAt }, durationMs) =>
    isoSeconds(lineTime(services, startedAt + durationMs)),
  time_local: ({ services, startedAt }, durationMs) =>
    commonTime(lineTime(services, startedAt + durationMs)),
  upstream_addr: ofTries(
    ({ address }) => address,
    ({ lastEndpoint }) => lastEndpoint?.name ?? '',
  ),
  upstream_header_time: ofTries(() => '-', answeredAfter),
  upstream_response_length: ofTries(
    () => '0',
    ({ upstreamMs, responseBytes }) => (upstreamMs < 0 ? '' : String(responseBytes)),
  ),
  upstream_response_time: ofTries(({ ms }) => seconds(ms), answeredAfter),
  upstream_status: ofTries(
    ({ status }) => String(status),
    ({ upstreamMs, status }) => (upstreamMs < 0 ? '' : String(status)),
  ),
}

/**
 * Reads what is said of each try, as nginx writes it: those that failed, then the one that was answered; behind a
 * colon those for a page that takes the place of an answer.
 */
function ofTries(
  ofFailed: (failed: FailedTry) => string,
  ofLast: (exchange: Exchange) => string,
): Read {
  return (exchange) => {
    const { failedTries, tries } = exchange
    const last = ofLast(exchange)
    if (failedTries === undefined) return last
    const all = failedTries.map(ofFailed)
    if (failedTries.length < tries) all.push(last === '' ? '-' : last)
    const before = exchange.page?.failedBefore ?? 0
    if (before === 0 || before === all.length) return all.join(', ')
    return `${all.slice(0, before).join(', ')} : ${all.slice(before).join(', ')}`
  }
}

function answeredAfter({ upstreamMs }: Exchange): string {
  return upstreamMs < 0 ? '' : seconds(upstreamMs)
}

let linkedOptions: GlobalOptions | undefined
let linked: LineFormat<Exchange> = new LineFormat([], 'default', () => () => '')
/** There is nothing in a line but what changes each time and what `KeptLine` knows. */
let mayKeep = false

/** The line of a finished exchange in the format of the options, which have one. */
export function formattedLogLine(
  exchange: Exchange,
  durationMs: number,
  options: GlobalOptions,
): string {
  // The options in force are one object until they change.
  if (options !== linkedOptions) {
    linkedOptions = options
    const { logFormat, logEscape } = options
    linked = new LineFormat(logFormat, logEscape, (name) => readerOf(name, logEscape))
    mayKeep = [...linked.steadyVariables].every(isKept)
  }
  const { origin } = exchange.request
  if (!mayKeep || origin === undefined || exchange.failedTries !== undefined)
    return linked.line(exchange, durationMs)
  const { services, startedAt } = exchange
  const second = Math.floor(lineTime(services, startedAt + durationMs) / 1000)
  const kept = (origin.kept.line ??= new KeptLine()) as KeptLine
  if (kept.fits(linked, exchange, second)) {
    kept.texts ??= linked.textsOf(exchange, durationMs)
    return linked.lineOf(kept.texts, exchange, durationMs)
  }
  kept.become(linked, exchange, second)
  return linked.line(exchange, durationMs)
}

/** Fields of answers that no list of fields holds: they are written with the head. */
const framing: Readonly<Record<string, Read>> = {
  'content-length': ({ response }) =>
    response === undefined || response.contentLength < 0 || response.status === 204
      ? ''
      : String(response.contentLength),
  'transfer-encoding': ({ response, request: { version } }) =>
    version === 11 && response !== undefined && isChunked(response) ? 'chunked' : '',
}

function isChunked({ status, contentLength }: ResponseHead): boolean {
  return contentLength < 0 && mayHaveBody(status)
}

function readerOf(name: string, logEscape: GlobalOptions['logEscape']): Read {
  if (name === 'request_id' || name === 'req_id') {
    const escape = escapes[logEscape]
    return ({ requestId, requestIdSent }) => (requestIdSent ? escape(requestId) : requestId)
  }
  if (Object.hasOwn(readers, name)) return readers[name as LogVariable]
  if (name.startsWith('sent_http_')) {
    const field = name.slice('sent_http_'.length).replaceAll('_', '-')
    return framing[field] ?? (({ response }) => response?.fields.getJoined(field) ?? '')
  }
  return variableReader(name)
}

/** Bytes of the head as it came; one of HTTP/2 as if it had come in HTTP/1.1. */
function headLength({ request, originalTarget }: Exchange): number {
  const { fields } = request
  if (fields.text !== '') return fields.text.length
  const target = originalTarget || request.target
  let length = request.method.length + target.length + ' HTTP/1.1\r\n\r\n'.length + 1
  length += 'Host: \r\n'.length + request.sentAuthority.length
  fields.forEachSent((name, value) => {
    length += name.length + value.length + 4
  })
  return length
}
