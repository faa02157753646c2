import type { ResponseHead } from '#src/exchange/heads.ts'
import type { RetrySettings } from '#src/table/table.ts'
import type { Exchange } from './exchange.ts'
import { failures, isIdempotent } from './failures.ts'
import { isUnavailable } from './grpc-reply.ts'
import type { FailureCode } from './failures.ts'
import { repeatableBytesPerExchange } from './request-body.ts'

/** Lets the body of a request that may be repeated be kept for that, up to what its route allows. */
export function keepForRetry({ body, live, request }: Exchange): void {
  if (live === undefined) return
  const { bodyBytesMax, requestBuffering, retry } = live.rule.settings
  const limit = bodyBytesMax === 0 ? Infinity : bodyBytesMax
  const wanted = Math.min(limit, repeatableBytesPerExchange)
  if (!requestBuffering || !retries(retry) || request.contentLength > wanted) return
  if (retry.nonIdempotent || isIdempotent(request.method)) body.raiseLimit(wanted)
}

function retries({ triesMax, onError, onTimeout, onInvalidHeader, onStatuses }: RetrySettings) {
  return triesMax !== 1 && (onError || onTimeout || onInvalidHeader || onStatuses.length > 0)
}

/** Whether a failed try may be followed by one at another endpoint. */
export function mayRetryFailure(exchange: Exchange, code: FailureCode, unsent: boolean): boolean {
  const { retry } = failures[code]
  const settings = exchange.live?.rule.settings.retry
  if (settings === undefined || retry === 'never') return false
  const asked =
    (retry === 'error' && settings.onError) ||
    (retry === 'timeout' && settings.onTimeout) ||
    (retry === 'invalid-header' && settings.onInvalidHeader)
  return asked && (unsent || mayRepeat(exchange)) && mayTryAgain(exchange)
}

/** Whether a response is given up, by its status, for a try at another endpoint. */
export function mayRetryStatus(exchange: Exchange, head: ResponseHead, ended: boolean): boolean {
  const settings = exchange.live?.rule.settings.retry
  if (settings === undefined || settings.onStatuses.length === 0) return false
  // A gRPC answer without a message says in its only fields what HTTP says by 503.
  const unavailable = ended && isUnavailable(exchange.request, head)
  const status = unavailable ? 503 : head.status
  return settings.onStatuses.includes(status) && mayRepeat(exchange) && mayTryAgain(exchange)
}

/** RFC 9110 9.2.2: only what is idempotent, unless the user vouches for the rest. */
function mayRepeat(exchange: Exchange): boolean {
  const nonIdempotent = exchange.live?.rule.settings.retry.nonIdempotent === true
  return nonIdempotent || isIdempotent(exchange.request.method)
}

/** Tries and time are left, an endpoint is left, and the body can be sent again. */
function mayTryAgain(exchange: Exchange): boolean {
  const { body, live, target, request } = exchange
  if (!body.repeatable || live === undefined || target === undefined) return false
  if (request.upgrade !== '' && body.bytes > 0) return false
  const failed = (exchange.failedEndpoints?.length ?? 0) + 1
  return failed < target.backend.eligible && withinLimits(exchange, live.rule.settings.retry)
}

function withinLimits(exchange: Exchange, { triesMax, timeoutMs }: RetrySettings): boolean {
  const tries = exchange.tries - (exchange.page?.triesBefore ?? 0)
  if (triesMax > 0 && tries >= triesMax) return false
  return timeoutMs === 0 || exchange.services.now() - exchange.startedAt < timeoutMs
}
