import type { Exchange } from './exchange.ts'
import type { LiveRule } from './live-rule.ts'
import { passRequestBody } from './policy-bodies.ts'
import { wait, waitForUpstream } from './waiting.ts'

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
  } else if (policies === undefined || policies.bufferLimit === 0) {
    exchange.stream.pauseBody()
  }
}

/** Bytes that the body may have: the route's limit, and that of a policy which wants it whole. */
function bodyLimit({ live, policies, attempt }: Exchange): number {
  const limit = (live as LiveRule).rule.settings.bodyBytesMax
  const wanted = policies === undefined || attempt !== undefined ? 0 : policies.bufferLimit
  if (wanted === 0) return limit
  return limit === 0 ? wanted : Math.min(limit, wanted)
}
