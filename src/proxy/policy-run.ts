import type { GcraRate } from '#algorithms/limit/gcra.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type { Peer } from '#src/exchange/streams.ts'
import { sendableTarget } from '#src/http1/request-target.ts'
import type { Mirrors } from '#src/policies/mirror-request.ts'
import type { OpenSpan } from '#src/policies/trace-context.ts'
import { CONTINUE, hangUp, REPLY, REROUTE } from '#src/policies/policy.ts'
import type {
  PolicyExchange,
  Reply,
  Subrequest,
  Suspension,
  Verdict,
} from '#src/policies/policy.ts'
import { tooMany } from '#src/shared/limit-memory.ts'
import type { BodyFilters } from './body-filters.ts'
import { contextOf } from './connection-context.ts'
import type { Exchange } from './exchange.ts'
import { failures } from './failures.ts'
import type { FailureCode } from './failures.ts'
import { HeldBody } from './held-body.ts'
import type { Services } from './services.ts'
import { acquireRequest, admitRequest, releaseRequests } from './limits.ts'
import { recordUncompressed } from './record.ts'
import { Pacer } from './pacer.ts'
import { filterEarlyBody } from './policy-bodies.ts'
import type { PolicyChain, Stage } from './policy-chain.ts'
import { newSession } from './sessions.ts'
import { recordSpan } from './record-span.ts'
import { startSubrequest } from './sub-exchange.ts'
import type { RunningSubrequest } from './sub-exchange.ts'
import { SuspensionHandle } from './suspension.ts'
import { waitSuspended } from './waiting.ts'

/**
 * The policies of one exchange at work: which phase is running, what is suspended, the body filters.
 * Made only for routes that have policies.
 */
export class PolicyRun implements PolicyExchange {
  readonly state: unknown[] = []
  requestBody: Buffer | undefined
  accessGranted = false
  accessDenial: Reply | undefined
  /** The end of a response body that may not go faster than a rate. */
  pacer: Pacer | undefined
  readonly bufferLimit: number
  /** A policy wants the rule for another path; see `route.ts`. */
  rerouting = false
  /** How often that has happened to this exchange. */
  reroutes = 0
  readonly exchange: Exchange
  readonly chain: PolicyChain
  // The bodies; see `policy-bodies.ts`.
  requestFilters: BodyFilters | undefined
  responseFilters: BodyFilters | undefined
  /** What of the answer came while a response phase held it up. */
  held: HeldBody | undefined
  #stage: Stage
  #index = 0
  #suspension: SuspensionHandle | undefined
  #subrequests: RunningSubrequest[] | undefined
  #responseEnded = false
  /** A response phase put another answer in place; it does not happen twice. */
  #replaced = false
  #replying: Reply | undefined
  /** Places of connection limits that this exchange holds. */
  #acquired: number[] | undefined

  constructor(exchange: Exchange, chain: PolicyChain) {
    this.exchange = exchange
    this.chain = chain
    this.#stage = chain.requestHead
    this.bufferLimit = chain.bufferLimit
  }

  get peer(): Peer {
    return this.exchange.stream.peer
  }
  get request(): RequestHead {
    return this.exchange.request
  }
  get host(): string {
    return this.exchange.host
  }
  get path(): string {
    return this.exchange.path
  }
  get scheme(): 'http' | 'https' {
    return this.exchange.scheme
  }
  get port(): number {
    return this.exchange.port
  }
  get publicHost(): string {
    return this.exchange.publicHost
  }
  get vouchedFields(): number {
    return this.exchange.vouchedFields
  }
  get clientAddress(): string {
    return this.exchange.clientAddress
  }
  get requestId(): string {
    return this.exchange.requestId
  }
  get originalTarget(): string {
    return this.exchange.originalTarget
  }
  get response(): ResponseHead | undefined {
    return this.exchange.response
  }
  get askedBy(): string {
    return contextOf(this.peer).asked?.key ?? ''
  }
  get startedAt(): number {
    return this.exchange.startedAt
  }
  get upstreamAddress(): string {
    return this.exchange.attempt?.endpoint.name ?? ''
  }

  get responseEmpty(): boolean {
    return this.#responseEnded
  }

  recordSpan(span: OpenSpan): boolean {
    if (this.exchange.finished) recordSpan(this.exchange, span)
    return this.exchange.finished
  }

  noteUncompressed(): void {
    recordUncompressed(this.exchange)
  }

  get mirrors(): Mirrors {
    return this.exchange.services.mirrors
  }

  now(): number {
    return this.exchange.services.now()
  }

  wallClock(): number {
    return this.exchange.services.wallClock()
  }

  random(): number {
    return this.exchange.services.random()
  }

  admit(limit: string, rate: GcraRate): boolean {
    return admitRequest(this.exchange, limit, rate)
  }

