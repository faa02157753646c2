import type { GcraRate } from '#algorithms/limit/gcra.ts'
import type { FieldChange } from '#src/exchange/field-change.ts'
import type { Fields } from '#src/exchange/fields.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type { Peer } from '#src/exchange/streams.ts'
import type { Mirrors } from './mirror-request.ts'
import type { OpenSpan } from './trace-context.ts'

/** A policy on a rule, as the table carries it: its name in the registry and its own plain data. */
export interface PolicyUse {
  readonly name: string
  readonly config: object
}

/** What a phase answers, at once. */
export const CONTINUE = 0
/** `reply` was called: the client gets that answer and no later request phase runs. */
export const REPLY = 1
/** `suspend` was called: the exchange waits until the suspension is resumed, once. */
export const SUSPEND = 2
/** `reroute` was called: the rule for the new path takes the exchange over, from its first policy on. */
export const REROUTE = 3
export type Verdict = typeof CONTINUE | typeof REPLY | typeof SUSPEND | typeof REROUTE

/** A status that nobody gets to see: the connection is closed without an answer, as nginx does. */
export const hangUp = 444

/** An answer made by a policy or by the proxy itself. */
export interface Reply {
  readonly status: number
  /** Flat [name, value, …]; framing is added. */
  readonly fields?: readonly string[]
  /** Bytes, one character each. */
  readonly body?: string
  readonly contentType?: string
  /** No page for failures takes its place. */
  readonly stands?: boolean
  /** The request is malformed: its connection takes no other (HTTP/1). */
  readonly last?: boolean
}

/** The handle of one suspended exchange. */
export interface Suspension {
  /** Goes on with the next policy. The first of `resume` and `reply` counts; later calls do nothing. */
  resume(): void
  reply(reply: Reply): void
}

/** Body bytes on their way, behind a transforming phase. */
export interface BodySink {
  /** False: the other side is backed up. What is in hand may still be sent. */
  write(buffer: Buffer, start: number, end: number): boolean
  writeText(text: string): boolean
}

/** Watches or changes one body as it passes. One object an exchange. */
export interface BodyFilter {
  onChunk(buffer: Buffer, start: number, end: number, sink: BodySink): void
  /** The body is complete; anything held back goes to the sink now. */
  onEnd(sink: BodySink, trailers: Fields | undefined): void
}

/** One exchange as policies see it. */
export interface PolicyExchange {
  readonly peer: Peer
  readonly request: RequestHead
  /** Lower-case host without port. */
  readonly host: string
  /** The canonical path that matching and access rules use, decoded once; no query. */
  readonly path: string
  /** The client's scheme, decided once from the connection and trusted headers. */
  readonly scheme: 'http' | 'https'
  /** The client's port, decided once. */
  readonly port: number
  /** The host that the client asked for, with its port if it named one; a trusted peer may say which. */
  readonly publicHost: string
  /** Mask of X-Forwarded-Host, -Port and -Scheme, as far as a trusted peer sent them. */
  readonly vouchedFields: number
  /** The client's address, decided once from the connection and trusted headers. */
  readonly clientAddress: string
  readonly requestId: string
  /** The target as the client sent it once `setTarget` has replaced it; '' until then. */
  readonly originalTarget: string
  /** The response head from the response phases on. */
  readonly response: ResponseHead | undefined
  /** The endpoint from `upstreamChosen` on, as address:port. */
  readonly upstreamAddress: string
  /** Key of the CA certificates under which the connection was asked for a client certificate; '': it was not. */
  readonly askedBy: string
  /** In `responseHead`: no body follows. */
  readonly responseEmpty: boolean
  /** The request body, where a `buffer` body phase asked for it. */
  readonly requestBody: Buffer | undefined

