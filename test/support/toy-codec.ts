import type { Fields } from '#src/exchange/fields.ts'
import { toPairs } from '#src/exchange/fields.ts'
import { takeRequestHead, takeResponseHead } from '#src/exchange/heads.ts'
import type { RequestHead, ResponseHead } from '#src/exchange/heads.ts'
import type {
  ClientStream,
  ClientStreamHandler,
  Peer,
  RequestAcceptor,
  ServerStream,
  ServerStreamHandler,
} from '#src/exchange/streams.ts'
import type { CloseReason, Connection, ConnectionHandler } from '#src/transport/transport.ts'

/**
 * A multiplexed protocol of a few bytes per frame, made to prove that the proxy knows no protocol
 * version: many streams on one connection, per-stream windows, trailers, interim responses, resets
 * and GOAWAY. Frame: type (1 byte), stream (2), length (2), payload.
 */
type FrameType = 'H' | 'R' | 'I' | 'D' | 'E' | 'X' | 'G' | 'W'

const frameHead = 5
const chunkMax = 8 * 1024
export const initialWindow = 4 * 1024

interface HeadJson {
  readonly method?: string
  readonly target?: string
  readonly authority?: string
  readonly status?: number
  readonly length: number
  readonly fields: readonly string[]
  readonly ended: boolean
}

/** Frames over one connection: cuts the bytes apart and puts them together. */
abstract class FrameSession implements ConnectionHandler {
  readonly connection: Connection
  closed = false
  #rest = Buffer.alloc(0)
  #pending: Buffer[] = []

  constructor(connection: Connection) {
    this.connection = connection
  }

  protected abstract onFrame(type: FrameType, stream: number, payload: Buffer): void
  protected abstract onGone(): void
  protected abstract endOfBatch(): void

  send(type: FrameType, stream: number, payload: Buffer | string = ''): void {
    const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload
    const head = Buffer.alloc(frameHead)
    head.write(type, 0, 'latin1')
    head.writeUInt16BE(stream, 1)
    head.writeUInt16BE(body.length, 3)
    this.#pending.push(head, Buffer.from(body))
  }

  flush(): void {
    if (this.#pending.length === 0 || this.closed) return
    const bytes = Buffer.concat(this.#pending)
    this.#pending = []
    this.connection.writeBytes('', bytes, 0, bytes.length)
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.#rest = Buffer.concat([this.#rest, buffer.subarray(start, end)])
    while (this.#rest.length >= frameHead) {
      const size = frameHead + this.#rest.readUInt16BE(3)
      if (this.#rest.length < size) break
      const frame = this.#rest.subarray(0, size)
      this.#rest = Buffer.from(this.#rest.subarray(size))
      const type = frame.latin1Slice(0, 1) as FrameType
      this.onFrame(type, frame.readUInt16BE(1), Buffer.from(frame.subarray(frameHead)))
    }
    this.endOfBatch()
    this.flush()
  }

  onEnd(): void {
    this.connection.destroy()
  }

  onDrain(): void {}

  onClose(_reason: CloseReason): void {
    if (this.closed) return
    this.closed = true
    this.onGone()
  }
}

/** What both kinds of stream share: a send window with a queue, and a receive window. */
class StreamFlow {
  readonly session: FrameSession
  readonly id: number
  window = initialWindow
  queue: Buffer[] = []
  sentEnd = false
  paused = false
  #ungranted = 0
  #endPayload: string | undefined

  constructor(session: FrameSession, id: number) {
    this.session = session
    this.id = id
  }

  get backedUp(): boolean {
    return this.queue.length > 0
  }

  push(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length; at += chunkMax) {
      this.queue.push(Buffer.from(bytes.subarray(at, at + chunkMax)))
    }
    this.drain()
    return !this.backedUp
  }

  end(payload: string): void {
    this.#endPayload = payload
    this.drain()
  }

  /** Sends what the window allows; true when the queue became empty just now. */
  drain(): boolean {
    const before = this.queue.length
    while (this.queue.length > 0 && this.window > 0) {
      const first = this.queue[0] as Buffer
      const part = first.subarray(0, this.window)
      this.session.send('D', this.id, part)
      this.window -= part.length
      if (part.length === first.length) this.queue.shift()
      else this.queue[0] = first.subarray(part.length)
    }
    if (this.queue.length === 0 && this.#endPayload !== undefined) {
      this.session.send('E', this.id, this.#endPayload)
      this.sentEnd = true
      this.#endPayload = undefined
    }
    return before > 0 && this.queue.length === 0
  }

  /** Received bytes go back to the sender's window, at once or when reading goes on. */
  received(bytes: number): void {
    this.#ungranted += bytes
    if (!this.paused) this.grant()
  }

  grant(): void {
    if (this.#ungranted === 0) return
    this.session.send('W', this.id, String(this.#ungranted))
    this.#ungranted = 0
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.grant()
    this.session.flush()
  }
}

function trailersText(trailers: Fields | undefined): string {
  return trailers === undefined ? '' : JSON.stringify(toPairs(trailers))
}

function trailersOf(payload: Buffer): Fields | undefined {
  if (payload.length === 0) return undefined
  const { fields } = takeResponseHead()
  appendAll(fields, JSON.parse(payload.latin1Slice()) as string[])
  return fields
}

function appendAll(fields: Fields, pairs: readonly string[]): void {
  for (let i = 0; i < pairs.length; i += 2)
    fields.append(pairs[i] as string, pairs[i + 1] as string)
}

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
