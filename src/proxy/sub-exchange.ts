import type { Fields } from '#src/exchange/fields.ts'
import { takeRequestHead, takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type { Peer, ResetReason, ServerStream } from '#src/exchange/streams.ts'
import type { Subrequest } from '#src/policies/policy.ts'
import { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

const notStatus = 0

/** A request of our own under way. */
export interface RunningSubrequest {
  /** Nobody waits for the answer any more: gives its endpoint and connection back. */
  cancel(): void
}

/** The client's place in a sub-request: it collects the answer, up to a limit. */
class Collector implements ServerStream, RunningSubrequest {
  readonly peer: Peer
  readonly backedUp = false
  readonly #request: Subrequest
  readonly #head: ResponseHead = takeResponseHead()
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #done = false
  exchange: Exchange | undefined

  constructor(peer: Peer, request: Subrequest) {
    this.peer = peer
    this.#request = request
  }

  sendInterim(): void {}

  sendHead(head: ResponseHead, ended: boolean): void {
    // The exchange may release its head before the answer is read.
    this.#head.status = head.status
    this.#head.version = head.version
    this.#head.contentLength = head.contentLength
    head.fields.forEach((name, value) => this.#head.fields.append(name, value))
    if (ended) this.#answer(true)
  }

  sendText(text: string): boolean {
    const bytes = Buffer.from(text, 'latin1')
    return this.sendData(bytes, 0, bytes.length)
  }

  sendData(buffer: Buffer, start: number, end: number): boolean {
    this.#bytes += end - start
    if (this.#bytes <= this.#request.bytesMax) {
      this.#chunks.push(Buffer.from(buffer.subarray(start, end)))
    } else if (!this.#done) {
      this.#answer(this.#request.headOnly === true)
      this.exchange?.onRequestReset('too-large')
    }
    return true
  }

  sendEnd(_trailers: Fields | undefined): void {
    this.#answer(true)
  }

  flush(): void {}

  reset(_reason: ResetReason): void {
    this.#answer(false)
  }

  cancel(): void {
    if (this.#done) return
    this.#answer(false)
    this.exchange?.onRequestReset('cancel')
  }

  pauseBody(): void {}
  resumeBody(): void {}

  #answer(whole: boolean): void {
    if (this.#done) return
    this.#done = true
    const good = whole && this.#head.status !== notStatus
    const body = Buffer.concat(this.#chunks)
    this.#chunks.length = 0
    this.#request.onAnswer(good ? this.#head : undefined, body)
  }
}

type SubrequestParts = Pick<Subrequest, 'method' | 'authority' | 'target' | 'fields' | 'body'>

/** Sends a request of our own: an exchange without a client and without policies. */
export function startSubrequest(
  services: Services,
  peer: Peer,
  request: Subrequest,
): RunningSubrequest {
  const live = services.table.subrequestRule(
    request.backend,
    request.timeoutMs,
    request.serverName ?? '',
  )
  const collector = new Collector(peer, request)
  if (live === undefined) {
    collector.reset('refused')
    return collector
  }
  const ended = request.body === ''
  const exchange = new Exchange(services, collector, subrequestHead(request), ended)
  collector.exchange = exchange
  exchange.begin(live)
  if (ended || exchange.finished) return collector
  const body = Buffer.from(request.body, 'latin1')
  exchange.onRequestBody(body, 0, body.length)
  exchange.onRequestEnd(undefined)
  exchange.onRequestFlush()
  return collector
}

/** The head of a request of our own. */
export function subrequestHead(request: SubrequestParts): RequestHead {
  const head = takeRequestHead()
  head.method = request.method
  head.target = request.target
  head.authority = request.authority
  head.contentLength = request.body.length
  const { fields } = request
  for (let i = 0; i < fields.length; i += 2) {
    head.fields.append(fields[i] as string, fields[i + 1] as string)
  }
  return head
}
