import type { ApiClient, ApiRequest } from '#src/kubernetes/api-client.ts'
import { ApiError } from '#src/kubernetes/api-error.ts'
import { createLogger } from '#src/observe/log.ts'
import { ManualTime } from '#test/sources/manual-time.ts'

/** An API server that notes what it is asked and answers as the test says. */
export class FakeApi implements ApiClient {
  readonly server = 'https://fake.example'
  readonly namespace = 'ops'
  readonly requests: ApiRequest[] = []
  answer: (request: ApiRequest) => unknown = () => ({})

  async request(request: ApiRequest): Promise<unknown> {
    this.requests.push(request)
    await Promise.resolve()
    return this.answer(request)
  }

  async watch(): Promise<AsyncIterable<Buffer>> {
    await Promise.resolve()
    throw new Error('nothing is watched here')
  }

  async close(): Promise<void> {
    await Promise.resolve()
  }
}

/** A refusal or failure of the API server. */
export function apiError(status: number, message = 'no'): ApiError {
  return new ApiError('ASK /it', { status, reason: '', message })
}

/** What everything that writes to the cluster is given, with time in the test's hands. */
export function surroundings() {
  const time = new ManualTime()
  const logged: string[] = []
  const counts: Record<string, number> = {}
  return {
    time,
    logged,
    counts,
    options: {
      now: time.now,
      wallClock: () => Date.UTC(2026, 0, 1) + time.now(),
      random: () => 0.5,
      schedule: time.schedule,
      log: createLogger({
        format: 'text',
        level: 'debug',
        now: () => 0,
        write: (line) => logged.push(line),
      }),
      count: (result: string) => {
        counts[result] = (counts[result] ?? 0) + 1
      },
    },
    pass: async (ms: number, stepMs = 100): Promise<void> => {
      for (let passed = 0; passed < ms; passed += stepMs) {
        time.advance(Math.min(stepMs, ms - passed))
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}
