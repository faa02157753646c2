import { printable } from './printable.ts'

/** Values of log fields: scalars only, so that no object with a secret in it is printed by chance. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export const logFormats = ['json', 'text'] as const
export type LogFormat = (typeof logFormats)[number]

/** Structured log of one thread. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export interface LoggerOptions {
  readonly format: LogFormat
  /** The lowest level that is written. */
  readonly level: LogLevel
  /** Takes finished lines, without a line end. */
  readonly write: (line: string) => void
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Fields of every line. */
  readonly fields?: LogFields
  /**
   * Lines above this rate are left out and counted: a fault that strikes every request must not turn
   * into a flood. Default: no bound.
   */
  readonly linesPerSecond?: number
}

export function createLogger(options: LoggerOptions): Logger {
  const lowest = logLevels.indexOf(options.level)
  const format = options.format === 'json' ? jsonLine : textLine
  const rate = new LineRate(options.linesPerSecond ?? Infinity)
  const put = (level: LogLevel, message: string, fields?: LogFields): void => {
    if (logLevels.indexOf(level) < lowest) return
    const nowMs = options.now()
    const time = new Date(nowMs).toISOString()
    const leftOut = rate.leftOutBefore(nowMs)
    if (leftOut > 0) {
      options.write(
        format(time, 'warn', 'log lines left out', { ...options.fields, count: leftOut }),
      )
    }
    if (rate.take()) options.write(format(time, level, message, { ...options.fields, ...fields }))
  }
  return {
    debug: put.bind(undefined, 'debug'),
    info: put.bind(undefined, 'info'),
    warn: put.bind(undefined, 'warn'),
    error: put.bind(undefined, 'error'),
  }
}

/** Counts lines per second of the clock. */
class LineRate {
  readonly #linesMax: number
  #second = -1
  #lines = 0
  #leftOut = 0

  constructor(linesMax: number) {
    this.#linesMax = linesMax
  }

  /** Lines left out in earlier seconds and not reported yet. */
  leftOutBefore(nowMs: number): number {
    const second = Math.floor(nowMs / 1000)
    if (second === this.#second) return 0
    const leftOut = this.#leftOut
    this.#second = second
    this.#lines = 0
    this.#leftOut = 0
    return leftOut
  }

  take(): boolean {
    if (this.#lines++ < this.#linesMax) return true
    this.#leftOut++
    return false
  }
}

/** The text of anything thrown, on one line. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replaceAll(/\s*[\r\n]\s*/g, ' ')
}

/** Where something thrown came from: the stack as one field. */
export function errorStack(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : ''
}

function jsonLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({ time, level, message, ...fields })
}

function textLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  let line = `${time} ${level.toUpperCase().padEnd(5)} ${plain(message)}`
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) line += ` ${name}=${typeof value === 'string' ? word(value) : value}`
  }
  return line
}

/** A value in quotes when it needs them. */
function word(text: string): string {
  return /^[\w./:@[\]-]+$/.test(text) ? text : printable(JSON.stringify(text))
}

/** The text without line ends and other control characters. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ')
}
