import type { Fields } from '#src/exchange/fields.ts'
import type { ResetReason, UpstreamFailure } from '#src/exchange/streams.ts'
import { Timer } from '#src/exchange/timer-wheel.ts'
import type { TimerOwner } from '#src/exchange/timer-wheel.ts'
import type { CloseReason, Connection, ConnectionHandler } from '#src/transport/transport.ts'
import { ClosedStreams } from './closed-streams.ts'
import type { ClosedHow } from './closed-streams.ts'
import type { Http2Counter } from '../counters.ts'
import type { Http2Environment } from '../environment.ts'
import { Floods } from './floods.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameRouter } from './frame-router.ts'
import { HeadWriter } from '../messages/head-writer.ts'
import { HpackDecoder } from '../hpack/decoder.ts'
import type { Http2Limits } from '../limits.ts'
import { OpenStreams } from './open-streams.ts'
import { Output } from './output.ts'
import { errorCode, frameType, resetCodes } from '../protocol.ts'
import type { ErrorCode } from '../protocol.ts'
import { Receiver } from './receiver.ts'
import { Sender } from './sender.ts'
import { initialSettings } from './settings.ts'
import type { PeerSettings } from './settings.ts'
import type { SessionRole } from './session-role.ts'
import type { Http2Stream } from './stream.ts'
import { TouchedStreams } from './touched-streams.ts'
import type { TurnTask } from '../turn-queue.ts'
import { Watch } from './watch.ts'

/** `closing`: our GOAWAY is sent and nothing more is heard; the connection ends soon. */
type Phase = 'open' | 'closing' | 'closed'

/**
 * What both ends of an HTTP/2 connection share: it turns the connection's events into frames, holds the
 * streams, and decides when to write, to stop reading and to end. No sockets, clocks or promises.
 *
 * Fairness: one turn of the event loop takes on `turnWork` and no more; what is left of the input waits
 * for the next turn with reading paused, so that every other connection gets its turn in between.
 */
export class SessionCore implements ConnectionHandler, TimerOwner, TurnTask {
  readonly connection: Connection
  readonly role: SessionRole
  readonly limits: Http2Limits
  readonly environment: Http2Environment
  readonly out: Output
  readonly floods: Floods
  readonly sender: Sender
  readonly receiver: Receiver
  readonly heads: HeadWriter
  readonly decoder: HpackDecoder
  readonly router: FrameRouter
  readonly watch: Watch
  readonly peer: PeerSettings
  readonly streams = new OpenStreams()
  readonly closedStreams = new ClosedStreams()
  readonly timer: Timer
  phase: Phase = 'open'
  /** Work taken on this turn. */
  work = 0
  /** For GOAWAY: the highest stream of the peer that we acted on. */
  lastPeerStream = 0
  readonly #reader: FrameReader
  #turn = -1
  #scheduled = false
  /** Input that had to wait; the connection is paused meanwhile. */
  #input: Buffer | undefined
  readonly #touched = new TouchedStreams()
  #resumed: Http2Stream[] = []
  #endWhenWritten = false
  #lingerBytes = 0

  /** What is sent waits until `opened`. */
  constructor(
    connection: Connection,
    role: SessionRole,
    limits: Http2Limits,
    environment: Http2Environment,
  ) {
    this.connection = connection
    this.role = role
    this.limits = limits
    this.environment = environment
    this.out = new Output(connection)
    this.floods = new Floods(limits, environment.wheel, environment.counters)
    this.sender = new Sender(this.out, this.floods)
    this.receiver = new Receiver(this.out, limits.connectionWindowBytes, limits.heldBytes)
    this.heads = new HeadWriter(this.out, 4096)
    this.decoder = new HpackDecoder(4096, limits.headerListBytes)
    this.peer = initialSettings(!role.isServer)
    this.router = new FrameRouter(this)
    this.#reader = new FrameReader(this.router, role.isServer)
    this.watch = new Watch(this)
    this.timer = new Timer(this)
  }

  /** Whole milliseconds, as of the last tick: a fraction would be an object of its own in each stream. */
  get now(): number {
    return Math.floor(this.environment.wheel.now)
  }

  /** Whether the rest of the input must wait. */
  get halted(): boolean {
    return this.phase !== 'open' || this.work >= this.limits.turnWork || this.#choked
  }

