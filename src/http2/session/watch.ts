import { errorCode, frameType, maxStreamId } from '../protocol.ts'
import type { SessionCore } from './session-core.ts'

/** How often a session with anything under way is looked after. */
const checkMs = 1000
const drainPing = 1
const keepAlivePing = 2

/**
 * The times of a session, on one timer: a check a second while anything is under way, else one at the
 * end of the idle time. A request costs no timer.
 */
export class Watch {
  readonly #core: SessionCore
  /** When SETTINGS could leave; -1: the connection is still being made. */
  #openedAt = -1
  #settingsAcked = false
  #receivedAt: number
  /** Since when there is no stream; -1 while there is one. */
  #idleSince: number
  /** Since when the connection takes nothing; -1: it does. */
  #stuckSince = -1
  /** Since when one frame does not get on, and which. */
  #frameSince = -1
  #frame = -1
  /** When a PING was sent that waits for its answer; -1: none. */
  #pingedAt = -1
  #drainAt = -1
  /** A drain has told the client which streams are the last. */
  draining = false

  constructor(core: SessionCore) {
    this.#core = core
    this.#receivedAt = core.now
    this.#idleSince = core.now
  }

  /** The connection is there. */
  opened(): void {
    this.#openedAt = this.#core.now
    this.soon()
  }

  /** Something came. */
  received(): void {
    this.#receivedAt = this.#core.now
  }

  /** Looks again within about a second. */
  soon(): void {
    const core = this.#core
    const { wheel } = core.environment
    if (core.phase === 'open' && core.timer.deadline > wheel.now + checkMs + wheel.tickMs) {
      wheel.arm(core.timer, checkMs)
    }
  }

  /** False: it acknowledges nothing of ours. */
  settingsAcked(): boolean {
    const first = !this.#settingsAcked
    this.#settingsAcked = true
    return first
  }

  drained(): void {
    this.#stuckSince = -1
  }

  /** False: it is no answer to ours. */
  pingAcked(kind: number): boolean {
    if (kind === drainPing && this.#drainAt >= 0 && !this.draining) {
      this.#lastStreams()
      return true
    }
    const known = kind === keepAlivePing && this.#pingedAt >= 0
    this.#pingedAt = -1
    return known
  }

  /**
   * Announces the end without a last stream, so that nothing in flight is lost (RFC 9113 6.8). When the
   * PING behind it is answered, every stream that was opened before the client knew is here.
   */
  drain(): void {
    const core = this.#core
    if (this.#drainAt >= 0 || core.phase !== 'open') return
    this.#drainAt = core.now
    core.writeGoaway(maxStreamId, errorCode.none)
    this.#ping(drainPing)
    this.soon()
  }

  /** The second step of a drain: later streams are not taken. */
  #lastStreams(): void {
    const core = this.#core
    this.draining = true
    core.writeGoaway(core.lastPeerStream, errorCode.none)
    core.scheduleFlush()
    core.role.onStreamGone()
  }

  #ping(kind: number): void {
    const { out } = this.#core
    out.frame(frameType.ping, 0, 0, 8)
    out.uint32(0)
    out.uint32(kind)
    this.#core.scheduleFlush()
  }

  /** Everything that may have taken too long. */
  check(amidFrame: boolean): void {
    const core = this.#core
    this.#checkStuck()
    this.#checkHead(amidFrame)
    this.#checkSettings()
    this.#checkPing()
    if (this.#drainAt >= 0 && !this.draining && this.#past(this.#drainAt, checkMs)) {
      this.#lastStreams()
    }
    for (const stream of core.streams.list()) if (!stream.closed) core.role.checkStream(stream)
    this.#checkIdle()
    if (core.phase === 'open') this.#again(amidFrame)
  }

  #past(since: number, limitMs: number): boolean {
    return limitMs > 0 && since >= 0 && this.#core.now - since >= limitMs
  }

  #checkStuck(): void {
    const core = this.#core
    if (core.out.ready || this.#openedAt < 0) this.#stuckSince = -1
    else if (this.#stuckSince < 0) this.#stuckSince = core.now
    if (!this.#past(this.#stuckSince, core.limits.sendTimeoutMs)) return
    core.count('http2_slow_reader')
    core.destroy()
  }

  #checkHead(amidFrame: boolean): void {
    const core = this.#core
    const { headTimeoutMs } = core.limits
    const { blocks, blockSince, frames } = core.router
    if (!amidFrame || frames !== this.#frame) this.#frameSince = amidFrame ? core.now : -1
    this.#frame = frames
    const block = blocks.openStream === 0 ? -1 : blockSince
    if (this.#past(this.#frameSince, headTimeoutMs) || this.#past(block, headTimeoutMs)) {
      core.fail(errorCode.enhanceYourCalm, 'http2_slow_headers')
    }
  }

  #checkSettings(): void {
    const core = this.#core
    if (this.#settingsAcked) return
    if (this.#past(this.#openedAt, core.limits.settingsTimeoutMs)) {
      core.fail(errorCode.settingsTimeout, 'http2_settings_timeout')
    }
  }

  #checkPing(): void {
    const core = this.#core
    const { pingIntervalMs, pingTimeoutMs } = core.limits
    if (this.#receivedAt > this.#pingedAt) this.#pingedAt = -1
    if (this.#past(this.#pingedAt, pingTimeoutMs)) {
      core.count('http2_ping_timeout')
      core.destroy()
    } else if (this.#pingedAt < 0 && core.streams.size > 0) {
      if (!this.#past(this.#receivedAt, pingIntervalMs)) return
      this.#pingedAt = core.now
      this.#ping(keepAlivePing)
    }
  }

  #checkIdle(): void {
    const core = this.#core
    if (core.streams.size > 0) this.#idleSince = -1
    else if (this.#idleSince < 0) this.#idleSince = core.now
    if (this.#past(this.#idleSince, core.limits.idleTimeoutMs)) core.finish(errorCode.none)
  }

  #again(amidFrame: boolean): void {
    const core = this.#core
    const { wheel } = core.environment
    const busy =
      core.streams.size > 0 ||
      amidFrame ||
      (!core.out.ready && this.#openedAt >= 0) ||
      core.router.blocks.openStream !== 0 ||
      (!this.#settingsAcked && this.#openedAt >= 0) ||
      (this.#drainAt >= 0 && !this.draining)
    if (busy) wheel.arm(core.timer, checkMs)
    else if (core.limits.idleTimeoutMs > 0) {
      wheel.arm(core.timer, Math.max(0, this.#idleSince + core.limits.idleTimeoutMs - wheel.now))
    }
  }
}
