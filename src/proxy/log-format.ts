import { flatText } from '#src/exchange/gathered-text.ts'
import type { LogPart } from '#src/policies/log-variables.ts'
import type { GlobalOptions } from '#src/table/table.ts'
import { Stretches } from './log-stretch.ts'
import type { LogStretch } from './log-stretch.ts'
import { inQuotes, isPlain, isPlainUnit, oncePerSecond } from './log-text.ts'
import type { LogVariableUse, ShowValue } from './steady-text.ts'

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
export class LineFormat<Source> {
  /** Those that are not another in nearly every line. */
  readonly steadyVariables: ReadonlySet<string>
  readonly #changing: readonly LogVariableUse<Source>[]
  readonly #between: readonly LogStretch<Source>[]
  readonly #show: ShowValue

  constructor(
    format: readonly LogPart[],
    logEscape: GlobalOptions['logEscape'],
    readerOf: (variable: string) => ReadLog<Source>,
  ) {
    const escape = escapes[logEscape]
    // As in nginx: without a value there is a dash, except where a reader of JSON would see it.
    const absent = logEscape === 'default' ? '-' : ''
    this.#show = (value, plain) => (plain ? value : escape(value)) || absent
    const stretches = new Stretches<Source>(this.#show)
    const changing: LogVariableUse<Source>[] = []
    const steady = new Set<string>()
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
        continue
      }
      stretches.addVariable(use, variedVariables.has(variable))
      steady.add(variable)
    }
    stretches.end()
    this.steadyVariables = steady
    this.#changing = changing
    this.#between = stretches.all
  }

  line(source: Source, durationMs: number): string {
    const between = this.#between
    let line = (between[0] as LogStretch<Source>).textOf(source, durationMs)
    for (let i = 0; i < this.#changing.length; i++) {
      line +=
        this.#changingText(i, source, durationMs) +
        (between[i + 1] as LogStretch<Source>).textOf(source, durationMs)
    }
    return line
  }

  /** What stands in a line before, between and behind what changes, for `lineOf`. */
  textsOf(source: Source, durationMs: number): readonly string[] {
    return this.#between.map((stretch) => flatText(stretch.textOf(source, durationMs)))
  }

  lineOf(texts: readonly string[], source: Source, durationMs: number): string {
    let line = texts[0] as string
    for (let i = 0; i < this.#changing.length; i++) {
      line += this.#changingText(i, source, durationMs) + (texts[i + 1] as string)
    }
    return line
  }

  #changingText(i: number, source: Source, durationMs: number): string {
    const { read, plain } = this.#changing[i] as LogVariableUse<Source>
    return this.#show(read(source, durationMs), plain)
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