  /** Answers pile up unread: no more questions are taken. */
  get #choked(): boolean {
    return this.out.pending > this.limits.pendingOutputBytes
  }

  count(name: Http2Counter): void {
    this.environment.counters.increment(name)
  }

  // Events of the connection.

  onData(buffer: Buffer, start: number, end: number): void {
    if (this.phase !== 'open') this.#linger(end - start)
    else if (this.#input === undefined) this.#read(buffer, start, end)
    else this.#input = Buffer.concat([this.#input, buffer.subarray(start, end)])
  }

  onEnd(): void {
    this.destroy()
  }

  onDrain(): void {
    this.out.drained()
    this.watch.drained()
    this.sender.pump()
    this.out.flush()
    if (this.#endWhenWritten && this.out.pending === 0) this.connection.end()
    else if (this.#input !== undefined && !this.#choked) this.scheduleFlush()
  }

  onClose(reason: CloseReason): void {
    if (this.phase === 'closed') return
    const open = this.phase === 'open'
    this.phase = 'closed'
    this.environment.wheel.remove(this.timer)
    this.#input = undefined
    this.out.close()
    this.role.onEnding()
    if (open) this.abortStreams('cancel', this.role.closeFailure(reason))
    this.role.onClosed(reason)
  }

  /** The connection is there. */
  opened(): void {
    this.out.opened()
    this.watch.opened()
    this.sender.pump()
    this.out.flush()
  }

  #read(buffer: Buffer, start: number, end: number): void {
    const { turn } = this.environment.turns
    if (turn !== this.#turn) {
      this.#turn = turn
      this.work = 0
    }
    this.watch.received()
    const at = this.#reader.read(buffer, start, end)
    this.#endBatch()
    if (at < end && this.phase === 'open') this.#putOff(buffer, at, end)
  }

  /** The rest of the input waits: for the next turn, or until the answers so far are read. */
  #putOff(buffer: Buffer, start: number, end: number): void {
    this.#input = Buffer.from(buffer.subarray(start, end))
    this.connection.pause()
    if (this.#choked) {
      this.count('http2_unread_answers')
      this.watch.soon()
    } else {
      this.count('http2_turn_limit')
      this.environment.turns.later(this)
    }
  }

  #endBatch(): void {
    this.#touched.flush()
    if (this.out.length > 0 && this.out.ready) this.scheduleFlush()
  }

  /** The peer may still be sending what it sent before it knew; not for ever. */
  #linger(bytes: number): void {
    this.#lingerBytes += bytes
    if (this.#lingerBytes > 1024 * 1024) this.destroy()
  }

  // Turns.

  /** The stream is told when this batch of events is over. */
  touch(stream: Http2Stream): void {
    this.#touched.add(stream)
  }

  /** Everything sent so far leaves at the end of this turn. */
  scheduleFlush(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.environment.turns.add(this)
  }

  /** What was more than one turn takes goes out in the next. */
  #scheduleNext(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.environment.turns.later(this)
  }

  /** The stream's held bytes are delivered at the end of this turn. */
  scheduleResume(stream: Http2Stream): void {
    if (stream.resuming) return
    stream.resuming = true
    this.#resumed.push(stream)
    this.scheduleFlush()
  }

  onTurn(): void {
    this.#scheduled = false
    this.#deliverResumed()
    const input = this.#input
    if (input !== undefined && this.#mayRead) {
      this.#input = undefined
      this.connection.resume()
      this.#read(input, 0, input.length)
    }
    this.sender.pump()
    this.out.endTurn()
    if (!this.out.ready) this.watch.soon()
    else if (this.sender.sendable) this.#scheduleNext()
  }

  /** Whether the input that was put off gets its turn now. */
  get #mayRead(): boolean {
    const fresh = this.environment.turns.turn !== this.#turn
    return fresh && this.phase === 'open' && !this.#choked
  }

  #deliverResumed(): void {
    const resumed = this.#resumed
    if (resumed.length === 0) return
    this.#resumed = []
    for (const stream of resumed) {
      stream.deliverHeld()
      stream.deliverFlush()
    }
  }

  // Ends of streams.

  /** The second field block of a stream: trailers, and its end (8.1); undefined: they are malformed. */
  receiveTrailers(stream: Http2Stream, ended: boolean, fields: Fields | undefined): void {
    if (stream.remoteEnded) {
      this.streamError(stream, errorCode.streamClosed, 'http2_protocol_error')
    } else if (!ended || fields === undefined || stream.tunnel) {
      this.streamError(stream, errorCode.protocol, 'http2_malformed')
    } else {
      this.receiveEnd(stream, fields.size === 0 ? undefined : fields)
    }
  }

  /** The peer's side of a stream ends. */
  receiveEnd(stream: Http2Stream, trailers: Fields | undefined): void {
    if (!stream.takeEnd(trailers)) {
      this.streamError(stream, errorCode.protocol, 'http2_malformed')
    } else if (stream.bothEnded) {
      this.streamDone(stream)
    }
  }

  open(stream: Http2Stream): void {
    this.streams.add(stream)
    this.watch.soon()
  }

  /** Both sides have ended. */
  streamDone(stream: Http2Stream): void {
    this.floods.finished()
    this.#forget(stream, 'ended', true)
  }

  /** Our proxy gives a stream up. */
  resetByUs(stream: Http2Stream, reason: ResetReason): void {
    if (stream.closed) {
      stream.release(false)
      return
    }
    this.closeWith(stream, resetCodes[reason])
  }

  /** Sends RST_STREAM and forgets the stream. */
  closeWith(stream: Http2Stream, code: ErrorCode): void {
    if (stream.id !== 0) this.writeReset(stream.id, code)
    this.#forget(stream, 'reset-by-us', false)
  }

  /** The peer made a mistake in a stream: it is reset, and its handler told unless it has all there is. */
  streamError(stream: Http2Stream, code: ErrorCode, counter: Http2Counter): void {
    if (stream.id !== 0) this.writeReset(stream.id, code)
    this.#forget(stream, 'reset-by-us', true)
    stream.deliverAbort('protocol-error', 'malformed')
    this.chargeError(counter)
  }

  /** RST_STREAM for a stream that has no object. */
  refuseStream(streamId: number, code: ErrorCode, counter: Http2Counter): void {
    this.writeReset(streamId, code)
    this.closedStreams.note(streamId, 'reset-by-us')
    this.chargeError(counter)
  }

  chargeError(counter: Http2Counter): void {
    this.count(counter)
    if (!this.floods.error()) this.fail(errorCode.enhanceYourCalm)
  }

  /** The peer reset a stream. */
  resetByPeer(stream: Http2Stream, reason: ResetReason, failure: UpstreamFailure): void {
    this.#forget(stream, 'reset-by-peer', true)
    stream.deliverAbort(reason, failure)
  }

  #forget(stream: Http2Stream, how: ClosedHow, wanted: boolean): void {
    const { id } = stream
    // What an upstream has sent whole may still be read when the connection has done with it.
    stream.release(wanted && !this.role.isServer && stream.remoteEnded)
    if (id !== 0 && this.streams.remove(stream)) this.closedStreams.note(id, how)
    this.role.onStreamGone()
  }

  abortStreams(reason: ResetReason, failure: UpstreamFailure): void {
    for (const stream of this.streams.list()) {
      if (!stream.closed) this.resetByPeer(stream, reason, failure)
    }
  }

  writeReset(streamId: number, code: ErrorCode): void {
    if (this.phase !== 'open') return
    this.out.frame(frameType.reset, 0, streamId, 4)
    this.out.uint32(code)
    this.scheduleFlush()
  }

  // Ends of the session.

  writeGoaway(lastStreamId: number, code: ErrorCode): void {
    this.out.frame(frameType.goaway, 0, 0, 8)
    this.out.uint32(lastStreamId)
    this.out.uint32(code)
  }

  /** A connection error (5.4.1): GOAWAY, then the end. */
  fail(code: ErrorCode, counter?: Http2Counter): void {
    if (this.phase !== 'open') return
    if (counter !== undefined) this.count(counter)
    this.finish(code)
  }

  /** GOAWAY, FIN, and a short while for the peer to read it. Streams that are open fail. */
  finish(code: ErrorCode): void {
    if (this.phase !== 'open') return
    this.writeGoaway(this.lastPeerStream, code)
    this.phase = 'closing'
    this.#input = undefined
    this.role.onEnding()
    this.abortStreams('cancel', code === errorCode.none ? 'closed' : 'malformed')
    this.out.flush()
    this.environment.wheel.arm(this.timer, this.limits.lingerTimeoutMs)
    // Bytes that nobody reads would turn our FIN into a reset, and the GOAWAY could be lost.
    this.connection.resume()
    if (this.out.ready) this.connection.end()
    else this.#endWhenWritten = true
  }

  /** Cuts the connection. Streams that are open fail. */
  destroy(): void {
    if (this.phase === 'open') {
      this.phase = 'closing'
      this.role.onEnding()
      this.abortStreams('cancel', 'closed')
    }
    this.connection.destroy()
  }

  onTimer(): void {
    if (this.phase === 'closing') this.destroy()
    else if (this.phase === 'open') this.watch.check(this.#reader.amidFrame)
  }
}
