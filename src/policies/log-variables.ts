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

const known: ReadonlySet<string> = new Set(logVariables)
const formatLengthMax = 8192

function isLogVariable(name: string): boolean {
  return known.has(name) || /^sent_http_[a-z0-9_]+$/.test(name) || isVariable(name)
}

function readFormat(text: string): readonly LogPart[] | string {
  if (text.length > formatLengthMax) return `it is longer than ${formatLengthMax} characters`
  const parts: LogPart[] = []
  for (const [token, braced, plain] of text.matchAll(/\$\{(\w+)\}|\$(\w+)|\$|[^$]+/g)) {
    const name = (braced ?? plain ?? '').toLowerCase()
    // One request is one line, whatever line ends the ConfigMap has.
    if (!token.startsWith('$')) parts.push({ text: token.replaceAll(/\s*\n\s*/g, ' ') })
    else if (name === '') return 'a $ must begin a variable'
    else if (isLogVariable(name)) parts.push({ variable: name })
    else return `$${name} is not a variable that is known here`
  }
  return parts
}

/** A log format in nginx's notation, out of a closed set of variables. Empty: there is none. */
export const logFormat: ValueType<readonly LogPart[]> = {
  expects: "text with nginx's variables of requests and answers",
  schema: {},
  parse(text) {
    const parts = readFormat(text)
    return typeof parts === 'string' ? undefined : parts
  },
  format: (parts) =>
    parts.map((part) => ('text' in part ? part.text : `\${${part.variable}}`)).join(''),
  explain(text) {
    const parts = readFormat(text)
    return typeof parts === 'string' ? parts : undefined
  },
}
