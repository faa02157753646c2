import type { Fields } from '#src/exchange/fields.ts'
import { releaseRequestHead, releaseResponseHead, takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type {
  ClientStream,
  ClientStreamHandler,
  Peer,
  RequestAcceptor,
  ResetReason,
  ServerStream,
  ServerStreamHandler,
  UpstreamFailure,
} from '#src/exchange/streams.ts'
import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerWheel } from '#src/exchange/timer-wheel.ts'

/** Hosts that have a route; others get 404. */
const routed = new Set(['a.test', 'b.test'])
const upstreamIdleMs = 2_000

/** The least proxy that joins the two roles: one upstream, one try, no policies. */
export class Forwarder implements RequestAcceptor {
  readonly wheel: TimerWheel
  readonly openUpstream: (handler: ClientStreamHandler) => ClientStream
  /** Codes of the requests that were refused below us. */
  readonly rejected: string[] = []
  /** Requests that came this far. */
  requests = 0

  constructor(wheel: TimerWheel, openUpstream: (handler: ClientStreamHandler) => ClientStream) {
    this.wheel = wheel
    this.openUpstream = openUpstream
  }

  onRequest(stream: ServerStream, head: RequestHead, ended: boolean): ServerStreamHandler {
    this.requests++
    return new Forwarding(this, stream, head, ended)
  }

  onRejected(_peer: Peer, status: number, code: string): string {
    this.rejected.push(code)
    return `${status} ${code}\n`
  }
}

/** One exchange. */
class Forwarding implements ServerStreamHandler, ClientStreamHandler {
  readonly #wheel: TimerWheel
  readonly #client: ServerStream
  readonly #request: RequestHead
  readonly #timer = new Timer({ onTimer: () => this.#fail(504) })
  #upstream: ClientStream | undefined
  #requestEnded: boolean
  #answered = false
  #tunnel = false
  #upstreamEnded = false
  #over = false

  constructor(forwarder: Forwarder, client: ServerStream, request: RequestHead, ended: boolean) {
    this.#wheel = forwarder.wheel
    this.#client = client
    this.#request = request
    this.#requestEnded = ended
    const host = request.authority.toLowerCase().replace(/:\d*$/, '')
    if (!routed.has(host)) {
      this.#reply(404)
      return
    }
    const { fields } = request
    fields.set('X-Forwarded-For', client.peer.address)
    fields.set('X-Forwarded-Proto', client.peer.scheme)
    fields.set('X-Forwarded-Host', request.authority)
    fields.set('X-Real-IP', client.peer.address)
    this.#upstream = forwarder.openUpstream(this)
    this.#upstream.sendHead(request, ended)
    this.#wheel.arm(this.#timer, upstreamIdleMs)
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    if (this.#upstream?.sendData(buffer, start, end) === false) this.#client.pauseBody()
  }

  onRequestEnd(trailers: Fields | undefined): void {
    this.#requestEnded = true
    this.#upstream?.sendEnd(trailers)
    if (this.#tunnel && this.#upstreamEnded) this.#finish()
  }

  onRequestReset(_reason: ResetReason): void {
    const upstream = this.#upstream
    this.#finish()
    upstream?.reset('cancel')
  }

  onRequestFlush(): void {
    this.#upstream?.flush()
  }

  onClientWritable(): void {
    this.#upstream?.resumeBody()
  }

  onUpstreamConnected(): void {
    this.#wheel.arm(this.#timer, upstreamIdleMs)
  }

  onInterimResponse(head: ResponseHead): void {
    this.#client.sendInterim(head)
    releaseResponseHead(head)
  }

  onResponse(head: ResponseHead, ended: boolean): void {
    this.#answered = true
    this.#tunnel = head.status === 101
    this.#client.sendHead(head, ended)
    releaseResponseHead(head)
    if (ended) this.#end()
    else this.#wheel.arm(this.#timer, upstreamIdleMs)
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    if (!this.#client.sendData(buffer, start, end)) this.#upstream?.pauseBody()
    this.#wheel.arm(this.#timer, upstreamIdleMs)
  }

  onResponseEnd(trailers: Fields | undefined): void {
    this.#upstreamEnded = true
    this.#client.sendEnd(trailers)
    this.#client.flush()
    if (!this.#tunnel || this.#requestEnded) this.#finish()
  }

  onUpstreamFailure(_failure: UpstreamFailure): void {
    this.#upstream = undefined
    this.#fail(502)
  }

  onResponseFlush(): void {
    if (!this.#over) this.#client.flush()
  }

  onUpstreamWritable(): void {
    this.#client.resumeBody()
  }

  #fail(status: number): void {
    if (this.#over) return
    this.#upstream?.reset('timeout')
    if (this.#answered) {
      this.#client.reset('upstream-failed')
      this.#finish()
    } else {
      this.#reply(status)
    }
  }

  #reply(status: number): void {
    const head = takeResponseHead()
    head.status = status
    head.contentLength = 3
    this.#client.sendHead(head, false)
    this.#client.sendText(String(status))
    this.#client.sendEnd(undefined)
    releaseResponseHead(head)
    this.#end()
  }

  #end(): void {
    this.#client.flush()
    this.#finish()
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#upstream = undefined
    this.#wheel.remove(this.#timer)
    releaseRequestHead(this.#request)
  }
}
