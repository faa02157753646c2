import type { Fields } from '#src/exchange/fields.ts'
import { toPairs } from '#src/exchange/fields.ts'
import { releaseRequestHead, releaseResponseHead, takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type {
  ClientStreamHandler,
  Peer,
  RequestAcceptor,
  ResetReason,
  ServerStream,
  ServerStreamHandler,
  UpstreamFailure,
} from '#src/exchange/streams.ts'
import { TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Http1ServerOptions } from '#src/http1/options.ts'
import { Http1ServerContext } from '#src/http1/server-context.ts'
import { Http1ServerSession } from '#src/http1/server-session.ts'
import { MemoryNetwork } from '#test/support/memory-connection.ts'
import type { MemoryConnection, MemoryOptions } from '#test/support/memory-connection.ts'
import { Recorder, serverOptions } from './relay.ts'

/** One request as the proxy's side heard of it. */
export class HeardRequest implements ServerStreamHandler {
  readonly stream: ServerStream
  readonly line: string
  readonly fields: string
  readonly upgrade: string
  readonly contentLength: number
  readonly expectContinue: boolean
  body = ''
  /** '' while more may come; `none`, `ended` and any trailers, or `reset` and the reason. */
  end = ''
  /** Called when the request is whole. */
  onWhole: () => void = () => undefined
  flushes = 0
  writable = 0

  constructor(stream: ServerStream, head: RequestHead, ended: boolean) {
    this.stream = stream
    this.line = `${head.method} ${head.authority}${head.target} ${head.version}`
    this.fields = toPairs(head.fields).join('|')
    this.upgrade = head.upgrade
    this.contentLength = head.contentLength
    this.expectContinue = head.expectContinue
    if (ended) this.end = 'none'
    releaseRequestHead(head)
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    this.body += buffer.latin1Slice(start, end)
  }
  onRequestEnd(trailers: Fields | undefined): void {
    this.end = trailers === undefined ? 'ended' : `ended ${toPairs(trailers).join('|')}`
    this.onWhole()
  }
  onRequestReset(reason: ResetReason): void {
    this.end = `reset ${reason}`
  }
  onRequestFlush(): void {
    this.flushes++
  }
  onClientWritable(): void {
    this.writable++
  }

  /** Sends a whole answer, or its beginning when `body` is undefined. */
  answer(body: string | undefined, status = 200, fields: readonly string[] = []): void {
    const head = responseHead(status, fields)
    head.contentLength = body?.length ?? -1
    this.stream.sendHead(head, body === '')
    releaseResponseHead(head)
    if (body !== undefined && body !== '') {
      this.stream.sendText(body)
      this.stream.sendEnd(undefined)
    }
    this.stream.flush()
  }
}

export function responseHead(status: number, fields: readonly string[] = []): ResponseHead {
  const head = takeResponseHead()
  head.status = status
  for (let i = 0; i < fields.length; i += 2) {
    head.fields.append(fields[i] as string, fields[i + 1] as string)
  }
  return head
}

/** A server session on a connection in memory, with a test in the place of the proxy. */
export class ScriptedServer implements RequestAcceptor {
  readonly network: MemoryNetwork
  readonly wheel = new TimerWheel(0)
  readonly context: Http1ServerContext
  readonly requests: HeardRequest[] = []
  readonly rejected: string[] = []
  /** What to do with a request as it comes, before its body. */
  onHeard: (request: HeardRequest) => void = () => undefined

  /** Answers every request as soon as it is whole. */
  answerAll(body: string): void {
    this.onHeard = (request) => {
      if (request.end === 'none' || request.upgrade !== '') request.answer(body)
      else request.onWhole = () => request.answer(body)
    }
  }

  constructor(options: Partial<Http1ServerOptions> = {}, memory: MemoryOptions = {}) {
    this.network = new MemoryNetwork(memory)
    const all = { ...serverOptions, ...options }
    this.context = new Http1ServerContext(this, all, this.wheel, () => 1_793_955_000_000)
  }

  onRequest(stream: ServerStream, head: RequestHead, ended: boolean): ServerStreamHandler {
    const request = new HeardRequest(stream, head, ended)
    this.requests.push(request)
    this.onHeard(request)
    return request
  }

  onRejected(_peer: Peer, status: number, code: string): string {
    this.rejected.push(`${status} ${code}`)
    return `${code}\n`
  }

  /** The last request. */
  get last(): HeardRequest {
    return this.requests.at(-1) as HeardRequest
  }

  /** A new client, and the end of its connection that the session has. */
  connect(): [client: Recorder, accepted: MemoryConnection] {
    const [opened, accepted] = this.network.pair()
    new Http1ServerSession(accepted, this.context).start()
    return [new Recorder(opened), accepted]
  }

  client(): Recorder {
    return this.connect()[0]
  }

  send(client: Recorder, text: string): void {
    client.connection.writeText(text)
    this.network.run()
  }

  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 50) {
      this.wheel.advance(this.wheel.now + Math.min(left, 50))
      this.network.run()
    }
  }
}

/** What the proxy's side heard of one try. */
export class HeardResponse implements ClientStreamHandler {
  events: string[] = []
  body = ''
  flushes = 0

  onUpstreamConnected(): void {
    this.events.push('connected')
  }
  onInterimResponse(head: ResponseHead): void {
    this.events.push(`interim ${head.status} ${toPairs(head.fields).join('|')}`)
    releaseResponseHead(head)
  }
  onResponse(head: ResponseHead, ended: boolean): void {
    const fields = toPairs(head.fields).join('|')
    const end = ended ? ' ended' : ''
    this.events.push(`head ${head.status} ${head.contentLength} ${fields}${end}`)
    releaseResponseHead(head)
  }
  onResponseBody(buffer: Buffer, start: number, end: number): void {
    this.body += buffer.latin1Slice(start, end)
  }
  onResponseEnd(trailers: Fields | undefined): void {
    this.events.push(trailers === undefined ? 'end' : `end ${toPairs(trailers).join('|')}`)
  }
  onUpstreamFailure(failure: UpstreamFailure): void {
    this.events.push(`failure ${failure}`)
  }
  onResponseFlush(): void {
    this.flushes++
  }
  onUpstreamWritable(): void {
    this.events.push('writable')
  }
}
