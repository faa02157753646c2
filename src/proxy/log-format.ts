import type { LogPart } from '#src/policies/log-variables.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { inQuotes, isPlain, isPlainUnit, oncePerSecond } from './log-text.ts'

/** The text of one variable, '' when it has no value. `durationMs`: how long it took in all. */
export type ReadLog<Source> = (source: Source, durationMs: number) => string

/** Numbers, times and addresses: there is nothing in them to escape. */
const plainVariables: ReadonlySet<string> = new Set([
  'body_bytes_sent',
  'msec',
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

/** A format as code: every variable is looked up once, a line is a walk over the parts. */
export function linkFormat<Source>(
  format: readonly LogPart[],
  logEscape: GlobalOptions['logEscape'],
  readerOf: (variable: string) => ReadLog<Source>,
): ReadLog<Source> {
  const escape = escapes[logEscape]
  // As in nginx: without a value there is a dash, except where a reader of JSON would see it.
  const absent = logEscape === 'default' ? '-' : ''
  const texts = ['']
  const reads: ReadLog<Source>[] = []
  for (const part of format) {
    if ('variable' in part) {
      const read = readerOf(part.variable)
      reads.push(
        plainVariables.has(part.variable)
          ? (source, ms) => read(source, ms) || absent
          : (source, ms) => escape(read(source, ms)) || absent,
      )
      texts.push('')
    } else {
      // Lines are bytes, one character each.
      texts[reads.length] += Buffer.from(part.text, 'utf8').latin1Slice()
    }
  }
  return (source, durationMs) => {
    let line = texts[0] as string
    for (let i = 0; i < reads.length; i++) {
      const value = (reads[i] as ReadLog<Source>)(source, durationMs)
      // One piece where there is no value, as pieces are what costs.
      line += value === '' ? (texts[i + 1] as string) : value + (texts[i + 1] as string)
    }
    return line
  }
}

const escapes = {
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
