import type { ValueType } from './types.ts'

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
}

/** A number of bytes as nginx writes it: 512, 8k, 1m, 2g. */
export const size: ValueType<number> = {
  expects: 'a size such as 512, 8k, 1m or 2g',
  schema: { pattern: '^\\d+[bBkKmMgG]?$' },
  parse(text) {
    const match = /^(\d{1,15})([bkmg]?)$/i.exec(text)
    if (match === null) return undefined
    const bytes = Number(match[1]) * (sizeUnits[(match[2] ?? '').toLowerCase()] ?? 1)
    return Number.isSafeInteger(bytes) ? bytes : undefined
  },
  format(bytes) {
    if (bytes === 0) return '0'
    const unit = ['g', 'm', 'k'].find((name) => bytes % (sizeUnits[name] ?? 1) === 0) ?? ''
    return `${bytes / (sizeUnits[unit] ?? 1)}${unit}`
  },
}

const durationUnits: Readonly<Record<string, number>> = {
  '': 1000,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const durationMaxMs = 3650 * 86_400_000

/** A time, in milliseconds once read: whole seconds, or numbers with units (90, 90s, 5m, 1h30m). */
export const duration: ValueType<number> = {
  expects: 'a time in seconds or with a unit (60, 500ms, 60s, 5m, 1h30m)',
  schema: { pattern: '^(?:\\d+|(?:\\d+(?:ms|s|m|h|d))+)$' },
  parse(text) {
    if (!/^(?:\d{1,15}|(?:\d{1,15}(?:ms|s|m|h|d)){1,5})$/.test(text)) return undefined
    let milliseconds = 0
    for (const [, count, unit = ''] of text.matchAll(/(\d+)(ms|s|m|h|d)?/g)) {
      milliseconds += Number(count) * (durationUnits[unit] ?? 1000)
    }
    return milliseconds <= durationMaxMs ? milliseconds : undefined
  },
  format: (milliseconds) =>
    milliseconds % 1000 === 0 ? String(milliseconds / 1000) : `${milliseconds}ms`,
}

/** Buffers for a head: how many, and how long one line may be. */
export interface Buffers {
  readonly count: number
  readonly bytes: number
}

/** Number and size of buffers as nginx writes them: "4 8k". */
export const buffers: ValueType<Buffers> = {
  expects: 'a number and a size, such as "4 8k"',
  schema: { pattern: '^\\d+\\s+\\d+[bBkKmMgG]?$' },
  parse(text) {
    const [first = '', second = '', ...rest] = text.split(/\s+/)
    const bytes = size.parse(second)
    const count = /^\d{1,4}$/.test(first) ? Number(first) : 0
    if (rest.length > 0 || count === 0 || bytes === undefined || bytes === 0) return undefined
    return Number.isSafeInteger(count * bytes) ? { count, bytes } : undefined
  },
  format: ({ count, bytes }) => `${count} ${size.format(bytes)}`,
}
