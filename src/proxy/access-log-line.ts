import type { RequestHead } from '#src/exchange/heads.ts'
import type { Exchange } from './exchange.ts'
import type { LiveTarget } from './live-rule.ts'
import { lineTime } from './line-time.ts'
import { inQuotes, isoTime, milliseconds, quoted } from './log-text.ts'

/**
 * One exchange as one JSON line, without the line end. Times in milliseconds, sizes in bytes. Texts
 * between two values are of one piece: what a line costs is the joining of its pieces.
 */
export function accessLogLine(exchange: Exchange, durationMs: number): string {
  const { services, lastEndpoint, startedAt, upstreamMs } = exchange
  return (
    `{"time":"${isoTime(lineTime(services, startedAt + durationMs))}` +
    requestPart(exchange) +
    `","status":${loggedStatus(exchange)}` +
    `,"request_bytes":${exchange.body.bytes}` +
    `,"response_bytes":${exchange.responseBytes}` +
    `,"duration_ms":${milliseconds(durationMs)}` +
    routePart(exchange) +
    `,"upstream_addr":"${inQuotes(lastEndpoint?.name ?? '')}` +
    `","upstream_duration_ms":${upstreamMs < 0 ? 'null' : milliseconds(upstreamMs)}` +
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

/** The version of HTTP that the client speaks: 1.0, 1.1 or 2. */
export function httpVersion({ version }: RequestHead): string {
  return versions[version] ?? ''
}

/** Up to, and without, the quote at its end. */
function requestPart({
  request,
  requestId,
  requestIdSent,
  clientAddress,
  scheme,
  publicHost,
  originalTarget,
}: Exchange): string {
  const { fields } = request
  return (
    `","request_id":"${requestIdSent ? inQuotes(requestId) : requestId}` +
    `","remote_addr":"${inQuotes(clientAddress)}` +
    `","method":"${inQuotes(request.method)}` +
    `","scheme":"${scheme}` +
    `","host":"${inQuotes(publicHost)}` +
    `","target":"${inQuotes(originalTarget || request.target)}` +
    `","http_version":"${httpVersion(request)}` +
    `","user_agent":"${inQuotes(fields.getSent('user-agent') ?? '')}` +
    `","referer":"${inQuotes(fields.getSent('referer') ?? '')}`
  )
}

/** What every line of a target has. */
const targetParts = new WeakMap<LiveTarget, string>()

function routePart({ live, target }: Exchange): string {
  const known = target === undefined ? undefined : targetParts.get(target)
  if (known !== undefined) return known
  const part =
    `,"namespace":${quoted(live?.rule.origin.namespace ?? '')}` +
    `,"ingress":${quoted(live?.rule.origin.name ?? '')}` +
    `,"service":${quoted(target?.use.service ?? '')}`
  if (target !== undefined) targetParts.set(target, part)
  return part
}
