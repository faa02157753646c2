import type { Exchange } from './exchange.ts'

/** One exchange as one JSON line, without the line end. Times in milliseconds, sizes in bytes. */
export function accessLogLine(exchange: Exchange): string {
  const { services } = exchange
  return (
    `{"time":"${isoTime(services.wallClock())}"` +
    requestPart(exchange) +
    `,"status":${loggedStatus(exchange)}` +
    `,"request_bytes":${exchange.body.bytes}` +
    `,"response_bytes":${exchange.responseBytes}` +
    `,"duration_ms":${rounded(services.now() - exchange.startedAt)}` +
    routePart(exchange) +
    `,"tries":${exchange.tries}` +
    `,"failure":"${exchange.failure}"}`
  )
}

/** nginx's status for a client that left before it had its answer. */
const clientGoneStatus = 499

/** The status as the log has it. */
export function loggedStatus({ failure, status }: Pick<Exchange, 'failure' | 'status'>): number {
  return failure === 'client-gone' ? clientGoneStatus : status
}

const versions: Readonly<Record<number, string>> = { 10: '1.0', 11: '1.1', 20: '2' }

function requestPart({
  request,
  requestId,
  clientAddress,
  scheme,
  originalTarget,
}: Exchange): string {
  const { fields } = request
  return (
    `,"request_id":${quoted(requestId)}` +
    `,"remote_addr":${quoted(clientAddress)}` +
    `,"method":${quoted(request.method)}` +
    `,"scheme":"${scheme}"` +
    `,"host":${quoted(request.authority)}` +
    `,"target":${quoted(originalTarget || request.target)}` +
    `,"http_version":"${versions[request.version] ?? ''}"` +
    `,"user_agent":${quoted(fields.get('user-agent') ?? '')}` +
    `,"referer":${quoted(fields.get('referer') ?? '')}`
  )
}

function routePart({ live, target, lastEndpoint, upstreamMs }: Exchange): string {
  return (
    `,"namespace":${quoted(live?.rule.origin.namespace ?? '')}` +
    `,"ingress":${quoted(live?.rule.origin.name ?? '')}` +
    `,"service":${quoted(target?.use.service ?? '')}` +
    `,"upstream_addr":${quoted(lastEndpoint?.name ?? '')}` +
    `,"upstream_duration_ms":${upstreamMs < 0 ? 'null' : rounded(upstreamMs)}`
  )
}

export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

let cachedMs = -1
let cachedText = ''

/** The time to the millisecond; made once for all lines of one. */
export function isoTime(ms: number): string {
  if (ms !== cachedMs) {
    cachedMs = ms
    cachedText = new Date(ms).toISOString()
  }
  return cachedText
}

/** A latin1 text as a JSON string of ASCII. Nearly always nothing needs escaping. */
export function quoted(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return escaped(text)
  }
  return `"${text}"`
}

function escaped(text: string): string {
  let out = '"'
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22 || code === 0x5c) out += `\\${text[i]}`
    else if (code < 0x20 || code > 0x7e) out += `\\u${code.toString(16).padStart(4, '0')}`
    else out += text[i]
  }
  return `${out}"`
}
