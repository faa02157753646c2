import { TimerWheel } from '#src/exchange/timer-wheel.ts'
import type { Http2Counter } from '#src/http2/counters.ts'
import type { Http2Environment } from '#src/http2/environment.ts'
import { TurnQueue } from '#src/http2/turn-queue.ts'

/** An environment whose time and turns the test moves by hand. */
export class TestEnvironment implements Http2Environment {
  readonly wheel = new TimerWheel(0)
  readonly turns: TurnQueue
  readonly counts = new Map<Http2Counter, number>()
  readonly counters = {
    increment: (name: Http2Counter) => {
      this.counts.set(name, this.count(name) + 1)
    },
  }
  #keys = 0

  /** `wake` as for `TurnQueue`; without it the test runs the turns. */
  constructor(wake?: (run: () => void) => void) {
    this.turns = new TurnQueue(() => wake?.(() => this.turns.run()))
  }

  createWebSocketKey = (): string => Buffer.alloc(16, ++this.#keys).toString('base64')

  count(name: Http2Counter): number {
    return this.counts.get(name) ?? 0
  }

  /** Lets time go by in the steps of the wheel. */
  pass(ms: number): void {
    const end = this.wheel.now + ms
    while (this.wheel.now < end) {
      this.wheel.advance(Math.min(end, this.wheel.now + this.wheel.tickMs))
      this.turns.run()
    }
  }
}

/** For real sockets: turns end with `setImmediate`, time is the machine's. */
export function realEnvironment(): { environment: TestEnvironment; stop: () => void } {
  const environment = new TestEnvironment((run) => {
    setImmediate(run)
  })
  const startedAt = performance.now()
  const timer = setInterval(() => {
    environment.wheel.advance(Math.floor(performance.now() - startedAt))
  }, environment.wheel.tickMs)
  timer.unref()
  return { environment, stop: () => clearInterval(timer) }
}
