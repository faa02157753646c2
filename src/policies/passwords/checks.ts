import { createHash } from 'node:crypto'
import { isSlow, verify, verifySlowly } from './verify.ts'

/** Results that are kept, right and wrong ones. */
const resultsMax = 4096
/** Slow checks under way; what comes on top is refused, so that guessing cannot hold up a worker for long. */
const slowMax = 16

/** What a check says at once. */
export type CheckResult = 'right' | 'wrong' | 'later' | 'busy'

type Waiting = (right: boolean) => void

/**
 * Checks passwords and remembers the results, by a digest of hash and password: a client that sends the
 * same credentials with each request costs one check, and so does one that guesses the same again.
 */
export class PasswordChecks {
  readonly #results = new Map<string, boolean>()
  readonly #underWay = new Map<string, Waiting[]>()

  /** With `later`, `done` is called once, not before this returns. */
  check(password: string, hash: string, done: Waiting): CheckResult {
    const key = createHash('sha256').update(`${hash}\0${password}`).digest('base64')
    const known = this.#results.get(key)
    if (known !== undefined) return known ? 'right' : 'wrong'
    if (!isSlow(hash)) {
      const right = verify(password, hash)
      this.#remember(key, right)
      return right ? 'right' : 'wrong'
    }
    const others = this.#underWay.get(key)
    if (others !== undefined) {
      others.push(done)
      return 'later'
    }
    if (this.#underWay.size >= slowMax) return 'busy'
    this.#underWay.set(key, [done])
    verifySlowly(password, hash, (right) => {
      this.#remember(key, right)
      const waiting = this.#underWay.get(key) ?? []
      this.#underWay.delete(key)
      for (const call of waiting) call(right)
    })
    return 'later'
  }

  #remember(key: string, right: boolean): void {
    if (this.#results.size >= resultsMax) {
      const [oldest = ''] = this.#results.keys()
      this.#results.delete(oldest)
    }
    this.#results.set(key, right)
  }
}
