import type { Http2Counter } from '../counters.ts'
import type { FrameHandler, FrameHeader } from './frame-reader.ts'
import { HeaderBlocks } from './header-blocks.ts'
import { requestWork } from '../limits.ts'
import { readUint32 } from './output.ts'
import { errorCode, failureOf, flag, frameType, maxWindow, resetReasonOf } from '../protocol.ts'
import type { ErrorCode } from '../protocol.ts'
import type { SessionCore } from './session-core.ts'
import { readSettings, writeSettingsAck } from './settings.ts'
import type { Http2Stream } from './stream.ts'

/** SETTINGS with more entries than this are an attack: there are eight settings. */
const settingsMax = 32

/** Does what each frame asks for, and answers what is wrong as RFC 9113 5.1, 5.4 and 6 say. */
export class FrameRouter implements FrameHandler {
  /** Frames so far, to tell a frame that does not get on. */
  frames = 0
  /** When the field block that is open began. */
  blockSince = 0
  readonly blocks: HeaderBlocks
  readonly #core: SessionCore
  #settingsSeen = false
  /** Stream of the DATA frame being read; undefined: its bytes are dropped. */
  #dataStream: Http2Stream | undefined
  #dataBytes = 0

  constructor(core: SessionCore) {
    this.#core = core
    this.blocks = new HeaderBlocks(core.limits.headerBlockBytes, core.limits.continuations)
  }

  get halted(): boolean {
    return this.#core.halted
  }

  onFrameFault(code: ErrorCode): void {
    this.#core.fail(code, 'http2_protocol_error')
  }

  onFrame(frame: FrameHeader, buffer: Buffer, start: number, end: number): void {
    const core = this.#core
    this.frames++
    core.work++
    if (!this.#mayCome(frame)) {
      core.fail(errorCode.protocol, 'http2_protocol_error')
      return
    }
    this.#route(frame, buffer, start, end)
    if (core.sender.abused) core.fail(errorCode.enhanceYourCalm)
  }

