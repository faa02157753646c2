import { releaseResponseHead } from '#src/exchange/heads.ts'
import type { ResponseHead } from '#src/exchange/heads.ts'
import { recordFailure } from '#src/upstream/ejection.ts'
import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import { noteFailedTry } from './failed-try.ts'
import { failures, isIdempotent } from './failures.ts'
import type { FailureCode } from './failures.ts'
import { observeTry } from './pick.ts'
import { recordConnectFailure, recordEjection } from './record.ts'
import { mayRetryFailure } from './retry.ts'

/** A try is over without a whole answer: another one, an answer of our own, or a cut. */
export function tryFailed(exchange: Exchange, attempt: Attempt, code: FailureCode): void {
  exchange.failure = code
  if (exchange.headSent || exchange.response !== undefined) {
    exchange.cut()
    return
  }
  const unsent = failures[code].unsent || attempt.stream?.sent === false
  if (mayRepeatHere(exchange, attempt, code, unsent)) {
    // An HTTP/2 upstream that refuses streams goes away or is full: the pool knows better now.
    exchange.repeated = true
    exchange.freshOnly = code !== 'refused-stream'
    exchange.tries--
    exchange.attempt = undefined
    exchange.ask()
    return
  }
  note(exchange, attempt, code)
  noteFailedTry(exchange, attempt, failures[code].status)
  if (mayRetryFailure(exchange, code, unsent)) exchange.tryElsewhere(attempt)
  else exchange.fail(code)
}

/** What a failed try means for its endpoint: counters, ejection, and the balancer's estimate. */
function note(exchange: Exchange, attempt: Attempt, code: FailureCode): void {
  const { services } = exchange
  const { connecting, ejects } = failures[code]
  const now = services.now()
  if (connecting) recordConnectFailure(exchange, attempt)
  if (!ejects) return
  if (recordFailure(services.endpoints, attempt.endpoint, now)) recordEjection(exchange)
  observeTry(attempt, now, now - attempt.startedAt, 0)
}

/** Whether the same endpoint gets the request once more, whatever the route says of retries. */
// oxlint-disable-next-line max-params -- what is known of a failed try
function mayRepeatHere(
  { repeated, body, request }: Exchange,
  attempt: Attempt,
  code: FailureCode,
  unsent: boolean,
): boolean {
  if (repeated || !body.repeatable || !(unsent || isIdempotent(request.method))) return false
  return code === 'refused-stream' || wasStale(attempt, code)
}

/**
 * A kept connection that closes before any answer was most likely idle for too long (RFC 9112 9.3.1).
 * Once an exchange: the next try is on a new connection.
 */
function wasStale({ stream }: Attempt, code: FailureCode): boolean {
  if (stream?.reused !== true) return false
  return code === 'closed' || code === 'reset'
}

/**
 * Fails a try whose answer an HTTP/2 client would take for a tunnel though it is none: any 2xx accepts
 * an extended CONNECT (RFC 8441 5), while on HTTP/1.1 only 101 accepts an upgrade.
 */
export function wasFalseTunnel(exchange: Exchange, attempt: Attempt, head: ResponseHead): boolean {
  const { status } = head
  if (exchange.request.version !== 20 || status < 200 || status > 299) return false
  releaseResponseHead(head)
  attempt.abandon()
  tryFailed(exchange, attempt, 'malformed')
  return true
}

/** Fails a try whose answer has a longer head than the route takes, as nginx does where it does not fit its buffer. */
export function wasHeadTooLong(exchange: Exchange, attempt: Attempt, head: ResponseHead): boolean {
  const max = exchange.live?.rule.settings.responseHeadBytesMax ?? 0
  if (max === 0 || head.fields.text.length <= max) return false
  releaseResponseHead(head)
  attempt.abandon()
  tryFailed(exchange, attempt, 'head-too-large')
  return true
}
