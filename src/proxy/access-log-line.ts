import type { Exchange } from './exchange.ts'

/** One exchange as one JSON line, without the line end. Times in milliseconds, sizes in bytes. */
export function accessLogLine(exchange: Exchange): string {
  const { request, live, services, stream, target } = exchange
  const { peer } = stream
  const { fields } = request
  const origin = live?.rule.origin
  const version = request.version === 20 ? '2' : request.version === 10 ? '1.0' : '1.1'
  return (
    `{"time":"${isoTime(services.wallClock())}"` +
    `,"request_id":${quoted(exchange.requestId)}` +
    `,"remote_addr":${quoted(exchange.clientAddress === '' ? peer.address : exchange.clientAddress)}` +
    `,"method":${quoted(request.method)}` +
    `,"scheme":"${exchange.scheme}"` +
    `,"host":${quoted(request.authority)}` +
    `,"target":${quoted(request.target)}` +
    `,"http_version":"${version}"` +
    `,"status":${exchange.failure === 'client-gone' && exchange.status === 0 ? 499 : exchange.status}` +
    `,"request_bytes":${exchange.body.bytes}` +
    `,"response_bytes":${exchange.responseBytes}` +
    `,"duration_ms":${rounded(services.now() - exchange.startedAt)}` +
    `,"upstream_addr":${quoted(exchange.lastEndpoint?.name ?? '')}` +
    `,"upstream_duration_ms":${exchange.upstreamMs < 0 ? 'null' : rounded(exchange.upstreamMs)}` +
    `,"tries":${exchange.tries}` +
    `,"failure":"${exchange.failure}"` +
    `,"namespace":${quoted(origin?.namespace ?? '')}` +
    `,"ingress":${quoted(origin?.name ?? '')}` +
    `,"service":${quoted(target?.use.service ?? '')}` +
    `,"user_agent":${quoted(fields.get('user-agent') ?? '')}` +
    `,"referer":${quoted(fields.get('referer') ?? '')}}`
  )
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

let cachedMs = -1
let cachedText = ''

/** The time to the millisecond; made once for all lines of one. */
function isoTime(ms: number): string {
  if (ms !== cachedMs) {
    cachedMs = ms
    cachedText = new Date(ms).toISOString()
  }
  return cachedText
}

/** A latin1 text as a JSON string of ASCII. Nearly always nothing needs escaping. */
function quoted(text: string): string {
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
