import type { PlannedRequest } from './planned-request.ts'

/** What one line of an access log says; undefined: it cannot be read. */
export interface LoggedRequest {
  readonly method: string
  /** '' where the format has none. */
  readonly host: string
  readonly target: string
  readonly userAgent: string
  /** ingress-nginx's name of the upstream, namespace-service-port; '' where the format has none. */
  readonly upstream: string
}

/** Longer lines are no requests that a controller would take. */
const lineLengthMax = 65_536

/**
 * One line of an access log: a JSON object with the fields of Headgate's own log, or with the names
 * that formats for ingress-nginx use; else nginx's combined format, with what ingress-nginx adds to it.
 */
export function readLogLine(line: string): LoggedRequest | undefined {
  if (line.length > lineLengthMax) return undefined
  const request = line.startsWith('{') ? readJsonLine(line) : readCombined(line)
  if (request === undefined) return undefined
  const { method, target, host } = request
  const sound =
    /^[A-Z]{3,20}$/.test(method) && /^\/[!-~]*$/.test(target) && /^[-.:\w[\]]*$/.test(host)
  return sound ? request : undefined
}

// Names are tried in turn: Headgate's, then those of nginx's variables.
const jsonNames = {
  method: ['method', 'request_method'],
  host: ['host', 'vhost', 'http_host', 'server_name'],
  target: ['target', 'request_uri', 'uri', 'path'],
  query: ['request_query', 'args', 'query_string'],
  userAgent: ['user_agent', 'http_user_agent'],
  upstream: ['proxy_upstream_name', 'upstream_name'],
}

function readJsonLine(line: string): LoggedRequest | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  const members = value as Readonly<Record<string, unknown>>
  const text = (names: readonly string[]): string => {
    for (const name of names) {
      const member = members[name]
      if (typeof member === 'string' && member !== '' && member !== '-') return member
    }
    return ''
  }
  const target = text(jsonNames.target)
  const query = text(jsonNames.query)
  return {
    method: text(jsonNames.method),
    host: text(jsonNames.host),
    target: query === '' || target.includes('?') ? target : `${target}?${query}`,
    userAgent: text(jsonNames.userAgent),
    upstream: text(jsonNames.upstream),
  }
}

const combined =
  /^\S+ \S+ [^[]{0,256}\[[^\]]{1,64}\] "([A-Z]+) (\S+)(?: HTTP\/[\d.]+)?" \d{3} (?:\d+|-)(.*)$/
const quotedPair = /^ "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(.*)$/

function readCombined(line: string): LoggedRequest | undefined {
  const [, method, target, rest = ''] = combined.exec(line) ?? []
  if (method === undefined || target === undefined) return undefined
  const [, , agent = '', more = ''] = quotedPair.exec(rest) ?? []
  const [, upstream = ''] = /^ \d+ [\d.]+ \[([^\]]*)\]/.exec(more) ?? []
  return {
    method,
    host: '',
    target: unescapeLog(target),
    userAgent: agent === '-' ? '' : unescapeLog(agent),
    upstream,
  }
}

/** nginx writes quotes, backslashes and bytes that do not print as \xHH. */
function unescapeLog(text: string): string {
  return text.replaceAll(/\\x([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  )
}

/** The request again, for a host; `number` is that of its line. */
export function logRequest(
  { method, target, userAgent }: LoggedRequest,
  host: string,
  number: number,
): PlannedRequest {
  const printable = /^[\t -~]+$/.test(userAgent)
  return {
    method,
    host,
    target,
    fields: printable ? ['User-Agent', userAgent] : [],
    from: `line ${number}`,
  }
}
