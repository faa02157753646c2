import {
  defaultFrameBytes,
  errorCode,
  flag,
  frameHeaderBytes,
  frameType,
  preface,
} from '../protocol.ts'
import type { ErrorCode } from '../protocol.ts'
import { readUint32 } from './output.ts'

/** The head of the frame being read; one object, overwritten by the next frame. */
export interface FrameHeader {
  length: number
  type: number
  flags: number
  streamId: number
}

/** Who hears the frames. DATA comes in pieces, every other frame whole. */
export interface FrameHandler {
  onFrame(frame: FrameHeader, buffer: Buffer, start: number, end: number): void
  /** A DATA frame begins; its length, padding included, counts against the windows. */
  onData(frame: FrameHeader): void
  onDataBytes(buffer: Buffer, start: number, end: number): void
  /** Bytes of the frame that are not body. */
  onDataPadding(bytes: number): void
  onDataEnd(frame: FrameHeader): void
  /** The bytes are no frames: a connection error. */
  onFrameFault(code: ErrorCode): void
  /** Asked after each frame; true: leave the rest. */
  readonly halted: boolean
}

/**
 * Cuts a byte stream into frames (RFC 9113 4.1). A frame is kept only when it comes in pieces, and
 * DATA never is.
 */
export class FrameReader {
  readonly #handler: FrameHandler
  readonly #frame: FrameHeader = { length: 0, type: 0, flags: 0, streamId: 0 }
  #prefaceLeft: number
  /** A frame header cut off, and how much of it there is. */
  #head: Buffer | undefined
  #headBytes = 0
  /** A payload cut off. */
  #payload: Buffer | undefined
  #payloadBytes = 0
  #inData = false
  #padLengthNext = false
  #dataLeft = 0
  #paddingLeft = 0

  constructor(handler: FrameHandler, expectPreface: boolean) {
    this.#handler = handler
    this.#prefaceLeft = expectPreface ? preface.length : 0
  }

  /** Whether the input ends within a frame other than DATA, or before the preface is whole. */
  get amidFrame(): boolean {
    return this.#headBytes > 0 || this.#payload !== undefined || this.#prefaceLeft > 0
  }

  /** Reads on until the end or until the handler halts; returns the position reached. */
  read(buffer: Buffer, start: number, end: number): number {
    const handler = this.#handler
    let at = start
    if (this.#prefaceLeft > 0) at = this.#preface(buffer, at, end)
    while (at < end && !handler.halted) {
      if (this.#inData) at = this.#data(buffer, at, end)
      else if (this.#payload !== undefined) at = this.#restOfPayload(buffer, at, end)
      else if (this.#headBytes > 0 || end - at < frameHeaderBytes)
        at = this.#restOfHead(buffer, at, end)
      else at = this.#begin(buffer, at, at + frameHeaderBytes, end)
    }
    return at
  }

  #preface(buffer: Buffer, start: number, end: number): number {
    let at = start
    while (at < end && this.#prefaceLeft > 0) {
      if (buffer[at++] !== preface[preface.length - this.#prefaceLeft]) {
        this.#handler.onFrameFault(errorCode.protocol)
        return at
      }
      this.#prefaceLeft--
    }
    return at
  }

  #restOfHead(buffer: Buffer, at: number, end: number): number {
    const head = (this.#head ??= Buffer.allocUnsafeSlow(frameHeaderBytes))
    const bytes = Math.min(frameHeaderBytes - this.#headBytes, end - at)
    buffer.copy(head, this.#headBytes, at, at + bytes)
    this.#headBytes += bytes
    if (this.#headBytes < frameHeaderBytes) return at + bytes
    this.#headBytes = 0
    this.#parseHead(head, 0)
    return this.#payloadAt(buffer, at + bytes, end)
  }

  // oxlint-disable-next-line max-params -- once a frame: no object for it
  #begin(buffer: Buffer, at: number, payload: number, end: number): number {
    this.#parseHead(buffer, at)
    return this.#payloadAt(buffer, payload, end)
  }

  #parseHead(buffer: Buffer, at: number): void {
    const frame = this.#frame
    frame.length =
      ((buffer[at] as number) << 16) |
      ((buffer[at + 1] as number) << 8) |
      (buffer[at + 2] as number)
    frame.type = buffer[at + 3] as number
    frame.flags = buffer[at + 4] as number
    frame.streamId = readUint32(buffer, at + 5) & 0x7fff_ffff
  }

  #payloadAt(buffer: Buffer, at: number, end: number): number {
    const frame = this.#frame
    if (frame.length > defaultFrameBytes) {
      this.#handler.onFrameFault(errorCode.frameSize)
      return at
    }
    if (frame.type === frameType.data) {
      this.#beginData()
      return at
    }
    if (frame.length <= end - at) {
      this.#handler.onFrame(frame, buffer, at, at + frame.length)
      return at + frame.length
    }
    this.#payload = Buffer.allocUnsafeSlow(frame.length)
    this.#payloadBytes = buffer.copy(this.#payload, 0, at, end)
    return end
  }

  #restOfPayload(buffer: Buffer, at: number, end: number): number {
    const payload = this.#payload as Buffer
    const bytes = Math.min(payload.length - this.#payloadBytes, end - at)
    buffer.copy(payload, this.#payloadBytes, at, at + bytes)
    this.#payloadBytes += bytes
    if (this.#payloadBytes === payload.length) {
      this.#payload = undefined
      this.#handler.onFrame(this.#frame, payload, 0, payload.length)
    }
    return at + bytes
  }

  #beginData(): void {
    const frame = this.#frame
    this.#handler.onData(frame)
    this.#padLengthNext = (frame.flags & flag.padded) !== 0
    this.#dataLeft = frame.length
    this.#paddingLeft = 0
    this.#inData = true
    if (frame.length > 0) return
    if (this.#padLengthNext) this.#handler.onFrameFault(errorCode.frameSize)
    else this.#endData()
  }

  #data(buffer: Buffer, start: number, end: number): number {
    let at = start
    if (this.#padLengthNext) {
      this.#padLengthNext = false
      const padding = buffer[at++] as number
      this.#dataLeft -= padding + 1
      this.#paddingLeft = padding
      if (this.#dataLeft < 0) {
        this.#handler.onFrameFault(errorCode.protocol)
        return at
      }
      this.#handler.onDataPadding(1)
    }
    const bytes = Math.min(this.#dataLeft, end - at)
    if (bytes > 0) {
      this.#dataLeft -= bytes
      this.#handler.onDataBytes(buffer, at, at + bytes)
      at += bytes
    }
    const padding = Math.min(this.#paddingLeft, end - at)
    if (this.#dataLeft === 0 && padding > 0) {
      this.#paddingLeft -= padding
      this.#handler.onDataPadding(padding)
      at += padding
    }
    if (this.#dataLeft === 0 && this.#paddingLeft === 0) this.#endData()
    return at
  }

  #endData(): void {
    this.#inData = false
    this.#handler.onDataEnd(this.#frame)
  }
}
