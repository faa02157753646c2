import { fieldMask } from '#src/exchange/known-fields.ts'
import { preparedNames } from '#src/exchange/prepared-fields.ts'
import type { ResponseHead } from '#src/exchange/heads.ts'
import type { Exchange } from './exchange.ts'

const serverField = fieldMask('server')
const securityField = fieldMask('strict-transport-security')

/** What upstreams say to nginx alone (the default of `proxy_hide_header`); nobody else is to see their inner paths. */
const toNginx = preparedNames([
  'X-Accel-Buffering',
  'X-Accel-Charset',
  'X-Accel-Expires',
  'X-Accel-Limit-Rate',
  'X-Accel-Redirect',
  'X-Pad',
])

/** What every response goes through before policies see it: `Server` goes unless it may stay, and what is for nginx; HSTS comes. */
export function prepareResponse(exchange: Exchange, head: ResponseHead): void {
  const { hsts, backendServerHeader } = exchange.services.table.options
  if (!backendServerHeader) head.fields.removeKnown(serverField)
  // Answers to requests of our own are read by us.
  if (exchange.live?.recorded === true) head.fields.removePrepared(toNginx)
  // Only of a connection of our own we know that it is TLS, as ingress-nginx has it.
  if (exchange.stream.peer.scheme !== 'https') return
  if (hsts === '') return
  head.fields.removeKnown(securityField)
  head.fields.append('Strict-Transport-Security', hsts)
}
