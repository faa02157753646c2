import type { Fields } from '#src/exchange/fields.ts'
import { toPairs } from '#src/exchange/fields.ts'
import type { ResetReason, UpstreamFailure } from '#src/exchange/streams.ts'
import { errorCode, flag } from '../protocol.ts'
import type { ErrorCode } from '../protocol.ts'
import { writeWindowUpdate } from './receiver.ts'
import type { SessionCore } from './session-core.ts'

const noPairs: readonly string[] = []

/**
 * One stream, in either role: its state, its windows, what waits to be sent and what was received for a
 * reader that has paused.
 *
 * Bytes to send wait only when a window or the connection is full; the reader of the other side is
 * paused then, so that about one read of it waits here. Bytes received wait only while paused, at most
 * one window.
 */
export abstract class Http2Stream {
  readonly core: SessionCore
  /** 0 until the head is sent, at a client. */
  id = 0
  /** Our side has ended: END_STREAM is written. */
  localEnded = false
  /** The peer's side has ended: END_STREAM has come. */
  remoteEnded = false
  /** Reset by either side, or ended on both, or the connection is gone: nothing is sent any more. */
  closed = false
  /** Bytes flow both ways for as long as either side likes. */
  tunnel = false
  // Sending.
  sendWindow = 0
  queuedBytes = 0
  waiting = false
  nextWaiting: Http2Stream | undefined
  /** Behind it among the open streams of the session. */
  nextOpen: Http2Stream | undefined
  /** Where the stream's last frame lies in the output, good while `frameWrite` is the output's count. */
  frameAt = -1
  frameWrite = -1
  /** When sending last made progress worth the name, and how much was sent since. */
  sendMark = 0
  #sentSinceMark = 0
  #queue: Buffer[] | undefined
  #queueAt = 0
  #endQueued = false
  #trailersQueued: readonly string[] = noPairs
  #sensitiveQueued = false
  // Receiving.
  /** Length that the head announced; -1: none. */
  expectedBytes = -1
  receivedBytes = 0
  paused = false
  /** What arrives is held until it is settled what it is part of. */
  gated = false
  /** Nobody reads what arrives. */
  discarding = false
  /** When something was last received. */
  receiveMark = 0
  /** Whether the session has it on its list to be told that a batch is over. */
  touched = false
  nextTouched: Http2Stream | undefined
  resuming = false
  #receiveWindow = 0
  #windowSize = 0
  #spent = 0
  #held: Buffer[] | undefined
  #heldBytes = 0
  #endHeld = false
  #trailersHeld: Fields | undefined

  constructor(core: SessionCore) {
    this.core = core
  }

  // What a role does with what arrives.
  protected abstract deliverBody(buffer: Buffer, start: number, end: number): void
  protected abstract deliverEnd(trailers: Fields | undefined): void
  /** The batch of events is over. */
  abstract deliverFlush(): void
  protected abstract deliverWritable(): void
  /** The stream is over before its time; it is closed already. */
  abstract deliverAbort(reason: ResetReason, failure: UpstreamFailure): void
  /** END_STREAM was written while the peer still sends. */
  protected abstract onLocalEnd(): void

  /** Begins with an identifier and the windows of the moment. */
  protected begin(id: number): void {
    const { core } = this
    this.id = id
    this.sendWindow = core.sender.initialWindow
    this.#receiveWindow = core.limits.streamWindowBytes
    this.#windowSize = core.limits.streamWindowBytes
    this.receiveMark = core.now
    this.sendMark = core.now
  }

  // Sending.

  /** Both sides have ended, and the session still has to let go of the stream. */
  get bothEnded(): boolean {
    return this.localEnded && this.remoteEnded && !this.closed
  }

  get backedUp(): boolean {
    return this.queuedBytes > 0
  }

