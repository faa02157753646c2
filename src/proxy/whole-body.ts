import { releaseResponseHead, takeResponseHead } from '#src/exchange/heads.ts'
import type { Exchange } from './exchange.ts'

/** A body of unknown length may have so many bytes where its length must be told. */
const wholeBodyBytesMax = 1024 * 1024

/**
 * HTTP/1.0 has no chunks: the length of a body must be known before it is sent, and where the client
 * has not told it, the body is read whole. 0: it is not.
 */
export function wholeBodyMaxOf({ live, request }: Exchange): number {
  const rule = live?.rule
  if (rule === undefined || request.contentLength >= 0 || request.upgrade !== '') return 0
  if (rule.backends[0]?.protocol !== 'http1.0') return 0
  const { bodyBytesMax } = rule.settings
  return bodyBytesMax === 0 ? wholeBodyBytesMax : Math.min(bodyBytesMax, wholeBodyBytesMax)
}

/** Bytes up to which the body is read whole before the upstream is asked; 0: it goes on as it comes. */
export function bufferLimitOf({ policies, wholeBodyMax }: Exchange): number {
  return policies === undefined ? wholeBodyMax : Math.max(policies.bufferLimit, wholeBodyMax)
}

/** Goes on behind the request phases: with the body as it comes, or when it is there whole. */
export function passHead(exchange: Exchange): void {
  const { body, request } = exchange
  const wanted = bufferLimitOf(exchange)
  if (wanted === 0) {
    exchange.ask()
    return
  }
  body.raiseLimit(wanted)
  if (request.contentLength > wanted) exchange.fail('body-too-large')
  else if (body.ended) passWholeBody(exchange)
  else {
    exchange.awaitsBody = true
    inviteBody(exchange)
  }
}

/** The body is there whole. */
export function passWholeBody(exchange: Exchange): void {
  const { body, request, policies, wholeBodyMax } = exchange
  exchange.awaitsBody = false
  if (wholeBodyMax > 0) {
    request.contentLength = body.bytes
    body.trailers = undefined
  }
  if (policies?.runBuffered() !== false) exchange.ask()
}

/** Lets the body come. A client that waits to be asked for it is asked: no upstream can do it yet. */
function inviteBody({ stream, request }: Exchange): void {
  if (request.expectContinue) {
    request.expectContinue = false
    const head = takeResponseHead()
    head.status = 100
    stream.sendInterim(head)
    stream.flush()
    releaseResponseHead(head)
  }
  stream.resumeBody()
}
