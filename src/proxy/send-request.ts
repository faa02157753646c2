import type { Attempt } from './attempt.ts'
import { pageHead } from './error-page.ts'
import type { Exchange } from './exchange.ts'
import { isIdempotent } from './failures.ts'
import { poolFor } from './pool-settings.ts'
import { waitForUpstream } from './waiting.ts'

/** A kept connection idle for longer is not trusted with a request that may not be repeated. */
const riskyIdleMs = 1000

/** Sends the request, with what there is of its body, on a stream for the exchange's attempt. */
export function sendRequest(exchange: Exchange): void {
  const attempt = exchange.attempt as Attempt
  const { body, page, services } = exchange
  const request = page === undefined ? exchange.request : pageHead(exchange, page)
  const repeatable = body.repeatable && isIdempotent(request.method)
  // A request that may not be repeated never risks a connection that has been idle for long.
  const riskMs = repeatable ? Infinity : riskyIdleMs
  const idleMsMax = exchange.freshOnly ? 0 : riskMs
  const pool = poolFor(attempt.target.pool, request.upgrade, exchange.scheme)
  const stream = services.connector.open(attempt.endpoint, pool, attempt, idleMsMax)
  attempt.stream = stream
  const bodyless = body.absent
  stream.sendHead(request, bodyless)
  if (!bodyless) body.replay(stream)
  // What else came in the same read leaves in the same write: its end is about to be told.
  if (bodyless || !exchange.inFirstRead) stream.flush()
  waitForUpstream(exchange)
  if (!body.ended && !stream.backedUp) exchange.stream.resumeBody()
}
