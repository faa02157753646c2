import type { Variant } from './external-auth-freshness.ts'

/** What an authentication service answered, as far as it matters. */
export interface AuthAnswer {
  /** 0: there was no whole answer. */
  readonly status: number
  /** Fields for the upstream: name and value in turn. */
  readonly fields: readonly string[]
  /** Values of Set-Cookie, each its own. */
  readonly cookies: readonly string[]
  /** WWW-Authenticate. */
  readonly challenge: string
  /** The requests that a kept answer is for, where it does not hold for all of its key. */
  readonly variant?: Variant | undefined
}

/** An answer and how long it holds, in milliseconds of the clock that all workers have. */
interface KeptAnswer {
  readonly answer: AuthAnswer
  readonly until: number
}

/** Called with what is new in a cache. */
export type OnAnswer = (key: string, answer: AuthAnswer, until: number) => void

const answersMax = 8192
/** Longer keys are not kept. */
const keyLengthMax = 4096

/** Answers by key, until their time is over; the oldest goes when there are too many. */
export class AnswerCache {
  readonly #answers = new Map<string, KeptAnswer>()
  /** Told of answers that came here, not of those that `take` brings. */
  onAnswer: OnAnswer | undefined

  get(key: string, now: number): AuthAnswer | undefined {
    const kept = this.#answers.get(key)
    if (kept === undefined || kept.until > now) return kept?.answer
    this.#answers.delete(key)
    return undefined
  }

  /** `until` and `now` of `get` are on one clock. An answer whose time is over already is not kept. */
  set(key: string, answer: AuthAnswer, until: number): void {
    if (key.length > keyLengthMax) return
    this.#keep(key, answer, until)
    this.onAnswer?.(key, answer, until)
  }

  /** An answer that another worker got; one that holds longer stays. */
  take(key: string, answer: AuthAnswer, until: number): void {
    const kept = this.#answers.get(key)
    if (kept === undefined || kept.until < until) this.#keep(key, answer, until)
  }

  #keep(key: string, answer: AuthAnswer, until: number): void {
    this.#answers.delete(key)
    if (this.#answers.size >= answersMax) {
      const [oldest = ''] = this.#answers.keys()
      this.#answers.delete(oldest)
    }
    this.#answers.set(key, { answer, until })
  }
}

/** One worker's answers, whatever tables come and go. */
export const answers = new AnswerCache()
