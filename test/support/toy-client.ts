import type { Fields } from '#src/exchange/fields.ts'
import { toPairs } from '#src/exchange/fields.ts'
import { takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import type { ClientStream, ClientStreamHandler } from '#src/exchange/streams.ts'
import type { Connection } from '#src/transport/transport.ts'
import { FrameSession, StreamFlow, appendAll, trailersOf, trailersText } from './toy-frames.ts'
import type { FrameType, HeadJson } from './toy-frames.ts'

/** Client side: a test's client, or the proxy's face to an upstream that speaks the toy protocol. */
export class ToyClientSession extends FrameSession {
  readonly #streams = new Map<number, { flow: StreamFlow; handler: ClientStreamHandler }>()
  #next = 1
  /** The upstream takes no new streams. */
  goingAway = false

  constructor(connection: Connection) {
    super(connection)
    connection.handler = this
  }

  open(handler: ClientStreamHandler): ToyClientStream {
    const id = this.#next++
    const flow = new StreamFlow(this, id)
    this.#streams.set(id, { flow, handler })
    return new ToyClientStream(flow, id > 1, () => this.#streams.delete(id))
  }

  protected override onFrame(type: FrameType, id: number, payload: Buffer): void {
    if (type === 'G') {
      this.goingAway = true
      return
    }
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    const { flow, handler } = stream
    if (type === 'D') {
      flow.received(payload.length)
      handler.onResponseBody(payload, 0, payload.length)
    } else if (type === 'W') {
      flow.window += Number(payload.latin1Slice())
      if (flow.drain()) handler.onUpstreamWritable()
    } else if (type === 'R' || type === 'I') {
      this.#onHead(type, id, payload)
    } else if (type === 'E') {
      this.#streams.delete(id)
      handler.onResponseEnd(trailersOf(payload))
      handler.onResponseFlush()
    } else if (type === 'X') {
      this.#streams.delete(id)
      handler.onUpstreamFailure('reset')
    }
  }

  #onHead(type: FrameType, id: number, payload: Buffer): void {
    const { handler } = this.#streams.get(id) as { handler: ClientStreamHandler }
    const json = JSON.parse(payload.latin1Slice()) as HeadJson
    const head = takeResponseHead()
    head.status = json.status ?? 0
    head.version = 20
    head.contentLength = json.length
    appendAll(head.fields, json.fields)
    if (type === 'I') {
      handler.onInterimResponse(head)
      return
    }
    if (json.ended) this.#streams.delete(id)
    handler.onResponse(head, json.ended)
  }

  protected override endOfBatch(): void {
    for (const { handler } of this.#streams.values()) handler.onResponseFlush()
  }

  protected override onGone(): void {
    for (const { handler } of this.#streams.values()) handler.onUpstreamFailure('closed')
    this.#streams.clear()
  }
}

export class ToyClientStream implements ClientStream {
  readonly reused: boolean
  readonly connected = true
  sent = false
  readonly #flow: StreamFlow
  readonly #forget: () => void

  constructor(flow: StreamFlow, reused: boolean, forget: () => void) {
    this.#flow = flow
    this.reused = reused
    this.#forget = forget
  }

  get backedUp(): boolean {
    return this.#flow.backedUp
  }

  sendHead(head: RequestHead, ended: boolean): void {
    const json: HeadJson = {
      method: head.method,
      target: head.target,
      authority: head.authority,
      length: head.contentLength,
      fields: toPairs(head.fields),
      ended,
    }
    this.sent = true
    this.#flow.session.send('H', this.#flow.id, JSON.stringify(json))
  }

  sendText(text: string): boolean {
    return this.#flow.push(Buffer.from(text, 'latin1'))
  }

  sendData(buffer: Buffer, start: number, end: number): boolean {
    return this.#flow.push(buffer.subarray(start, end))
  }

  sendEnd(trailers: Fields | undefined): void {
    this.#flow.end(trailersText(trailers))
  }

  flush(): void {
    this.#flow.session.flush()
  }

  reset(reason: string): void {
    this.#forget()
    this.#flow.session.send('X', this.#flow.id, reason)
    this.#flow.session.flush()
  }

  pauseBody(): void {
    this.#flow.pause()
  }

  resumeBody(): void {
    this.#flow.resume()
  }
}