  /** SETTINGS come first (3.4), and nothing comes between HEADERS and CONTINUATION (4.3). */
  #mayCome(frame: FrameHeader): boolean {
    if (!this.#settingsSeen) {
      this.#settingsSeen = frame.type === frameType.settings && (frame.flags & flag.ack) === 0
      return this.#settingsSeen
    }
    return this.blocks.openStream === 0 || frame.type === frameType.continuation
  }

  #route(frame: FrameHeader, buffer: Buffer, start: number, end: number): void {
    switch (frame.type) {
      case frameType.headers:
        this.#headers(frame, buffer, start, end)
        break
      case frameType.continuation:
        this.#continuation(frame, buffer, start, end)
        break
      case frameType.priority:
        this.#priority(frame, buffer, start, end)
        break
      case frameType.reset:
        this.#reset(frame, buffer, start, end)
        break
      case frameType.settings:
        this.#settings(frame, buffer, start, end)
        break
      case frameType.ping:
        this.#ping(frame, buffer, start, end)
        break
      case frameType.goaway:
        this.#goaway(frame, buffer, start, end)
        break
      case frameType.windowUpdate:
        this.#windowUpdate(frame, buffer, start, end)
        break
      case frameType.pushPromise:
        this.#fault()
        break
      default:
        // Unknown types are ignored (5.5), PRIORITY_UPDATE of RFC 9218 too.
        this.#control('http2_unknown_frame_flood')
    }
  }

  #fault(code: ErrorCode = errorCode.protocol): void {
    const counter =
      code === errorCode.flowControl ? 'http2_flow_control_error' : 'http2_protocol_error'
    this.#core.fail(code, counter)
  }

  /** False: the peer sends too much of this, and the session ends. */
  #control(counter: Http2Counter, cost = 1): boolean {
    const core = this.#core
    if (core.floods.control(counter, cost)) return true
    core.fail(errorCode.enhanceYourCalm)
    return false
  }

  // Field blocks.

  #headers(frame: FrameHeader, buffer: Buffer, start: number, end: number): void {
    if (frame.streamId === 0) {
      this.#fault()
      return
    }
    const error = this.blocks.headers(frame, buffer, start, end)
    if (error !== errorCode.none) this.#fault(error)
    else if (this.blocks.complete) this.#blockComplete(frame.streamId)
    else {
      this.blockSince = this.#core.now
      this.#core.watch.soon()
    }
  }

  #continuation(frame: FrameHeader, buffer: Buffer, start: number, end: number): void {
    const error = this.blocks.continuation(frame, buffer, start, end)
    if (error === errorCode.enhanceYourCalm) {
      this.#core.fail(error, 'http2_continuation_flood')
    } else if (error !== errorCode.none) {
      this.#fault(error)
    } else if (this.blocks.complete) {
      this.#blockComplete(frame.streamId)
    } else if (start === end) {
      this.#control('http2_continuation_flood')
    }
  }

  #blockComplete(streamId: number): void {
    const core = this.#core
    core.work += requestWork - 1
    core.floods.earn()
    core.role.onHeaderBlock(this.blocks, streamId)
    this.blocks.release()
  }

  // Bodies.

  onData(frame: FrameHeader): void {
    const core = this.#core
    this.frames++
    core.work++
    this.#dataStream = undefined
    this.#dataBytes = 0
    if (!this.#mayCome(frame) || frame.streamId === 0) {
      this.#fault()
      return
    }
    if (!core.receiver.take(frame.length)) {
      this.#fault(errorCode.flowControl)
      return
    }
    const stream = core.streams.get(frame.streamId)
    if (stream === undefined) {
      this.#dataOnClosed(frame.streamId)
      return
    }
    const error = stream.takeFrame(frame.length)
    if (error === errorCode.none) this.#dataStream = stream
    else core.streamError(stream, error, counterOf(error))
  }

  /** DATA where no stream is open: late after our reset, or an error (5.1, 6.1). */
  #dataOnClosed(streamId: number): void {
    const core = this.#core
    const how = core.closedStreams.find(streamId)
    if (core.role.isIdle(streamId)) this.#fault()
    else if (how !== 'reset-by-us') {
      core.refuseStream(streamId, errorCode.streamClosed, 'http2_protocol_error')
    }
  }

  onDataBytes(buffer: Buffer, start: number, end: number): void {
    const core = this.#core
    const stream = this.#dataStream
    this.#dataBytes += end - start
    if (stream !== undefined && !stream.closed && !stream.takeBody(buffer, start, end)) {
      core.streamError(stream, errorCode.protocol, 'http2_malformed')
    }
    core.receiver.renew()
  }

  onDataPadding(bytes: number): void {
    this.#dataStream?.renew(bytes)
    this.#core.receiver.renew()
  }

  onDataEnd(frame: FrameHeader): void {
    const core = this.#core
    if (core.phase !== 'open') return
    const ends = (frame.flags & flag.endStream) !== 0
    if (this.#dataBytes > 0) core.floods.earn()
    else if (!ends && !this.#control('http2_empty_frame_flood')) return
    const stream = this.#dataStream
    if (ends && stream !== undefined && !stream.closed) core.receiveEnd(stream, undefined)
  }

  // Streams.

  #priority(frame: FrameHeader, buffer: Buffer, start: number, end: number): void {
    if (frame.streamId === 0) this.#fault()
    else if (!this.#control('http2_priority_flood')) return
    else if (end - start !== 5) this.#streamFault(frame.streamId, errorCode.frameSize)
    else if ((readUint32(buffer, start) & maxWindow) === frame.streamId) {
      this.#streamFault(frame.streamId, errorCode.protocol)
    }
  }

  /** A stream error for a stream in any state. */
  #streamFault(streamId: number, code: ErrorCode): void {
    const core = this.#core
    const stream = core.streams.get(streamId)
    if (stream !== undefined) core.streamError(stream, code, counterOf(code))
    else if (core.role.isIdle(streamId)) this.#fault(code)
    else core.refuseStream(streamId, code, counterOf(code))
  }

  #reset(frame: FrameHeader, buffer: Buffer, start: number, end: number): void {
    const core = this.#core
    const { streamId } = frame
    if (end - start !== 4) this.#fault(errorCode.frameSize)
    else if (streamId === 0 || core.role.isIdle(streamId)) this.#fault()
    else {
      const stream = core.streams.get(streamId)
      if (stream === undefined) {
        this.#control('http2_reset_flood')
        return
      }
      const code = readUint32(buffer, start)
      core.resetByPeer(stream, resetReasonOf(code), failureOf(code))
      if (!core.floods.reset()) core.fail(errorCode.enhanceYourCalm)
    }
  }

  #windowUpdate(frame: FrameHeader, buffer: Buffer, start: number, end: number): void {
    const core = this.#core
    const { streamId } = frame
    if (end - start !== 4) {
      this.#fault(errorCode.frameSize)
      return
    }
    const increment = readUint32(buffer, start) & maxWindow
    if (!this.#control('http2_window_flood')) return
    if (streamId === 0) {
      if (increment === 0) this.#fault()
      else if (!core.sender.widen(increment)) this.#fault(errorCode.flowControl)
      else core.sender.pump()
      return
    }
    const stream = core.streams.get(streamId)
    if (stream === undefined) {
      if (core.role.isIdle(streamId)) this.#fault()
    } else if (increment === 0) {
      core.streamError(stream, errorCode.protocol, 'http2_protocol_error')
    } else {
      this.#widen(stream, increment)
    }
  }

  #widen(stream: Http2Stream, increment: number): void {
    const core = this.#core
    stream.sendWindow += increment
    if (stream.sendWindow > maxWindow) {
      core.streamError(stream, errorCode.flowControl, 'http2_flow_control_error')
    } else if (stream.queuedBytes > 0) {
      core.sender.wait(stream)
      core.sender.pump()
    }
  }

  // The connection.

  #settings(frame: FrameHeader, buffer: Buffer, start: number, end: number): void {
    const core = this.#core
    const bytes = end - start
    if (frame.streamId !== 0) {
      this.#fault()
    } else if ((frame.flags & flag.ack) !== 0) {
      if (bytes !== 0) this.#fault(errorCode.frameSize)
      else if (!core.watch.settingsAcked()) this.#control('http2_settings_flood')
    } else if (bytes % 6 !== 0) {
      this.#fault(errorCode.frameSize)
    } else if (bytes > settingsMax * 6) {
      core.fail(errorCode.enhanceYourCalm, 'http2_settings_flood')
    } else if (this.#control('http2_settings_flood', 4 + bytes / 6)) {
      this.#applySettings(buffer, start, end)
    }
  }

  #applySettings(buffer: Buffer, start: number, end: number): void {
    const core = this.#core
    const { peer, sender } = core
    let error = readSettings(peer, buffer, start, end)
    if (error === errorCode.none && peer.initialWindowSize !== sender.initialWindow) {
      error = sender.setInitialWindow(peer.initialWindowSize, core.streams.list())
    }
    if (error !== errorCode.none) {
      this.#fault(error)
      return
    }
    core.heads.encoder.allow(peer.headerTableSize)
    writeSettingsAck(core.out)
    core.role.onSettings()
    sender.pump()
  }

  #ping(frame: FrameHeader, buffer: Buffer, start: number, end: number): void {
    const core = this.#core
    if (end - start !== 8) {
      this.#fault(errorCode.frameSize)
    } else if (frame.streamId !== 0) {
      this.#fault()
    } else if ((frame.flags & flag.ack) !== 0) {
      const known = core.watch.pingAcked(readUint32(buffer, start + 4))
      if (!known) this.#control('http2_ping_flood')
    } else if (this.#control('http2_ping_flood')) {
      core.out.frame(frameType.ping, flag.ack, 0, 8)
      core.out.bytes(buffer, start, end)
    }
  }

  #goaway(frame: FrameHeader, buffer: Buffer, start: number, end: number): void {
    if (frame.streamId !== 0) this.#fault()
    else if (end - start < 8) this.#fault(errorCode.frameSize)
    else if (this.#control('http2_unknown_frame_flood')) {
      this.#core.role.onGoaway(readUint32(buffer, start) & maxWindow)
    }
  }
}

function counterOf(code: ErrorCode): Http2Counter {
  return code === errorCode.flowControl ? 'http2_flow_control_error' : 'http2_protocol_error'
}
