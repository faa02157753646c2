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
}

const answersMax = 8192
/** Longer keys are not kept. */
const keyLengthMax = 4096

/** Answers by key, until their time is over; the oldest goes when there are too many. */
export class AnswerCache {
  readonly #answers = new Map<string, { readonly answer: AuthAnswer; readonly until: number }>()

  get(key: string, now: number): AuthAnswer | undefined {
    const kept = this.#answers.get(key)
    if (kept === undefined || kept.until > now) return kept?.answer
    this.#answers.delete(key)
    return undefined
  }

  /** `until` and `now` of `get` are on one clock. An answer whose time is over already is not kept. */
  set(key: string, answer: AuthAnswer, until: number): void {
    if (key.length > keyLengthMax) return
    this.#answers.delete(key)
    if (this.#answers.size >= answersMax) {
      const [oldest = ''] = this.#answers.keys()
      this.#answers.delete(oldest)
    }
    this.#answers.set(key, { answer, until })
  }
}
