import type { Fields } from '#src/exchange/fields.ts'
import { releaseRequestHead, releaseResponseHead, takeRequestHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type { ClientStream, ClientStreamHandler, UpstreamFailure } from '#src/exchange/streams.ts'
import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerOwner, TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { LiveEndpoint } from './live-endpoint.ts'
import type { PoolSettings, UpstreamConnector } from './pool.ts'

/** What a probe asks. */
export interface ProbeRequest {
  readonly method: 'GET' | 'POST'
  readonly target: string
  /** Flat [name, value, …]; framing is added. */
  readonly fields: readonly string[]
  readonly body: Buffer
  /** Milliseconds to the end of the answer. */
  readonly timeoutMs: number
}

const nothing = Buffer.alloc(0)

/** A GET of `target` by somebody of this name. */
export function getRequest(target: string, userAgent: string, timeoutMs: number): ProbeRequest {
  const fields = ['User-Agent', userAgent, 'Accept', '*/*']
  return { method: 'GET', target, fields, body: nothing, timeoutMs }
}

/** How a probe ended. */
export type ProbeOutcome = 'answered' | 'timeout' | UpstreamFailure

/** Who sent a probe. */
export interface ProbeOwner {
  /** Exactly once. `response`, `trailers` and `body` of the probe are valid during the call. */
  onProbed(probe: Probe, outcome: ProbeOutcome): void
}

/** What probes need from their worker. */
export interface ProbeContext {
  readonly connector: UpstreamConnector
  readonly wheel: TimerWheel
}

/** A kept connection idle for longer may be one that the endpoint has just given up. */
const idleMsMax = 1000
/** No answer to a probe needs more; what is longer is not read to its end. */
const bodyBytesMax = 16 * 1024

/**
 * One small request of our own to one endpoint, whatever the balancing says: without client, policies
 * and retries. It counts in no metric of routes and not as a request in flight.
 */
export class Probe implements ClientStreamHandler, TimerOwner {
  readonly endpoint: LiveEndpoint
  response: ResponseHead | undefined
  trailers: Fields | undefined
  readonly #chunks: Buffer[] = []
  #bytes = 0
  readonly #owner: ProbeOwner
  readonly #timer = new Timer(this)
  #wheel: TimerWheel | undefined
  #head: RequestHead | undefined
  #stream: ClientStream | undefined
  #done = false

  constructor(owner: ProbeOwner, endpoint: LiveEndpoint) {
    this.#owner = owner
    this.endpoint = endpoint
  }

  /** Sends the request; once. */
  send({ connector, wheel }: ProbeContext, settings: PoolSettings, request: ProbeRequest): void {
    this.#wheel = wheel
    wheel.arm(this.#timer, request.timeoutMs)
    const head = headOf(request, this.endpoint)
    this.#head = head
    const stream = connector.open(this.endpoint, settings, this, idleMsMax)
    this.#stream = stream
    if (this.#done) return
    const bodyless = request.body.length === 0
    stream.sendHead(head, bodyless)
    if (!bodyless) {
      stream.sendData(request.body, 0, request.body.length)
      stream.sendEnd(undefined)
    }
    stream.flush()
  }

  /** The body of the answer. */
  get body(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  onUpstreamConnected(): void {}

  onInterimResponse(head: ResponseHead): void {
    releaseResponseHead(head)
  }

  onResponse(head: ResponseHead, ended: boolean): void {
    this.response = head
    if (ended) this.#end('answered')
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    this.#bytes += end - start
    if (this.#bytes > bodyBytesMax) this.#end('answered')
    else this.#chunks.push(Buffer.from(buffer.subarray(start, end)))
  }

  onResponseEnd(trailers: Fields | undefined): void {
    this.trailers = trailers
    this.#end('answered')
  }

  onUpstreamFailure(failure: UpstreamFailure): void {
    this.#end(failure)
  }

  onResponseFlush(): void {}

  onUpstreamWritable(): void {}

  onTimer(): void {
    this.#end('timeout')
  }

  #end(outcome: ProbeOutcome): void {
    if (this.#done) return
    this.#done = true
    this.#wheel?.remove(this.#timer)
    this.#stream?.reset('cancel')
    this.#owner.onProbed(this, outcome)
    if (this.#head !== undefined) releaseRequestHead(this.#head)
    if (this.response !== undefined) releaseResponseHead(this.response)
    this.response = undefined
  }
}

function headOf(request: ProbeRequest, endpoint: LiveEndpoint): RequestHead {
  const head = takeRequestHead()
  head.method = request.method
  head.target = request.target
  head.authority = endpoint.name
  head.contentLength = request.body.length
  head.acceptsTrailers = request.method === 'POST'
  const { fields } = request
  for (let i = 0; i < fields.length; i += 2) {
    head.fields.append(fields[i] as string, fields[i + 1] as string)
  }
  return head
}
