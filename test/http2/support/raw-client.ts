import type { Http2Limits } from '#src/http2/limits.ts'
import { serverLimits } from '#src/http2/limits.ts'
import { preface } from '#src/http2/protocol.ts'
import { Http2ServerSession } from '#src/http2/server-session.ts'
import type { CloseReason } from '#src/transport/transport.ts'
import { memoryPair } from '#test/support/memory-pair.ts'
import type { MemoryEnd } from '#test/support/memory-pair.ts'
import { TestEnvironment } from './environment.ts'
import { FrameLog, settings, settingsAck } from './frames.ts'
import { Recorder } from './recorder.ts'

export interface RawClientOptions {
  readonly limits?: Partial<Http2Limits>
  readonly answer?: 'ok' | 'hold'
  /** How many bytes the session gets at a time. */
  readonly pieceBytes?: number
  /** Send the preface, SETTINGS and the acknowledgement; so by default. */
  readonly greet?: boolean
}

/** A client made of bytes, before a server session in memory. */
export class RawClient {
  readonly environment = new TestEnvironment()
  readonly recorder: Recorder
  readonly session: Http2ServerSession
  readonly log = new FrameLog()
  /** The client's own end, and the session's. */
  readonly end: MemoryEnd
  readonly serverEnd: MemoryEnd
  sessionClosed: CloseReason | undefined
  /** The session has ended the connection. */
  ended = false
  readonly #pieceBytes: number

  constructor(options: RawClientOptions = {}) {
    const [client, server] = memoryPair()
    this.end = client
    this.serverEnd = server
    this.#pieceBytes = options.pieceBytes ?? Infinity
    this.recorder = new Recorder(options.answer)
    const limits = { ...serverLimits, ...options.limits }
    this.session = new Http2ServerSession(server, this.recorder, limits, this.environment, {
      onSessionClosed: (_session, reason) => {
        this.sessionClosed = reason
      },
    })
    client.resume()
    client.handler = {
      onData: (buffer, start, end) => this.log.add(buffer.subarray(start, end)),
      onEnd: () => {
        this.ended = true
      },
      onDrain: () => undefined,
      onClose: () => {
        this.ended = true
      },
    }
    if (options.greet !== false) this.send(preface, settings(), settingsAck)
  }

  /** Sends bytes and lets everything happen that follows from them. */
  send(...bytes: readonly Buffer[]): this {
    const all = Buffer.concat(bytes)
    this.end.writeBytes('', all, 0, all.length)
    this.settle()
    return this
  }

  settle(): void {
    for (let round = 0; round < 100_000; round++) {
      const toServer = this.serverEnd.deliver(this.#pieceBytes)
      this.environment.turns.run()
      const toClient = this.end.deliver(Infinity)
      const readable = !this.serverEnd.paused && this.serverEnd.waitingBytes > 0
      if (!toServer && !toClient && !readable && !this.environment.turns.busy) return
    }
    throw new Error('does not settle')
  }

  /** Lets time go by. */
  pass(ms: number): this {
    this.environment.pass(ms)
    this.settle()
    return this
  }
}
