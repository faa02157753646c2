import { Http2ClientSession } from '#src/http2/client-session.ts'
import type { Http2ClientOwner } from '#src/http2/client-session.ts'
import { clientLimits } from '#src/http2/limits.ts'
import type { Http2Limits } from '#src/http2/limits.ts'
import { preface } from '#src/http2/protocol.ts'
import { memoryPair } from '#test/support/memory-pair.ts'
import type { MemoryEnd } from '#test/support/memory-pair.ts'
import { TestEnvironment } from './environment.ts'
import { FrameLog, settings, settingsAck } from './frames.ts'
import { RecordedResponse, requestHead } from './linked.ts'
import type { RequestParts } from './linked.ts'

/** An upstream made of bytes, behind a client session in memory. */
export class RawServer implements Http2ClientOwner {
  readonly environment = new TestEnvironment()
  readonly session: Http2ClientSession
  readonly log = new FrameLog()
  readonly end: MemoryEnd
  readonly clientEnd: MemoryEnd
  draining = 0
  closed = 0
  ended = false
  #prefaceBytes = 0

  /** `greeting` is what the upstream sends first; SETTINGS and the acknowledgement of ours. */
  constructor(
    limits: Partial<Http2Limits> = {},
    greeting: readonly Buffer[] = [settings(), settingsAck],
  ) {
    const [client, server] = memoryPair()
    this.clientEnd = client
    this.end = server
    server.resume()
    server.handler = {
      onData: (buffer, start, end) => {
        const skip = Math.min(end - start, preface.length - this.#prefaceBytes)
        this.#prefaceBytes += skip
        this.log.add(buffer.subarray(start + skip, end))
      },
      onEnd: () => {
        this.ended = true
      },
      onDrain: () => undefined,
      onClose: () => {
        this.ended = true
      },
    }
    const options = { scheme: 'http', connected: true } as const
    this.session = new Http2ClientSession(
      client,
      this,
      { ...clientLimits, ...limits },
      this.environment,
      options,
    )
    if (greeting.length > 0) this.send(...greeting)
  }

  onCapacity(): void {
    // Asked for where a test wants to know.
  }

  onDraining(): void {
    this.draining++
  }

  onSessionClosed(): void {
    this.closed++
  }

  request(parts: RequestParts = {}): RecordedResponse {
    const response = new RecordedResponse()
    const stream = this.session.open(response)
    response.stream = stream
    const open = parts.open === true
    stream.sendHead(requestHead(parts), !open)
    stream.flush()
    this.settle()
    return response
  }

  send(...bytes: readonly Buffer[]): this {
    const all = Buffer.concat(bytes)
    this.end.writeBytes('', all, 0, all.length)
    return this.settle()
  }

  settle(): this {
    for (let round = 0; round < 10_000; round++) {
      const toClient = this.clientEnd.deliver(Infinity)
      this.environment.turns.run()
      const toServer = this.end.deliver(Infinity)
      const readable =
        !this.clientEnd.closed && !this.clientEnd.paused && this.clientEnd.waitingBytes > 0
      if (!toServer && !toClient && !readable && !this.environment.turns.busy) return this
    }
    throw new Error('does not settle')
  }
}
