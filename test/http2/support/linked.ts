import type { Fields } from '#src/exchange/fields.ts'
import { toPairs } from '#src/exchange/fields.ts'
import { RequestHead, releaseResponseHead } from '#src/exchange/heads.ts'
import type { ResponseHead } from '#src/exchange/heads.ts'
import type { ClientStreamHandler, UpstreamFailure } from '#src/exchange/streams.ts'
import { Http2ClientSession } from '#src/http2/client-session.ts'
import type { Http2ClientOwner } from '#src/http2/client-session.ts'
import type { Http2ClientStream } from '#src/http2/client-stream.ts'
import { clientLimits, serverLimits } from '#src/http2/limits.ts'
import type { Http2Limits } from '#src/http2/limits.ts'
import { Http2ServerSession } from '#src/http2/server-session.ts'
import { memoryPair } from '#test/support/memory-pair.ts'
import type { MemoryEnd } from '#test/support/memory-pair.ts'
import { TestEnvironment } from './environment.ts'
import { Recorder } from './recorder.ts'

/** One answer as the proxy would have seen it. */
export class RecordedResponse implements ClientStreamHandler {
  #stream: Http2ClientStream | undefined
  connected = 0
  readonly interims: number[] = []
  status = 0
  contentLength = -2
  upgrade = ''
  fields: readonly string[] = []
  body = ''
  trailers: readonly string[] | undefined
  ended = false
  failure: UpstreamFailure | '' = ''
  writable = 0
  flushes = 0

  get stream(): Http2ClientStream {
    if (this.#stream === undefined) throw new Error('not opened')
    return this.#stream
  }

  set stream(stream: Http2ClientStream) {
    this.#stream = stream
  }

  onUpstreamConnected(): void {
    this.connected++
  }

  onInterimResponse(head: ResponseHead): void {
    this.interims.push(head.status)
    releaseResponseHead(head)
  }

  onResponse(head: ResponseHead, ended: boolean): void {
    if (this.status !== 0) throw new Error('two heads')
    this.status = head.status
    this.contentLength = head.contentLength
    this.upgrade = head.upgrade
    this.fields = toPairs(head.fields)
    this.ended = ended
    releaseResponseHead(head)
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    if (this.ended || this.failure !== '') throw new Error('body after the end')
    this.body += buffer.latin1Slice(start, end)
  }

  onResponseEnd(trailers: Fields | undefined): void {
    if (this.ended) throw new Error('two ends')
    this.ended = true
    this.trailers = trailers === undefined ? undefined : toPairs(trailers)
  }

  onUpstreamFailure(failure: UpstreamFailure): void {
    if (this.failure !== '') throw new Error('two failures')
    this.failure = failure
  }

  onResponseFlush(): void {
    this.flushes++
  }

  onUpstreamWritable(): void {
    this.writable++
  }
}

export interface RequestParts {
  readonly method?: string
  readonly target?: string
  readonly body?: string
  /** Leave the body open. */
  readonly open?: boolean
  readonly contentLength?: number
  readonly fields?: readonly string[]
  readonly upgrade?: string
  readonly acceptsTrailers?: boolean
  readonly expectContinue?: boolean
}

export function requestHead(parts: RequestParts): RequestHead {
  const head = new RequestHead()
  head.method = parts.method ?? 'GET'
  head.target = parts.target ?? '/'
  head.authority = 'a.test'
  const hasBody = parts.body !== undefined || parts.open === true
  head.contentLength = parts.contentLength ?? (hasBody ? -1 : 0)
  head.upgrade = parts.upgrade ?? ''
  head.acceptsTrailers = parts.acceptsTrailers ?? false
  head.expectContinue = parts.expectContinue ?? false
  const fields = parts.fields ?? []
  for (let i = 0; i < fields.length; i += 2) {
    head.fields.append(fields[i] as string, fields[i + 1] as string)
  }
  return head
}

export interface LinkedOptions {
  readonly answer?: 'ok' | 'hold'
  readonly server?: Partial<Http2Limits>
  readonly client?: Partial<Http2Limits>
  readonly connected?: boolean
}

/** A client session and a server session, joined in memory: our two ends against each other. */
export class Linked implements Http2ClientOwner {
  readonly environment = new TestEnvironment()
  readonly recorder: Recorder
  readonly client: Http2ClientSession
  readonly server: Http2ServerSession
  readonly clientEnd: MemoryEnd
  readonly serverEnd: MemoryEnd
  draining = 0
  capacityTold = 0
  closed: string[] = []

  constructor(options: LinkedOptions = {}) {
    const [clientEnd, serverEnd] = memoryPair()
    this.clientEnd = clientEnd
    this.serverEnd = serverEnd
    this.recorder = new Recorder(options.answer)
    const owner = { onSessionClosed: () => void this.closed.push('server') }
    const { environment } = this
    const serverLimitsHere = { ...serverLimits, ...options.server }
    this.server = new Http2ServerSession(
      serverEnd,
      this.recorder,
      serverLimitsHere,
      environment,
      owner,
    )
    const clientLimitsHere = { ...clientLimits, ...options.client }
    this.client = new Http2ClientSession(clientEnd, this, clientLimitsHere, environment, {
      scheme: 'https',
      connected: options.connected ?? true,
    })
    if (options.connected !== false) this.settle()
  }

  onCapacity(): void {
    this.capacityTold++
  }

  onDraining(): void {
    this.draining++
  }

  onSessionClosed(): void {
    this.closed.push('client')
  }

  /** Sends a request; what follows waits for `settle`. */
  request(parts: RequestParts = {}): RecordedResponse {
    const response = new RecordedResponse()
    const stream = this.client.open(response)
    response.stream = stream
    const hasBody = parts.body !== undefined || parts.open === true
    stream.sendHead(requestHead(parts), !hasBody)
    if (parts.body !== undefined) stream.sendText(parts.body)
    if (hasBody && parts.open !== true) stream.sendEnd(undefined)
    stream.flush()
    return response
  }

  settle(): this {
    for (let round = 0; round < 100_000; round++) {
      const toServer = this.serverEnd.deliver(16_384)
      const toClient = this.clientEnd.deliver(16_384)
      this.environment.turns.run()
      const readable = [this.serverEnd, this.clientEnd].some(
        (end) => !end.closed && !end.paused && end.waitingBytes > 0,
      )
      if (!toServer && !toClient && !readable && !this.environment.turns.busy) return this
    }
    throw new Error('does not settle')
  }

  pass(ms: number): this {
    this.environment.pass(ms)
    return this.settle()
  }
}
