import type { Exchange } from './exchange.ts'
import { recordTunnel } from './record.ts'

/** Closes what is left of an upgraded connection when its exchange ends. */
export function endUpgrade(exchange: Exchange): void {
  const { attempt, body, headSent, stream } = exchange
  if (headSent) recordTunnel(exchange, -1)
  if (!body.ended || attempt?.over !== true) stream.reset('cancel')
}
