import type { Fields } from '#src/exchange/fields.ts'

/** Names of request fields on which an answer depends, and what they were in the request that it answered. */
export interface Variant {
  readonly names: readonly string[]
  readonly values: string
}

/**
 * For how many milliseconds an answer may be kept, read as nginx's proxy_cache does: X-Accel-Expires counts
 * before Cache-Control, that before Expires, and that before the time for its status. What sets a cookie is
 * for one client. 0: it is not kept. `now`: milliseconds since 1970.
 */
export function freshMs(fields: Fields, statusMs: number, now: number): number {
  if (fields.get('set-cookie') !== undefined || namesOf(fields).includes('*')) return 0
  return accelMs(fields, now) ?? controlMs(fields) ?? expiresMs(fields, now) ?? statusMs
}

/** What a request must share with the one that was answered; undefined: nothing but the key. */
export function variantOf(answer: Fields, request: Fields): Variant | undefined {
  const names = namesOf(answer)
  return names.length === 0 ? undefined : { names, values: valuesOf(names, request) }
}

function namesOf(answer: Fields): string[] {
  const vary = answer.getJoined('vary') ?? ''
  return vary
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((name) => name !== '')
}

/** What the fields of these names are in a request. */
export function valuesOf(names: readonly string[], request: Fields): string {
  return JSON.stringify(names.map((name) => request.getSentJoined(name) ?? ''))
}

/** Seconds, or with @ a time in seconds since 1970. */
function accelMs(fields: Fields, now: number): number | undefined {
  const [, at, seconds] = /^(@?)(\d+)$/.exec(fields.get('x-accel-expires') ?? '') ?? []
  if (seconds === undefined) return undefined
  return Math.max(0, Number(seconds) * 1000 - (at === '@' ? now : 0))
}

function controlMs(fields: Fields): number | undefined {
  const text = fields.getJoined('cache-control') ?? ''
  if (/no-cache|no-store|private/i.test(text)) return 0
  const [, age] = /s-maxage=([^,; ]*)/i.exec(text) ?? /max-age=([^,; ]*)/i.exec(text) ?? []
  if (age === undefined) return undefined
  return /^\d+$/.test(age) ? Number(age) * 1000 : 0
}

/** What is no date is over. */
function expiresMs(fields: Fields, now: number): number | undefined {
  const text = fields.get('expires')
  if (text === undefined) return undefined
  const at = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? 0 : Math.max(0, at - now)
}
