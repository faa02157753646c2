import type { Fields } from '#src/exchange/fields.ts'
import { releaseRequestHead, releaseResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type {
  Peer,
  ResetReason,
  ServerStream,
  ServerStreamHandler,
  UpstreamFailure,
} from '#src/exchange/streams.ts'
import type { Listed } from '#src/exchange/roster.ts'
import { noTimer } from '#src/exchange/timer-wheel.ts'
import type { Timer, TimerOwner } from '#src/exchange/timer-wheel.ts'
import type { Reply } from '#src/policies/policy.ts'
import type { LiveEndpoint } from '#src/upstream/live-endpoint.ts'
import { Attempt } from './attempt.ts'
import type { AttemptOwner } from './attempt.ts'
import type { ClientIdentity } from './client-identity.ts'
import { endUpgrade } from './end-upgrade.ts'
import { dressPage, endPage, replaceAnswer, replaceReply } from './error-page.ts'
import type { ErrorPage } from './error-page.ts'
import { failures } from './failures.ts'
import { takeFallback } from './fallback.ts'
import type { FailureCode } from './failures.ts'
import { chooseTarget } from './live-rule.ts'
import type { LiveRule, LiveTarget } from './live-rule.ts'
import { noteAnswer, noteTrailers } from './try-answered.ts'
import { pickEndpoint } from './pick.ts'
import { endRequestBody, endResponseBody, passResponseBody } from './policy-bodies.ts'
import type { PolicyRun } from './policy-run.ts'
import { recordExchange, recordRetry, recordStart, recordTunnel } from './record.ts'
import { makeReply } from './reply.ts'
import { receiveBody, saysTooMuch } from './receive-body.ts'
import { RequestBody } from './request-body.ts'
import { tryFailed, wasFalseTunnel, wasHeadTooLong } from './try-failed.ts'
import { expire, startDeadline, wait, waitForUpstream } from './waiting.ts'
import { passHead, passWholeBody, wholeBodyMaxOf } from './whole-body.ts'
import type { Waiting } from './waiting.ts'
import { prepareResponse } from './response-head.ts'
import { keepForRetry, mayRetryStatus } from './retry.ts'
import { noteFailedTry } from './failed-try.ts'
import type { FailedTry } from './failed-try.ts'
import { sendRequest } from './send-request.ts'
import type { Services } from './services.ts'

/**
 * One request and its answer, from the head to the last byte, whatever protocol versions are on
 * either side. It owns both heads, the request body's copy, the attempts and one timer.
 *
 * Life: `begin` → policies → `ask` → an attempt (again after a failure that allows it) → response
 * head → body → `finish`. Every path ends in `finish`, exactly once.
 */
export class Exchange
  implements ServerStreamHandler, AttemptOwner, TimerOwner, ClientIdentity, Listed
{
  readonly services: Services
  readonly stream: ServerStream
  readonly request: RequestHead
  readonly body: RequestBody
  readonly startedAt: number
  /** Among the suspended ones; see `Listed`. */
  place = -1
  // What the proxy decides about the request, once.
  host = ''
  path = ''
  clientAddress = ''
  forwardedProto = ''
  scheme: 'http' | 'https' = 'http'
  port = 0
  publicHost = ''
  vouchedFields = 0
  requestId = ''
  /** The id is the client's own, which may hold anything that a field may. */
  requestIdSent = false
  /** What the client sent, once a policy has replaced the target; '' until then. */
  originalTarget = ''
  live: LiveRule | undefined
  policies: PolicyRun | undefined
  // The try under way and those before it.
  attempt: Attempt | undefined
  target: LiveTarget | undefined
  tries = 0
  failedEndpoints: LiveEndpoint[] | undefined
  failedTries: FailedTry[] | undefined
  lastEndpoint: LiveEndpoint | undefined
  /** -1: not made yet. */
  hashKey = -1
  /** Key of the session that the last pick belongs to, 0 for none or where sessions have no keys. */
  sessionKey = 0
  // The answer.
  response: ResponseHead | undefined
  status = 0
  responseBytes = 0
  /** Milliseconds from the start of the try to its response head; -1: none came. */
  upstreamMs = -1
  /** When the response head came, within the read that brought it; 0 outside of that. */
  answeredAt = 0
  failure: FailureCode | 'client-gone' | '' = ''
  tunnel = false
  finished = false
  headSent = false
  waiting: Waiting = ''
  /** The page that takes the answer's place. */
  page: ErrorPage | undefined
  /** When the call must be over, on the wheel's clock; undefined: nobody said so. */
  deadline: number | undefined
  /** The codec has not delivered all of the read that brought the head. */
  inFirstRead = true
  /** A body of unknown length is read whole, up to this many bytes, before it is sent; 0: it is not. */
  wholeBodyMax = 0
  /** The request phases are through, and nothing goes on before the body is there whole. */
  awaitsBody = false
  /** The next try is on a new connection. */
  freshOnly = false
  /** A try was repeated at the same endpoint, which happens once. */
  repeated = false
  /** The body of an answer of our own, until the head has gone. */
  #ownBody: Buffer | undefined
  timer: Timer

  constructor(services: Services, stream: ServerStream, request: RequestHead, ended: boolean) {
    this.services = services
    this.stream = stream
    this.request = request
    request.fields.markSent()
    this.body = new RequestBody(services, ended)
    this.startedAt = services.turnNow()
    this.timer = services.wheel.take(this)
    services.exchanges++
    recordStart(this)
  }

  get peer(): Peer {
    return this.stream.peer
  }

  /** Sets out with the rule that matched. */
  begin(live: LiveRule): void {
    this.live = live
    startDeadline(this)
    if (live.policies?.judgesLength !== true && saysTooMuch(this, live)) {
      this.fail('body-too-large')
      return
    }
    if (!this.body.ended) {
      keepForRetry(this)
      this.wholeBodyMax = wholeBodyMaxOf(this)
    }
    if (this.policies === undefined || this.policies.runRequestHead()) this.afterRequestHead()
  }

  /** The request phases let it through. */
  afterRequestHead(): void {
    passHead(this)
  }

  /** Chooses an endpoint and asks it. */
  ask(): void {
    const live = this.live as LiveRule
    this.target ??= chooseTarget(live, this, this.services.random)
    // The first try begins as soon as the head is there: no need to look at the clock again.
    const first = this.tries === 0 && this.inFirstRead
    const now = first ? this.startedAt : this.services.now()
    const endpoint = this.target === undefined ? undefined : pickEndpoint(this, this.target, now)
    if (endpoint === undefined) {
      if (takeFallback(this)) {
        this.ask()
        return
      }
      this.fail(
        this.failure === '' || this.failure === 'client-gone' ? 'no-endpoint' : this.failure,
      )
      return
    }
    this.tries++
    this.lastEndpoint = endpoint
    this.attempt = new Attempt(this, this.target as LiveTarget, endpoint, now)
    if (this.policies === undefined || this.policies.runUpstreamChosen()) this.send()
  }

  /** Sends the request, with what there is of its body, on the attempt's stream. */
  send(): void {
    sendRequest(this)
  }

  // The client's side.

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    if (!this.finished && this.page === undefined) receiveBody(this, buffer, start, end)
  }

  onRequestEnd(trailers: Fields | undefined): void {
    if (this.finished || this.page !== undefined) return
    const { body, policies } = this
    const stream = this.attempt?.stream
    body.ended = true
    body.trailers = trailers
    if (policies !== undefined) endRequestBody(policies, trailers, stream)
    if (stream === undefined) {
      if (this.awaitsBody) passWholeBody(this)
      return
    }
    stream.sendEnd(trailers)
    stream.flush()
    if (this.tunnel && this.attempt?.over === true) this.finish()
    else waitForUpstream(this)
  }

  onRequestReset(_reason: ResetReason): void {
    if (this.finished) return
    this.failure = 'client-gone'
    this.finish()
  }

  onRequestFlush(): void {
    this.inFirstRead = false
    this.attempt?.stream?.flush()
  }

  onClientWritable(): void {
    if (this.finished) return
    const pacer = this.policies?.pacer
    if (pacer?.holding === true) {
      pacer.release()
      return
    }
    this.attempt?.stream?.resumeBody()
    waitForUpstream(this)
  }

  // The upstream's side.

  onConnected(): void {
    waitForUpstream(this)
  }

  onInterim(head: ResponseHead): void {
    if (head.status === 101) {
      this.onHead(head, false)
      return
    }
    this.stream.sendInterim(head)
    this.stream.flush()
    releaseResponseHead(head)
  }

  onHead(head: ResponseHead, ended: boolean): void {
    const attempt = this.attempt as Attempt
    if (wasHeadTooLong(this, attempt, head)) return
    noteAnswer(this, attempt, head)
    if (this.request.upgrade !== '' && wasFalseTunnel(this, attempt, head)) return
    if (mayRetryStatus(this, head, ended)) {
      noteFailedTry(this, attempt, head.status)
      releaseResponseHead(head)
      attempt.abandon()
      this.tryElsewhere(attempt)
      return
    }
    if (this.live?.errorPages !== undefined && replaceAnswer(this, attempt, head, ended)) return
    this.body.drop()
    this.respond(head, ended)
  }

  /** Brings the response head to the client, through the response phases if there are any. */
  respond(head: ResponseHead, ended: boolean): void {
    this.response = head
    this.status = head.status
    this.tunnel = head.status === 101
    prepareResponse(this, head)
    if (this.page !== undefined) dressPage(this.page, head)
    if (this.policies === undefined || this.policies.runResponseHead(ended)) {
      this.sendResponse(ended)
    }
  }

  /** The head goes out; an answer of our own follows whole, an upstream's as it comes. */
  sendResponse(ended: boolean): void {
    this.headSent = true
    this.stream.sendHead(this.response as ResponseHead, ended)
    if (ended) {
      this.stream.flush()
      this.finish()
      return
    }
    const own = this.#ownBody
    if (own !== undefined) {
      this.#ownBody = undefined
      this.onBody(own, 0, own.length)
      this.onBodyEnd(undefined)
      return
    }
    if (this.tunnel) {
      recordTunnel(this, 1)
      this.stream.resumeBody()
    }
    waitForUpstream(this)
  }

  onBody(buffer: Buffer, start: number, end: number): void {
    this.responseBytes += end - start
    const { policies, stream } = this
    const taken =
      policies === undefined
        ? stream.sendData(buffer, start, end)
        : passResponseBody(policies, buffer, start, end, stream)
    if (!taken) this.attempt?.stream?.pauseBody()
    waitForUpstream(this)
  }

  onBodyEnd(trailers: Fields | undefined): void {
    if (trailers !== undefined) noteTrailers(this, trailers)
    const { policies, stream } = this
    if (policies === undefined || endResponseBody(policies, trailers, stream)) {
      this.endResponse(trailers)
    }
  }

  endResponse(trailers: Fields | undefined): void {
    this.stream.sendEnd(trailers)
    this.stream.flush()
    if (this.tunnel && !this.body.ended) wait(this, 'tunnel')
    else this.finish()
  }

  onFailure(failure: UpstreamFailure): void {
    tryFailed(this, this.attempt as Attempt, failure)
  }

  /** Gives this endpoint up for another one. */
  tryElsewhere(attempt: Attempt): void {
    recordRetry(this)
    this.failedEndpoints ??= []
    this.failedEndpoints.push(attempt.endpoint)
    this.attempt = undefined
    this.ask()
  }

  onFlush(): void {
    this.answeredAt = 0
    this.stream.flush()
    waitForUpstream(this)
  }

  onWritable(): void {
    if (this.finished) return
    if (!this.body.ended || this.tunnel) this.stream.resumeBody()
    waitForUpstream(this)
  }

  onTimer(): void {
    if (!this.finished) expire(this)
  }

  // The end.

  /** Ends with the answer that belongs to the failure, or cuts an answer that has begun. */
  fail(code: FailureCode): void {
    this.failure = code
    this.attempt?.abandon()
    if (this.headSent) this.cut()
    else this.reply({ status: failures[code].status, last: code === 'bad-path' })
  }

  /** Answers by itself. Response phases see this answer as any other. */
  reply(reply: Reply): void {
    this.attempt?.abandon()
    if (this.live?.errorPages !== undefined && replaceReply(this, reply)) return
    if (this.response !== undefined) releaseResponseHead(this.response)
    const own = makeReply(reply, this.request)
    this.#ownBody = own.body
    this.respond(own.head, own.body === undefined)
  }

  /** Ends an answer that has begun so that it cannot pass for a whole one. */
  cut(): void {
    this.stream.reset('upstream-failed')
    this.finish()
  }

  finish(): void {
    if (this.finished) return
    this.finished = true
    const { services } = this
    services.exchanges--
    services.wheel.give(this.timer)
    this.timer = noTimer
    if (this.tunnel) endUpgrade(this)
    this.attempt?.abandon()
    // An early answer: what is left of the request must not reach the upstream.
    if (!this.body.ended) this.attempt?.stream?.reset('cancel')
    this.policies?.end()
    if (this.page !== undefined) endPage(this.page)
    this.body.drop()
    recordExchange(this)
    releaseRequestHead(this.request)
    if (this.response !== undefined) releaseResponseHead(this.response)
    this.response = undefined
  }
}
