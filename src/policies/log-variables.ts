import type { ValueType } from '#src/annotations/types.ts'
import { isVariable } from './variables.ts'

/** Variables of a log format beyond those of a request: what is known when the answer has ended. */
export const logVariables = [
  'body_bytes_sent',
  'ingress_name',
  'msec',
  'namespace',
  'proxy_alternative_upstream_name',
  'proxy_protocol_addr',
  'proxy_upstream_name',
  'request',
  'request_length',
  'request_time',
  'server_protocol',
  'service_name',
  'service_port',
  'status',
  'the_real_ip',
  'time_iso8601',
  'time_local',
  'upstream_addr',
  'upstream_header_time',
  'upstream_response_length',
  'upstream_response_time',
  'upstream_status',
] as const

export type LogVariable = (typeof logVariables)[number]

/** A piece of a log line: text, or a variable by its name. Plain data. */
export type LogPart = { readonly text: string } | { readonly variable: string }

/** Variables of the lines of TCP connections. */
export const streamLogVariables = [
  'bytes_received',
  'bytes_sent',
  'msec',
  'protocol',
  'proxy_protocol_addr',
  'proxy_upstream_name',
  'remote_addr',
  'remote_port',
  'server_addr',
  'server_port',
  'session_time',
  'ssl_preread_server_name',
  'status',
  'time_iso8601',
  'time_local',
  'upstream_addr',
  'upstream_bytes_received',
  'upstream_bytes_sent',
] as const

export type StreamLogVariable = (typeof streamLogVariables)[number]

const known: ReadonlySet<string> = new Set(logVariables)
const knownOfStreams: ReadonlySet<string> = new Set(streamLogVariables)
const formatLengthMax = 8192

function isLogVariable(name: string): boolean {
  return known.has(name) || /^sent_http_[a-z0-9_]+$/.test(name) || isVariable(name)
}

function readFormat(text: string, isKnown: (name: string) => boolean): readonly LogPart[] | string {
  if (text.length > formatLengthMax) return `it is longer than ${formatLengthMax} characters`
  const parts: LogPart[] = []
  for (const [token, braced, plain] of text.matchAll(/\$\{(\w+)\}|\$(\w+)|\$|[^$]+/g)) {
    const name = (braced ?? plain ?? '').toLowerCase()
    // One request is one line, whatever line ends the ConfigMap has.
    if (!token.startsWith('$')) parts.push({ text: token.replaceAll(/\s*\n\s*/g, ' ') })
    else if (name === '') return 'a $ must begin a variable'
    else if (isKnown(name)) parts.push({ variable: name })
    else return `$${name} is not a variable that is known here`
  }
  return parts
}

function formatOf(
  expects: string,
  isKnown: (name: string) => boolean,
): ValueType<readonly LogPart[]> {
  return {
    expects,
    schema: {},
    parse(text) {
      const parts = readFormat(text, isKnown)
      return typeof parts === 'string' ? undefined : parts
    },
    format: (parts) =>
      parts.map((part) => ('text' in part ? part.text : `\${${part.variable}}`)).join(''),
    explain(text) {
      const parts = readFormat(text, isKnown)
      return typeof parts === 'string' ? parts : undefined
    },
  }
}

/** A log format in nginx's notation, out of a closed set of variables. Empty: there is none. */
export const logFormat = formatOf(
  "text with nginx's variables of requests and answers",
  isLogVariable,
)

/** The same for TCP connections. */
export const streamLogFormat = formatOf("text with nginx's variables of TCP connections", (name) =>
  knownOfStreams.has(name),
)
