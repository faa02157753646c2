import { errorCode, flag } from '../protocol.ts'
import type { ErrorCode } from '../protocol.ts'
import { readUint32 } from './output.ts'
import type { FrameHeader } from './frame-reader.ts'

/**
 * Puts a field block together from HEADERS and its CONTINUATIONs (RFC 9113 4.3, 6.2, 6.10). A block
 * that comes in one frame is used where it lies; one that does not is bounded in bytes and in frames.
 */
export class HeaderBlocks {
  /** Stream of the block begun; 0: none. No other frame may come meanwhile. */
  openStream = 0
  endStream = false
  /** The stream is said to depend on itself (RFC 7540 5.3.1, which peers still check). */
  selfDependent = false
  // The whole block.
  buffer: Buffer | undefined
  start = 0
  end = 0
  readonly #bytesMax: number
  readonly #framesMax: number
  #frames = 0

  constructor(bytesMax: number, framesMax: number) {
    this.#bytesMax = bytesMax
    this.#framesMax = framesMax
  }

  /** Whether the block is whole: then its members say where it is. */
  get complete(): boolean {
    return this.openStream === 0
  }

  /** Takes a HEADERS frame; returns an error for the connection, or `none`. */
  headers(frame: FrameHeader, buffer: Buffer, start: number, end: number): ErrorCode {
    let from = start
    let to = end
    if ((frame.flags & flag.padded) !== 0) {
      if (from >= to) return errorCode.frameSize
      to -= buffer[from++] as number
      if (to < from) return errorCode.protocol
    }
    this.selfDependent = false
    if ((frame.flags & flag.priority) !== 0) {
      if (to - from < 5) return errorCode.frameSize
      this.selfDependent = (readUint32(buffer, from) & 0x7fff_ffff) === frame.streamId
      from += 5
    }
    this.endStream = (frame.flags & flag.endStream) !== 0
    this.#frames = 0
    if ((frame.flags & flag.endHeaders) !== 0) {
      this.openStream = 0
      this.#set(buffer, from, to)
      return errorCode.none
    }
    this.openStream = frame.streamId
    // The bytes are the caller's; keep a copy until the rest is there.
    this.#set(Buffer.from(buffer.subarray(from, to)), 0, to - from)
    return errorCode.none
  }

  /** Takes the next CONTINUATION; `enhanceYourCalm`: the block grows past its limits. */
  continuation(frame: FrameHeader, buffer: Buffer, start: number, end: number): ErrorCode {
    if (this.openStream === 0 || frame.streamId !== this.openStream) return errorCode.protocol
    const block = this.buffer as Buffer
    const total = this.end + end - start
    if (++this.#frames > this.#framesMax || total > this.#bytesMax) return errorCode.enhanceYourCalm
    let target = block
    if (total > block.length) {
      target = Buffer.allocUnsafeSlow(Math.min(this.#bytesMax, total * 2))
      block.copy(target, 0, 0, this.end)
    }
    buffer.copy(target, this.end, start, end)
    this.#set(target, 0, total)
    if ((frame.flags & flag.endHeaders) !== 0) this.openStream = 0
    return errorCode.none
  }

  /** Lets go of the block's memory. */
  release(): void {
    this.buffer = undefined
  }

  #set(buffer: Buffer, start: number, end: number): void {
    this.buffer = buffer
    this.start = start
    this.end = end
  }
}
