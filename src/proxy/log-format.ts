import type { LogPart } from '#src/policies/log-variables.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { Stretches } from './log-stretch.ts'
import type { LogStretch } from './log-stretch.ts'
import { inQuotes, isPlain, isPlainUnit, oncePerSecond } from './log-text.ts'
import type { LogVariableUse } from './steady-text.ts'

/** The text of one variable, '' when it has no value. `durationMs`: how long it took in all. */
export type ReadLog<Source> = (source: Source, durationMs: number) => string

/** Numbers, times and addresses: there is nothing in them to escape. Ids of requests are escaped where they are read. */
const plainVariables: ReadonlySet<string> = new Set([
  'body_bytes_sent',
  'msec',
  'req_id',
  'request_id',
  'request_length',
  'request_time',
  'status',
  'time_iso8601',
  'time_local',
  'upstream_addr',
  'upstream_header_time',
  'upstream_response_length',
  'upstream_response_time',
  'upstream_status',
])

/** Whose value is another in nearly every line. */
const changingVariables: ReadonlySet<string> = new Set([
  'msec',
  'remote_port',
  'req_id',
  'request_id',
  'request_time',
  'session_time',
  'upstream_header_time',
  'upstream_response_time',
])

/** Whose value is another in every line where clients ask for many things, and the same where they ask for one. */
const variedVariables: ReadonlySet<string> = new Set([
  'args',
  'body_bytes_sent',
  'bytes_received',
  'bytes_sent',
  'content_length',
  'document_uri',
  'escaped_request_uri',
  'http_referer',
  'query_string',
  'request',
  'request_length',
  'request_uri',
  'upstream_bytes_received',
  'upstream_bytes_sent',
  'upstream_response_length',
  'uri',
])

/** A format as code: every variable is looked up once, a line is a walk over the stretches between those that change. */
export function linkFormat<Source>(
  format: readonly LogPart[],
  logEscape: GlobalOptions['logEscape'],
  readerOf: (variable: string) => ReadLog<Source>,
): ReadLog<Source> {
  const escape = escapes[logEscape]
  // As in nginx: without a value there is a dash, except where a reader of JSON would see it.
  const absent = logEscape === 'default' ? '-' : ''
  const show = (value: string, plain: boolean): string => (plain ? value : escape(value)) || absent
  const stretches = new Stretches<Source>(show)
  const changing: LogVariableUse<Source>[] = []
  for (const part of format) {
    if ('text' in part) {
      // Lines are bytes, one character each.
      stretches.addText(Buffer.from(part.text, 'utf8').latin1Slice())
      continue
    }
    const { variable } = part
    const use = { read: readerOf(variable), plain: plainVariables.has(variable) }
    if (changingVariables.has(variable)) {
      stretches.end()
      changing.push(use)
    } else stretches.addVariable(use, variedVariables.has(variable))
  }
  stretches.end()
  const between = stretches.all
  return (source, durationMs) => {
    let line = (between[0] as LogStretch<Source>).textOf(source, durationMs)
    for (let i = 0; i < changing.length; i++) {
      const { read, plain } = changing[i] as LogVariableUse<Source>
      const value = show(read(source, durationMs), plain)
      line += value + (between[i + 1] as LogStretch<Source>).textOf(source, durationMs)
    }
    return line
  }
}

/** What of a value stands in a line. */
export const escapes = {
  /** nginx's own: what could end a quoted text or a line, as \xHH. */
  default: (text: string) =>
    isPlain(text) ? text : replaceAll(text, (code) => `\\x${hex(code).toUpperCase()}`),
  json: inQuotes,
  // Bytes beyond ASCII stay escaped: a log is text.
  none: (text: string) =>
    isPlain(text)
      ? text
      : replaceAll(text, (code) =>
          code === 0x22 || code === 0x5c ? String.fromCodePoint(code) : `\\x${hex(code)}`,
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

function hex(code: number): string {
  return code.toString(16).padStart(2, '0')
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** The time of the common log format, in UTC: 29/Nov/2026:10:00:00 +0000. */
export const commonTime = oncePerSecond((date) => {
  const day = String(date.getUTCDate()).padStart(2, '0')
  const time = date.toISOString().slice(11, 19)
  return `${day}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:${time} +0000`
})

/** 2026-11-29T10:00:00+00:00 */
export const isoSeconds = oncePerSecond((date) => `${date.toISOString().slice(0, 19)}+00:00`)
