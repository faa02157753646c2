import type { RequestHead } from '#src/exchange/heads.ts'
import { Fields } from '#src/exchange/fields.ts'
import type { Exchange } from './exchange.ts'
import { isGrpc } from './grpc-reply.ts'

/** Milliseconds in the units of grpc-timeout (gRPC over HTTP/2, "Requests"). */
const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
}
const digitsMax = 8
/** Longer deadlines than this are as good as none. */
const deadlineMsMax = 2_147_483_647

/** DEADLINE_EXCEEDED among the status codes of gRPC. */
const deadlineExceeded = '4'

/** Milliseconds that a value of grpc-timeout allows; undefined: it is none. */
export function parseGrpcTimeout(text: string): number | undefined {
  const digits = text.slice(0, -1)
  const unit = unitMs[text.slice(-1)]
  if (unit === undefined || digits.length > digitsMax || !isDigits(digits)) return undefined
  return Math.min(Number(digits) * unit, deadlineMsMax)
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x30 || code > 0x39) return false
  }
  return text !== ''
}

/** Milliseconds a request leaves for its answer; undefined: as many as the route does. */
export function grpcTimeoutMs(request: RequestHead): number | undefined {
  // Every gRPC call is a POST with "te: trailers": others are not searched for fields.
  if (!request.acceptsTrailers || request.method !== 'POST' || !isGrpc(request)) return undefined
  const text = request.fields.get('grpc-timeout')
  return text === undefined ? undefined : parseGrpcTimeout(text)
}

/**
 * Ends a call whose deadline has passed, as DEADLINE_EXCEEDED: in an answer of our own, or in the
 * trailers of the upstream's answer when that has begun.
 */
export function endByDeadline(exchange: Exchange): void {
  exchange.deadline = undefined
  if (!exchange.headSent) {
    exchange.fail('deadline-exceeded')
    return
  }
  exchange.failure = 'deadline-exceeded'
  exchange.attempt?.abandon()
  const trailers = new Fields()
  trailers.append('grpc-status', deadlineExceeded)
  trailers.append('grpc-message', 'the deadline of the call has passed')
  exchange.stream.sendEnd(trailers)
  exchange.stream.flush()
  exchange.finish()
}
