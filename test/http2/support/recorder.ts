import type { Fields } from '#src/exchange/fields.ts'
import { toPairs } from '#src/exchange/fields.ts'
import { releaseRequestHead, releaseResponseHead, takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import type {
  Peer,
  RequestAcceptor,
  ResetReason,
  ServerStream,
  ServerStreamHandler,
} from '#src/exchange/streams.ts'

/** What a recorder does when a request is whole; 'hold' leaves it to the test. */
export type Answer = 'ok' | 'hold'

/** One request as the proxy would have seen it. */
export class RecordedRequest implements ServerStreamHandler {
  readonly stream: ServerStream
  readonly method: string
  readonly target: string
  readonly authority: string
  readonly contentLength: number
  readonly upgrade: string
  readonly acceptsTrailers: boolean
  readonly expectContinue: boolean
  readonly sensitive: boolean
  readonly fields: readonly string[]
  body = ''
  trailers: readonly string[] | undefined
  ended: boolean
  resetReason: ResetReason | '' = ''
  writable = 0
  flushes = 0
  readonly #onEnd: ((request: RecordedRequest) => void) | undefined

  constructor(
    stream: ServerStream,
    head: RequestHead,
    ended: boolean,
    onEnd?: (request: RecordedRequest) => void,
  ) {
    this.stream = stream
    this.method = head.method
    this.target = head.target
    this.authority = head.authority
    this.contentLength = head.contentLength
    this.upgrade = head.upgrade
    this.acceptsTrailers = head.acceptsTrailers
    this.expectContinue = head.expectContinue
    this.sensitive = head.fields.sensitive
    this.fields = toPairs(head.fields)
    this.ended = ended
    this.#onEnd = onEnd
    releaseRequestHead(head)
    if (ended) onEnd?.(this)
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    if (this.ended || this.resetReason !== '') throw new Error('body after the end')
    this.body += buffer.latin1Slice(start, end)
  }

  onRequestEnd(trailers: Fields | undefined): void {
    if (this.ended) throw new Error('two ends')
    this.ended = true
    this.trailers = trailers === undefined ? undefined : toPairs(trailers)
    this.#onEnd?.(this)
  }

  onRequestReset(reason: ResetReason): void {
    if (this.resetReason !== '') throw new Error('two resets')
    this.resetReason = reason
  }

  onRequestFlush(): void {
    this.flushes++
    this.stream.flush()
  }

  onClientWritable(): void {
    this.writable++
  }

  /** Answers with a body in one piece. */
  respond(status: number, body = '', fields: readonly string[] = [], length = body.length): void {
    const head = takeResponseHead()
    head.status = status
    head.contentLength = length
    for (let i = 0; i < fields.length; i += 2) {
      head.fields.append(fields[i] as string, fields[i + 1] as string)
    }
    const bodyless = body === ''
    this.stream.sendHead(head, bodyless)
    releaseResponseHead(head)
    if (!bodyless) {
      this.stream.sendText(body)
      this.stream.sendEnd(undefined)
    }
    this.stream.flush()
  }
}

/** Stands for the proxy: keeps every request, and answers `ok` to each unless told to hold. */
export class Recorder implements RequestAcceptor {
  readonly requests: RecordedRequest[] = []
  readonly rejected: string[] = []
  answer: Answer

  constructor(answer: Answer = 'ok') {
    this.answer = answer
  }

  onRequest(stream: ServerStream, head: RequestHead, ended: boolean): ServerStreamHandler {
    const request = new RecordedRequest(stream, head, ended, (whole) => {
      if (this.answer === 'ok') whole.respond(200, 'ok')
    })
    this.requests.push(request)
    return request
  }

  onRejected(_peer: Peer, status: number, code: string): string {
    this.rejected.push(`${status} ${code}`)
    return `${status} ${code}\n`
  }

  /** The only request. */
  get request(): RecordedRequest {
    if (this.requests.length !== 1) throw new Error(`${this.requests.length} requests`)
    return this.requests[0] as RecordedRequest
  }
}
