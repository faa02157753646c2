import type { Exchange } from './exchange.ts'
import type { LiveRule } from './live-rule.ts'
import { passRequestBody } from './policy-bodies.ts'
import { wait, waitForUpstream } from './waiting.ts'
import { bufferLimitOf } from './whole-body.ts'

/** The client says itself that its body is longer than the rule takes. */
export function saysTooMuch({ request }: Exchange, { rule }: LiveRule): boolean {
  const max = rule.settings.bodyBytesMax
  return max > 0 && request.contentLength > max
}

/**
 * Takes a chunk of the request body: on to the upstream, or into the copy while there is none. The
 * client is paused as soon as nobody takes its bytes.
 */
// oxlint-disable-next-line max-params -- the chunk as it comes: no object for it
export function receiveBody(exchange: Exchange, buffer: Buffer, start: number, end: number): void {
  const { body, policies } = exchange
  const stream = exchange.attempt?.stream
  if (exchange.tunnel) {
    if (stream?.sendData(buffer, start, end) === false) exchange.stream.pauseBody()
    wait(exchange, 'tunnel')
    return
  }
  const limit = bodyLimit(exchange)
  if (limit > 0 && body.bytes + (end - start) > limit) {
    exchange.fail('body-too-large')
    return
  }
  const taken =
    policies === undefined
      ? body.take(buffer, start, end, stream)
      : passRequestBody(policies, buffer, start, end, stream)
  if (stream !== undefined) {
    if (!taken) exchange.stream.pauseBody()
    waitForUpstream(exchange)
  } else if (bufferLimitOf(exchange) === 0) {
    exchange.stream.pauseBody()
  }
}

/** Bytes that the body may have: the route's limit, and that of whoever wants it whole. */
function bodyLimit(exchange: Exchange): number {
  const limit = (exchange.live as LiveRule).rule.settings.bodyBytesMax
  const wanted = exchange.attempt === undefined ? bufferLimitOf(exchange) : 0
  if (wanted === 0) return limit
  return limit === 0 ? wanted : Math.min(limit, wanted)
}
