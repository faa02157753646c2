import { fieldMask } from '#src/exchange/known-fields.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type { Exchange } from './exchange.ts'

const serverField = fieldMask('server')
const securityField = fieldMask('strict-transport-security')

/** What every response goes through before policies see it: `Server` goes, HSTS comes. */
export function prepareResponse(exchange: Exchange, head: ResponseHead): void {
  head.fields.removeKnown(serverField)
  if (exchange.scheme !== 'https') return
  const { hsts } = exchange.services.table.options
  if (hsts === '') return
  head.fields.removeKnown(securityField)
  head.fields.append('Strict-Transport-Security', hsts)
}

/**
 * Whether an HTTP/2 client would take this answer for a tunnel though it is none: any 2xx accepts an
 * extended CONNECT (RFC 8441 5), while on HTTP/1.1 only 101 accepts an upgrade.
 */
export function passesForTunnel({ version }: RequestHead, { status }: ResponseHead): boolean {
  return version === 20 && status >= 200 && status < 300
}
