import type { Fields } from '#src/exchange/fields.ts'
import { fieldId } from '#src/exchange/known-fields.ts'

/** More options than this are an attack on whoever searches them. */
const optionsMax = 64

/** What a Connection field said (RFC 9110 7.6.1). One object serves a thread. */
export interface ConnectionOptions {
  close: boolean
  keepAlive: boolean
  upgrade: boolean
}

/**
 * Reads the value of Connection and removes the fields that it names; undefined: there was none.
 * False: too many options.
 *
 * A field that the proxy itself acts on is never removed here, whoever names it: Host, credentials,
 * framing and forwarding fields have their own treatment, and a sender must not list them.
 */
export function readConnection(
  value: string | undefined,
  fields: Fields,
  options: ConnectionOptions,
): boolean {
  options.close = false
  options.keepAlive = false
  options.upgrade = false
  if (value === undefined) return true
  if (value === 'keep-alive' || value === 'Keep-Alive') {
    options.keepAlive = true
    return true
  }
  if (value === 'close') {
    options.close = true
    return true
  }
  const names = value.toLowerCase().split(',', optionsMax + 1)
  if (names.length > optionsMax) return false
  for (const name of names) readOption(name.trim(), fields, options)
  return true
}

function readOption(name: string, fields: Fields, options: ConnectionOptions): void {
  if (name === 'close') options.close = true
  else if (name === 'keep-alive') options.keepAlive = true
  else if (name === 'upgrade') options.upgrade = true
  else if (name !== '' && fieldId(name) === 0) fields.remove(name)
}
