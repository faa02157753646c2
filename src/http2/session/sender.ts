import { defaultFrameBytes, defaultWindow, errorCode, frameType, maxWindow } from '../protocol.ts'
import type { ErrorCode } from '../protocol.ts'
import type { Floods } from './floods.ts'
import type { Output } from './output.ts'
import type { Http2Stream } from './stream.ts'

/** A piece this small, cut by a window, costs the peer instead of earning: tiny windows are an attack. */
const dribbleBytes = 256
/** What any other DATA frame is good for: some peers answer one with several WINDOW_UPDATEs. */
const dataCredit = 10

/**
 * Sends DATA of all streams of a session within the peer's windows. What cannot go at once waits in the
 * streams; they take turns, one frame each, so that a large body does not hold up small ones.
 */
export class Sender {
  /** The connection's window. */
  window = defaultWindow
  /** The peer's SETTINGS_INITIAL_WINDOW_SIZE. */
  initialWindow = defaultWindow
  /** The peer dribbles: the session must end. */
  abused = false
  readonly #out: Output
  readonly #floods: Floods
  // Streams with bytes and a window, in the order of their turns.
  #first: Http2Stream | undefined
  #last: Http2Stream | undefined

  constructor(out: Output, floods: Floods) {
    this.#out = out
    this.#floods = floods
  }

  /** Sends as much as the windows and the connection take; returns the position reached. */
  write(stream: Http2Stream, buffer: Buffer, start: number, end: number): number {
    let at = start
    if (end - start > defaultFrameBytes && this.#out.takesData) {
      this.#out.expectBody(Math.min(end - start, this.window, stream.sendWindow))
    }
    while (at < end && this.#out.takesData) {
      const bytes = this.#writeFrame(stream, buffer, at, end)
      if (bytes === 0) break
      at += bytes
    }
    return at
  }

  #writeFrame(stream: Http2Stream, buffer: Buffer, start: number, end: number): number {
    const bytes = Math.min(end - start, defaultFrameBytes, this.window, stream.sendWindow)
    if (bytes <= 0) return 0
    this.#begin(stream, bytes)
    this.#out.bytes(buffer, start, start + bytes)
    this.#end(stream, bytes)
    return bytes
  }

  /** Sends latin1 text as one frame, or nothing of it: false. */
  writeText(stream: Http2Stream, text: string): boolean {
    const bytes = text.length
    if (bytes > Math.min(defaultFrameBytes, this.window, stream.sendWindow)) return false
    if (!this.#out.takesData) return false
    this.#begin(stream, bytes)
    this.#out.text(text)
    this.#end(stream, bytes)
    return true
  }

  #begin(stream: Http2Stream, bytes: number): void {
    const out = this.#out
    stream.frameAt = out.length
    stream.frameWrite = out.writes
    out.frame(frameType.data, 0, stream.id, bytes)
  }

  /** The frame is in the output: takes it off the windows. */
  #end(stream: Http2Stream, bytes: number): void {
    this.window -= bytes
    stream.sendWindow -= bytes
    const cut = this.window === 0 || stream.sendWindow === 0
    if (bytes < dribbleBytes && cut) {
      if (!this.#floods.control('http2_window_flood', 4)) this.abused = true
    } else {
      this.#floods.earn(dataCredit)
    }
    this.#out.flushIfLarge()
  }

  /** Puts a stream with bytes behind the others, once. */
  wait(stream: Http2Stream): void {
    if (stream.waiting || stream.sendWindow <= 0) return
    stream.waiting = true
    stream.nextWaiting = undefined
    if (this.#last === undefined) this.#first = stream
    else this.#last.nextWaiting = stream
    this.#last = stream
  }

  /** Whether there is something that the windows let go. */
  get sendable(): boolean {
    return this.#first !== undefined && this.window > 0
  }

  /** Sends for the waiting streams, one frame each in turn. */
  pump(): void {
    while (this.sendable && this.#out.takesData) {
      const stream = this.#first as Http2Stream
      this.#first = stream.nextWaiting
      if (this.#first === undefined) this.#last = undefined
      stream.waiting = false
      stream.nextWaiting = undefined
      if (stream.sendQueued()) this.wait(stream)
    }
  }

  /** WINDOW_UPDATE for the connection. False: the window overflows. */
  widen(increment: number): boolean {
    this.window += increment
    return this.window <= maxWindow
  }

  /** A new SETTINGS_INITIAL_WINDOW_SIZE changes the window of every stream, below zero too (6.9.2). */
  setInitialWindow(size: number, streams: readonly Http2Stream[]): ErrorCode {
    const change = size - this.initialWindow
    this.initialWindow = size
    for (const stream of streams) {
      stream.sendWindow += change
      if (stream.sendWindow > maxWindow) return errorCode.flowControl
      if (stream.queuedBytes > 0) this.wait(stream)
    }
    return errorCode.none
  }
}
