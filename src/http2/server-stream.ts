import type { Fields } from '#src/exchange/fields.ts'
import type { ResponseHead } from '#src/exchange/heads.ts'
import type { Peer, ResetReason, ServerStream, ServerStreamHandler } from '#src/exchange/streams.ts'
import { errorCode } from './protocol.ts'
import type { SessionCore } from './session/session-core.ts'
import { Http2Stream } from './session/stream.ts'
import { webSocketAccept } from './messages/web-socket.ts'

/** One request of a client and its answer. */
export class Http2ServerStream extends Http2Stream implements ServerStream {
  handler: ServerStreamHandler | undefined
  /** The final head is written. */
  answered = false
  /** The key that was made for a WebSocket upstream; '' for any other request. */
  readonly #webSocketKey: string
  #abortNext = false

  /** `webSocketKey` not '': the stream asks to become a tunnel, and its bytes wait for the answer. */
  constructor(core: SessionCore, id: number, webSocketKey: string) {
    super(core)
    this.#webSocketKey = webSocketKey
    this.gated = webSocketKey !== ''
    this.begin(id)
  }

  get peer(): Peer {
    return this.core.connection.peer
  }

  /** Left out for a client that does not read: it may be, and must not pile up (RFC 9110 15.2). */
  sendInterim(head: ResponseHead): void {
    const { heads, limits, out } = this.core
    if (this.closed || this.answered || out.pending > limits.pendingOutputBytes) return
    heads.response(this.id, head, false)
  }

  sendHead(head: ResponseHead, ended: boolean): void {
    if (this.closed || this.answered) return
    this.answered = true
    this.tunnel = head.status === 101
    const { core } = this
    if (this.tunnel && !this.#accepts(head)) {
      core.count('http2_malformed')
      core.closeWith(this, errorCode.internal)
      this.#abortNext = true
      core.scheduleResume(this)
      return
    }
    if (this.tunnel) this.openGate()
    else if (this.#webSocketKey !== '') this.discard()
    this.frameAt = core.heads.response(this.id, head, ended)
    this.frameWrite = core.out.writes
    core.floods.earn()
    if (ended) this.ended()
  }

  /** A WebSocket upstream must have answered our key; the client cannot check that (RFC 8441 5). */
  #accepts(head: ResponseHead): boolean {
    if (this.#webSocketKey === '') return false
    return head.fields.get('sec-websocket-accept') === webSocketAccept(this.#webSocketKey)
  }

  /** The answer is whole. What the client still sends is not wanted, except in a tunnel. */
  protected onLocalEnd(): void {
    if (this.tunnel) return
    this.core.floods.finished()
    this.core.closeWith(this, errorCode.none)
  }

  /** The handler is told of a failed tunnel here, not from within its own call. */
  override deliverHeld(): void {
    if (this.#abortNext) this.deliverAbort('upstream-failed')
    else super.deliverHeld()
  }

  protected deliverBody(buffer: Buffer, start: number, end: number): void {
    this.handler?.onRequestBody(buffer, start, end)
  }

  protected deliverEnd(trailers: Fields | undefined): void {
    this.handler?.onRequestEnd(trailers)
  }

  deliverFlush(): void {
    if (!this.closed) this.handler?.onRequestFlush()
  }

  protected deliverWritable(): void {
    this.handler?.onClientWritable()
  }

  deliverAbort(reason: ResetReason): void {
    this.handler?.onRequestReset(reason)
  }
}
