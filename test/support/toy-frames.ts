import type { Fields } from '#src/exchange/fields.ts'
import { toPairs } from '#src/exchange/fields.ts'
import { takeResponseHead } from '#src/exchange/heads.ts'
import type { CloseReason, Connection, ConnectionHandler } from '#src/transport/transport.ts'

/**
 * A multiplexed protocol of a few bytes per frame, made to prove that the proxy knows no protocol
 * version: many streams on one connection, per-stream windows, trailers, interim responses, resets
 * and GOAWAY. Frame: type (1 byte), stream (2), length (2), payload.
 */
export type FrameType = 'H' | 'R' | 'I' | 'D' | 'E' | 'X' | 'G' | 'W'

const frameHead = 5
const chunkMax = 8 * 1024
export const initialWindow = 4 * 1024

export interface HeadJson {
  readonly method?: string
  readonly target?: string
  readonly authority?: string
  readonly status?: number
  readonly length: number
  readonly fields: readonly string[]
  readonly ended: boolean
}

/** Frames over one connection: cuts the bytes apart and puts them together. */
export abstract class FrameSession implements ConnectionHandler {
  readonly connection: Connection
  closed = false
  /** Output waits while the connection is still being made. */
  ready = true
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
    if (this.#pending.length === 0 || this.closed || !this.ready) return
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
export class StreamFlow {
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

export function trailersText(trailers: Fields | undefined): string {
  return trailers === undefined ? '' : JSON.stringify(toPairs(trailers))
}

export function trailersOf(payload: Buffer): Fields | undefined {
  if (payload.length === 0) return undefined
  const { fields } = takeResponseHead()
  appendAll(fields, JSON.parse(payload.latin1Slice()) as string[])
  return fields
}

export function appendAll(fields: Fields, pairs: readonly string[]): void {
  for (let i = 0; i < pairs.length; i += 2)
    fields.append(pairs[i] as string, pairs[i + 1] as string)
}
