import type { TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Http2Counters } from './counters.ts'
import type { TurnQueue } from './turn-queue.ts'

/** What the sessions of one thread share; everything that is not bytes comes from here. */
export interface Http2Environment {
  /** Clock and deadlines; its owner advances it. */
  readonly wheel: TimerWheel
  readonly turns: TurnQueue
  readonly counters: Http2Counters
  /** A fresh nonce, 16 random bytes in base64 (RFC 6455 4.1), for WebSocket over HTTP/2. */
  readonly createWebSocketKey: () => string
}