  /** Where any of several policies may let the client in: one did. See `access.ts`. */
  accessGranted: boolean
  /** The answer if none does. */
  accessDenial: Reply | undefined
  /** When the request came, by `now`. */
  readonly startedAt: number
  /** Monotonic milliseconds, the same clock in all workers. */
  now(): number
  /** Milliseconds since 1970. */
  wallClock(): number
  /** Uniform in [0, 1). */
  random(): number
  /** One request of this client under a rate limit of this name; false: it is refused. */
  admit(limit: string, rate: GcraRate): boolean
  /** One of `max` requests that this client may have under way, until the exchange ends; false: refused. */
  acquire(limit: string, max: number): boolean
  /**
   * In `responseHead`: the value of the cookie that binds the client to the endpoint that answered, '' when
   * it has one that stands, or the backend knows no sessions. `changeOnFailure`: see the policy.
   */
  newSession(changeOnFailure: boolean): string
  /** In `end`: hands over the span of the request. False: the request is not over, another rule takes it. */
  recordSpan(span: OpenSpan): boolean
  /** Counts an answer that was left as it is because too many are being compressed. */
  noteUncompressed(): void
  /** In `responseHead`: the body of the answer is sent at this rate at most, but for its first bytes. */
  pace(bytesPerSecond: number, bytesFirst: number): void
  /** Replaces the upstream's path and query. */
  setTarget(target: string): void
  setAuthority(authority: string): void
  /** Replaces path, decoded, and target together, for this and for later policies. */
  setPath(path: string, target: string): void
  /** Looks for the rule again, by the path as it is now. In `requestHead` alone, before any wait. */
  reroute(): typeof REROUTE
  reply(reply: Reply): typeof REPLY
  /**
   * Stops here until the suspension is used. After `deadlineMs` the exchange answers 504; `onCancel`
   * is called when that happens, when the client goes, and when the worker drains.
   */
  suspend(deadlineMs: number, onCancel: () => void): Suspension
  /**
   * Sends a request of our own, without a client; the answer is collected up to `bytesMax`. It ends with
   * the exchange, at the latest.
   */
  subrequest(request: Subrequest): void
  /** The copies of requests that the worker has under way. */
  readonly mirrors: Mirrors
  /** What policies keep of this exchange, each in its own of the `statePlaces`; undefined at first. */
  state: unknown[]
}

/** A request made by a policy. It passes no policies, and error interception never touches it. */
export interface Subrequest {
  /** A backend of the table, by key. */
  readonly backend: string
  /** Server name for TLS, which is not verified; absent or '': plain HTTP. */
  readonly serverName?: string
  readonly method: string
  readonly authority: string
  readonly target: string
  /** Flat [name, value, …]; framing and hop-by-hop fields are ours. */
  readonly fields: readonly string[]
  readonly body: string
  readonly timeoutMs: number
  readonly bytesMax: number
  /** The head is enough: of a body beyond `bytesMax` the rest is not waited for. */
  readonly headOnly?: boolean
  /** Exactly once. `response` undefined: no whole answer came. Valid during the call. */
  onAnswer(response: ResponseHead | undefined, body: Buffer): void
}

/**
 * Chooses among a few changes that are made before any request, by nothing but the request as it was sent: of
 * requests that are the same it is asked once. It changes nothing itself.
 */
export type ChooseChange = (request: RequestHead) => FieldChange

/**
 * What runs per request. Order: requestHead, requestBody, upstreamChosen, responseHead,
 * responseBody, trailers, end. Request phases run in table order, response phases in reverse. A
 * phase that is absent costs the route nothing. Those with a verdict are called without their object.
 */
export interface Phases {
  readonly requestHead?: (exchange: PolicyExchange) => Verdict
  /** The whole body is wanted before the upstream is asked: its limit in bytes (413 above). */
  readonly bufferRequestBody?: number
  /** With `bufferRequestBody`: the body is in `exchange.requestBody`. */
  readonly requestBuffered?: (exchange: PolicyExchange) => Verdict
  /** A filter for the request body of this exchange, or undefined. */
  filterRequestBody?(exchange: PolicyExchange): BodyFilter | undefined
  /** Before each try. */
  readonly upstreamChosen?: (exchange: PolicyExchange) => Verdict
  /** May change the head, or replace the whole answer by `reply`. */
  readonly responseHead?: (exchange: PolicyExchange) => Verdict
  /**
   * In place of `responseHead`, where all that it does is such a change. Those of policies that follow one
   * another are made one.
   */
  readonly responseChange?: FieldChange | ChooseChange
  filterResponseBody?(exchange: PolicyExchange): BodyFilter | undefined
  trailers?(exchange: PolicyExchange, trailers: Fields): void
  /** Exactly once, whatever happened. */
  end?(exchange: PolicyExchange): void
}
