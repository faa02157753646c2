import type { Fields } from '#src/exchange/fields.ts'
import { toPairs } from '#src/exchange/fields.ts'
import { takeRequestHead } from '#src/exchange/heads.ts'
import type { ResponseHead } from '#src/exchange/heads.ts'
import type {
  Peer,
  RequestAcceptor,
  ServerStream,
  ServerStreamHandler,
} from '#src/exchange/streams.ts'
import type { Connection } from '#src/transport/transport.ts'
import { FrameSession, StreamFlow, appendAll, trailersOf, trailersText } from './toy-frames.ts'
import type { FrameType, HeadJson } from './toy-frames.ts'

/** Server side: the proxy's face to a client that speaks the toy protocol, or a scripted upstream. */
export class ToyServerSession extends FrameSession {
  readonly #acceptor: RequestAcceptor
  readonly #streams = new Map<number, { flow: StreamFlow; handler: ServerStreamHandler }>()

  constructor(connection: Connection, acceptor: RequestAcceptor) {
    super(connection)
    this.#acceptor = acceptor
    connection.handler = this
  }

  protected override onFrame(type: FrameType, id: number, payload: Buffer): void {
    if (type === 'H') {
      this.#open(id, JSON.parse(payload.latin1Slice()) as HeadJson)
      return
    }
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    const { flow, handler } = stream
    if (type === 'D') {
      flow.received(payload.length)
      handler.onRequestBody(payload, 0, payload.length)
    } else if (type === 'E') {
      handler.onRequestEnd(trailersOf(payload))
    } else if (type === 'W') {
      flow.window += Number(payload.latin1Slice())
      if (flow.drain()) handler.onClientWritable()
    } else if (type === 'X') {
      this.#streams.delete(id)
      handler.onRequestReset('cancel')
    }
  }

  protected override endOfBatch(): void {
    for (const { handler } of this.#streams.values()) handler.onRequestFlush()
  }

  protected override onGone(): void {
    for (const { handler } of this.#streams.values()) handler.onRequestReset('cancel')
    this.#streams.clear()
  }

  /** Tells the client to open no more streams here. */
  goAway(): void {
    this.send('G', 0)
    this.flush()
  }

  #open(id: number, json: HeadJson): void {
    const head = takeRequestHead()
    head.method = json.method ?? ''
    head.target = json.target ?? ''
    head.authority = json.authority ?? ''
    head.version = 20
    head.contentLength = json.length
    appendAll(head.fields, json.fields)
    const flow = new StreamFlow(this, id)
    const stream = new ToyServerStream(flow, this.connection.peer, () => this.#streams.delete(id))
    const entry = { flow, handler: silent }
    this.#streams.set(id, entry)
    entry.handler = this.#acceptor.onRequest(stream, head, json.ended)
  }
}

const silent: ServerStreamHandler = {
  onRequestBody() {},
  onRequestEnd() {},
  onRequestReset() {},
  onRequestFlush() {},
  onClientWritable() {},
}

class ToyServerStream implements ServerStream {
  readonly peer: Peer
  readonly #flow: StreamFlow
  readonly #forget: () => void

  constructor(flow: StreamFlow, peer: Peer, forget: () => void) {
    this.#flow = flow
    this.peer = peer
    this.#forget = forget
  }

  get backedUp(): boolean {
    return this.#flow.backedUp
  }

  sendInterim(head: ResponseHead): void {
    this.#head('I', head, false)
  }

  sendHead(head: ResponseHead, ended: boolean): void {
    this.#head('R', head, ended)
  }

  #head(type: FrameType, head: ResponseHead, ended: boolean): void {
    const json: HeadJson = {
      status: head.status,
      length: head.contentLength,
      fields: toPairs(head.fields),
      ended,
    }
    this.#flow.session.send(type, this.#flow.id, JSON.stringify(json))
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
    this.#flow.session.send('X', this.#flow.id, reason)
    this.#flow.session.flush()
    this.#forget()
  }

  pauseBody(): void {
    this.#flow.pause()
  }

  resumeBody(): void {
    this.#flow.resume()
  }
}