  sendData(buffer: Buffer, start: number, end: number): boolean {
    if (this.closed || this.localEnded || this.#endQueued) return true
    const { sender } = this.core
    let at = start
    if (this.queuedBytes === 0 && this.id !== 0) {
      this.sendMark = this.core.now
      at = sender.write(this, buffer, start, end)
    }
    if (at === end) return true
    this.#queue ??= []
    this.#queue.push(Buffer.from(buffer.subarray(at, end)))
    this.queuedBytes += end - at
    sender.wait(this)
    return false
  }

  sendText(text: string): boolean {
    if (this.closed || this.localEnded || this.#endQueued || text === '') return true
    if (this.queuedBytes === 0 && this.id !== 0 && this.core.sender.writeText(this, text)) {
      this.sendMark = this.core.now
      return true
    }
    const buffer = Buffer.from(text, 'latin1')
    return this.sendData(buffer, 0, buffer.length)
  }

  sendEnd(trailers: Fields | undefined): void {
    if (this.closed || this.localEnded || this.#endQueued) return
    if (this.queuedBytes === 0 && this.id !== 0) {
      this.#end(trailers)
      return
    }
    this.#endQueued = true
    if (trailers === undefined) return
    // The caller's object may be gone by the time that the queue is empty.
    this.#trailersQueued = toPairs(trailers)
    this.#sensitiveQueued = trailers.sensitive
  }

  flush(): void {
    this.core.scheduleFlush()
  }

  /** Sends one frame of what waits; true: there is more that could go. */
  sendQueued(): boolean {
    const queue = this.#queue
    if (queue === undefined || this.queuedBytes === 0) return false
    const first = queue[0] as Buffer
    const before = this.#queueAt
    const limit = Math.min(first.length, before + 16_384)
    this.#queueAt = this.core.sender.write(this, first, before, limit)
    this.#sent(this.#queueAt - before)
    if (this.#queueAt === first.length) {
      queue.shift()
      this.#queueAt = 0
    }
    if (this.queuedBytes > 0) return this.sendWindow > 0
    this.#afterQueue()
    return false
  }

  #sent(bytes: number): void {
    this.queuedBytes -= bytes
    this.#sentSinceMark += bytes
    if (this.#sentSinceMark < 1024 && this.queuedBytes > 0) return
    this.#sentSinceMark = 0
    this.sendMark = this.core.now
  }

  /** The head is out; what was sent before it may follow. */
  protected sendWaiting(): void {
    const { sender } = this.core
    if (this.queuedBytes > 0) {
      sender.wait(this)
      sender.pump()
    } else if (this.#endQueued) {
      this.#afterQueue()
    }
  }

  /** What follows when the queue is empty: the end, or word to the writer. */
  #afterQueue(): void {
    if (!this.#endQueued) {
      this.deliverWritable()
      return
    }
    if (this.#trailersQueued.length === 0) this.#end(undefined)
    else this.#endWithPairs()
  }

  #endWithPairs(): void {
    this.core.heads.trailerPairs(this.id, this.#trailersQueued, this.#sensitiveQueued)
    this.ended()
  }

  #end(trailers: Fields | undefined): void {
    const { core } = this
    const { out } = core
    if (trailers !== undefined && trailers.size > 0) {
      core.heads.trailers(this.id, trailers)
    } else if (this.frameWrite === out.writes && this.frameAt >= 0) {
      // The last frame has not left yet: it can say that it is the last.
      const at = this.frameAt + 4
      out.buffer[at] = (out.buffer[at] as number) | flag.endStream
    } else {
      out.frame(0, flag.endStream, this.id, 0)
    }
    this.ended()
  }

  /** END_STREAM is in the output. */
  ended(): void {
    this.localEnded = true
    if (this.remoteEnded) this.core.streamDone(this)
    else this.onLocalEnd()
  }

  /** Resets the stream; nothing is told to the caller. */
  reset(reason: ResetReason): void {
    this.core.resetByUs(this, reason)
  }

  /** Frees what waits. The session calls it once, when the stream is closed. */
  release(keepReceived: boolean): void {
    this.closed = true
    this.#queue = undefined
    this.queuedBytes = 0
    if (!keepReceived) this.#dropHeld()
  }

  // Receiving.

  pauseBody(): void {
    this.paused = true
  }

  resumeBody(): void {
    this.paused = false
    this.receiveMark = this.core.now
    if (this.#heldBytes > 0 || this.#endHeld) this.core.scheduleResume(this)
  }

  /** Nobody wants what arrives from here on; it is counted and dropped. */
  discard(): void {
    this.discarding = true
    this.#dropHeld()
  }

  /** A DATA frame begins. Returns an error for the stream. */
  takeFrame(bytes: number): ErrorCode {
    if (this.remoteEnded) return errorCode.streamClosed
    this.#receiveWindow -= bytes
    return this.#receiveWindow < 0 ? errorCode.flowControl : errorCode.none
  }

  /** Part of a body. False: it exceeds the length announced. */
  takeBody(buffer: Buffer, start: number, end: number): boolean {
    const bytes = end - start
    this.receivedBytes += bytes
    this.receiveMark = this.core.now
    if (this.expectedBytes >= 0 && this.receivedBytes > this.expectedBytes) return false
    if (this.discarding) {
      this.renew(bytes)
    } else if (this.#holds) {
      this.#held ??= []
      this.#held.push(Buffer.from(buffer.subarray(start, end)))
      this.#heldBytes += bytes
      this.core.receiver.hold(bytes)
    } else {
      this.core.touch(this)
      this.deliverBody(buffer, start, end)
      this.renew(bytes)
    }
    return true
  }

  /** END_STREAM came. False: the body is not as long as announced. */
  takeEnd(trailers: Fields | undefined): boolean {
    if (this.expectedBytes >= 0 && this.receivedBytes !== this.expectedBytes) return false
    this.remoteEnded = true
    if (this.discarding) return true
    if (this.#holds) {
      this.#endHeld = true
      this.#trailersHeld = trailers
    } else {
      this.core.touch(this)
      this.deliverEnd(trailers)
    }
    return true
  }

  /** Gives what was held to a reader that has resumed. Never from within its own call. */
  deliverHeld(): void {
    this.resuming = false
    while (this.#heldBytes > 0 && !this.paused && !this.gated) {
      const chunk = (this.#held as Buffer[]).shift() as Buffer
      this.#heldBytes -= chunk.length
      this.deliverBody(chunk, 0, chunk.length)
      this.core.receiver.release(chunk.length)
      this.renew(chunk.length)
    }
    if (this.#heldBytes > 0 || !this.#endHeld || this.paused || this.gated) return
    this.#endHeld = false
    this.deliverEnd(this.#trailersHeld)
    this.#trailersHeld = undefined
  }

  get #holds(): boolean {
    return this.paused || this.gated || this.#heldBytes > 0
  }

  /** It is settled: what was held may be read. */
  protected openGate(): void {
    this.gated = false
    if (!this.paused) this.resumeBody()
  }

  /**
   * The reader has consumed this much. A reader that took a whole window without a pause gets a wider
   * one: it is the round trip that holds the peer back.
   */
  renew(bytes: number): void {
    if (this.remoteEnded || this.closed) return
    this.#spent += bytes
    if (this.#spent * 2 < this.#windowSize) return
    let increment = this.#spent
    const max = this.core.limits.streamWindowBytesMax
    if (!this.paused && this.receivedBytes > this.#windowSize && this.#windowSize < max) {
      const size = Math.min(max, this.#windowSize * 2)
      increment += size - this.#windowSize
      this.#windowSize = size
    }
    this.#spent = 0
    this.#receiveWindow += increment
    writeWindowUpdate(this.core.out, this.id, increment)
  }

  #dropHeld(): void {
    if (this.#heldBytes > 0) this.core.receiver.release(this.#heldBytes)
    this.#heldBytes = 0
    this.#held = undefined
    this.#endHeld = false
    this.#trailersHeld = undefined
  }
}
