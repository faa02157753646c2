import type { Coding } from './compressor.ts'

/**
 * Whether Accept-Encoding (RFC 9110 12.5.3) takes a coding: by its name, else by `*`, with a weight
 * above 0. Without the field only what is not coded is sure to be understood.
 */
export function acceptsCoding(accepted: string | undefined, coding: Coding): boolean {
  if (accepted === undefined) return false
  let any = false
  for (const item of accepted.split(',', itemsMax)) {
    const semicolon = item.indexOf(';')
    const name = (semicolon < 0 ? item : item.slice(0, semicolon)).trim().toLowerCase()
    if (name !== coding && name !== '*' && name !== `x-${coding}`) continue
    const wanted = semicolon < 0 || !isZero(item.slice(semicolon + 1))
    if (name !== '*') return wanted
    any = wanted
  }
  return any
}

/** More codings than anybody has; the rest is not looked at. */
const itemsMax = 32

/** A weight of nothing: `q=0`, `q=0.000`. */
function isZero(parameters: string): boolean {
  const text = parameters.trim().toLowerCase()
  if (!text.startsWith('q=')) return false
  return Number(text.slice(2)) === 0
}