  acquire(limit: string, max: number): boolean {
    const place = acquireRequest(this.exchange, limit, max)
    if (place >= 0) (this.#acquired ??= []).push(place)
    return place !== tooMany
  }

  newSession(changeOnFailure: boolean): string {
    return newSession(this.exchange, changeOnFailure)
  }

  pace(bytesPerSecond: number, bytesFirst: number): void {
    this.pacer ??= new Pacer(this.exchange, bytesPerSecond, bytesFirst)
  }

  setTarget(target: string): void {
    this.exchange.originalTarget ||= this.request.target
    this.request.target = sendableTarget(target)
  }

  setAuthority(authority: string): void {
    this.request.originalAuthority ||= this.request.authority
    this.request.authority = authority
  }

  setPath(path: string, target: string): void {
    this.setTarget(target)
    this.exchange.path = path
  }

  reroute(): typeof REROUTE {
    this.rerouting = true
    return REROUTE
  }

  /** Goes on with what the policies of another rule knew of the exchange. */
  follow(before: PolicyRun): void {
    this.reroutes = before.reroutes + 1
    for (const [i, state] of before.state.entries()) this.state[i] = state
  }

  reply(reply: Reply): typeof REPLY {
    this.#replying = reply
    return REPLY
  }

  /** In a phase: the answer that belongs to a failure. */
  fail(code: FailureCode): typeof REPLY {
    this.exchange.failure = code
    return this.reply({ status: failures[code].status })
  }

  suspend(deadlineMs: number, onCancel: () => void): Suspension {
    this.#suspension = new SuspensionHandle(this, onCancel)
    this.exchange.services.suspended.add(this.exchange)
    waitSuspended(this.exchange, deadlineMs)
    return this.#suspension
  }

  subrequest(request: Subrequest): void {
    const running = startSubrequest(this.exchange.services, this.peer, request)
    // An answer that was there at once may have ended the exchange.
    if (this.exchange.finished) running.cancel()
    else (this.#subrequests ??= []).push(running)
  }

  // Request phases, in table order. True: go on at once.

  runRequestHead(): boolean {
    return this.#run(this.chain.requestHead, 0)
  }

  /** The body is complete; policies that asked for it run now. */
  runBuffered(): boolean {
    this.requestBody = Buffer.from(this.exchange.body.text, 'latin1')
    return this.#run(this.chain.requestBuffered, 0)
  }

  runUpstreamChosen(): boolean {
    return this.#run(this.chain.upstreamChosen, 0)
  }

  /** Response phases, in reverse. False: suspended or replaced; the body is held meanwhile. */
  runResponseHead(ended: boolean): boolean {
    this.#responseEnded = ended
    this.exchange.response?.fields.markSent()
    return this.#run(this.chain.responseHead, 0)
  }

  #run(stage: Stage, from: number): boolean {
    this.#stage = stage
    const { calls } = stage
    for (let i = from; i < calls.length; i++) {
      this.#index = i
      const verdict = (calls[i] as (exchange: PolicyExchange) => Verdict)(this)
      if (verdict === CONTINUE) continue
      if (this.#replaced && stage.name === 'responseHead') {
        // Its answer stands already; a phase that wants yet another is passed over.
        this.#suspension?.cancel()
        this.#suspension = undefined
        continue
      }
      if (verdict === REPLY) this.#answer(this.#replying as Reply)
      else if (verdict !== REROUTE) this.#suspended()
      return false
    }
    return true
  }

  #answer(reply: Reply): void {
    this.#suspension = undefined
    this.held = undefined
    if (this.#stage.name === 'responseHead') this.#replaced = true
    if (reply.status === hangUp) {
      this.exchange.status = hangUp
      this.exchange.cut()
      return
    }
    this.exchange.reply(reply)
  }

  #suspended(): void {
    if (this.#stage.name !== 'responseHead') return
    this.held = new HeldBody()
    this.exchange.attempt?.stream?.pauseBody()
  }

  /** A suspension was resumed, or answered. */
  resumed(handle: SuspensionHandle, reply: Reply | undefined): void {
    if (handle !== this.#suspension || this.exchange.finished) return
    this.#suspension = undefined
    this.exchange.services.suspended.delete(this.exchange)
    if (reply !== undefined) this.#answer(reply)
    else if (this.#run(this.#stage, this.#index + 1)) this.#goOn()
  }

  /** A request phase holds the exchange up, and those behind it have not run. */
  get headSuspended(): boolean {
    return this.#suspension !== undefined && this.#stage.name === 'requestHead'
  }

  /** Whatever held the exchange up, it goes on without that. */
  stopWaiting(): void {
    const suspension = this.#suspension
    this.#suspension = undefined
    this.exchange.services.suspended.delete(this.exchange)
    suspension?.cancel()
  }

  #goOn(): void {
    const exchange = this.exchange
    const { name } = this.#stage
    if (name === 'requestHead') {
      filterEarlyBody(this)
      exchange.afterRequestHead()
    } else if (name === 'requestBuffered') exchange.ask()
    else if (name === 'upstreamChosen') exchange.send()
    else this.#goOnWithResponse()
  }

  #goOnWithResponse(): void {
    const exchange = this.exchange
    const held = this.held
    this.held = undefined
    exchange.sendResponse(this.#responseEnded)
    held?.release(exchange)
    exchange.stream.flush()
    if (!exchange.stream.backedUp) exchange.attempt?.stream?.resumeBody()
  }

  /** The exchange is over. */
  end(): void {
    this.stopWaiting()
    // What was asked for a client that has left must not go on for as long as the other side likes.
    if (this.#subrequests !== undefined) for (const one of this.#subrequests) one.cancel()
    this.pacer?.stop()
    for (const phase of this.chain.end) phase.end?.(this)
    if (this.#acquired !== undefined) releaseRequests(this.exchange, this.#acquired)
  }
}

/** The worker drains: what a policy holds up is answered with 503, for nobody knows for how long. */
export function cancelSuspended({ suspended }: Services): void {
  for (const exchange of suspended.all()) exchange.fail('draining')
}
