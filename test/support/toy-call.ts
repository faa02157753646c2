import type { Fields } from '#src/exchange/fields.ts'
import { toPairs } from '#src/exchange/fields.ts'
import { releaseResponseHead, takeRequestHead } from '#src/exchange/heads.ts'
import type { ResponseHead } from '#src/exchange/heads.ts'
import type { ClientStreamHandler, UpstreamFailure } from '#src/exchange/streams.ts'
import type { ToyClientSession, ToyClientStream } from './toy-client.ts'

export interface ToyRequest {
  readonly method?: string
  readonly target: string
  readonly body?: string
  readonly trailers?: Fields
  /** The body goes out with `sendBody`, later. */
  readonly open?: boolean
}

/** One request of a test over the toy protocol, and everything that comes back. */
export class ToyCall implements ClientStreamHandler {
  readonly stream: ToyClientStream
  readonly interims: number[] = []
  status = 0
  body = ''
  trailers: string[] | undefined
  failure: UpstreamFailure | undefined
  /** Resolves when the answer has ended or failed. */
  readonly done: Promise<this>
  /** Resolves when the head has come. */
  readonly answered: Promise<void>
  #resolve: (call: this) => void = () => {}
  #answer: () => void = () => {}

  constructor(session: ToyClientSession, request: ToyRequest) {
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.answered = new Promise((resolve) => {
      this.#answer = resolve
    })
    this.stream = session.open(this)
    const head = takeRequestHead()
    head.method = request.method ?? 'GET'
    head.target = request.target
    head.authority = 'toy.example'
    const ended = request.body === undefined && request.open !== true
    const unknownLength = ended ? 0 : -1
    head.contentLength = request.body?.length ?? unknownLength
    this.stream.sendHead(head, ended)
    if (request.body !== undefined) {
      this.stream.sendText(request.body)
      this.stream.sendEnd(request.trailers)
    }
    this.stream.flush()
  }

  onUpstreamConnected(): void {}

  onInterimResponse(head: ResponseHead): void {
    this.interims.push(head.status)
    releaseResponseHead(head)
  }

  onResponse(head: ResponseHead, ended: boolean): void {
    this.status = head.status
    releaseResponseHead(head)
    this.#answer()
    if (ended) this.#resolve(this)
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    this.body += buffer.latin1Slice(start, end)
  }

  onResponseEnd(trailers: Fields | undefined): void {
    this.trailers = trailers === undefined ? undefined : toPairs(trailers)
    this.#resolve(this)
  }

  onUpstreamFailure(failure: UpstreamFailure): void {
    this.failure = failure
    this.#answer()
    this.#resolve(this)
  }

  onResponseFlush(): void {}
  onUpstreamWritable(): void {}
}
