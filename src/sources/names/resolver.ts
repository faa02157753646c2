import type { NameAnswer, NameLookup } from './lookup.ts'
import { isLocalAddress } from './local-address.ts'

/** What a resolver needs from its surroundings; injected, so that a test can play the name servers. */
export interface ResolverOptions {
  readonly lookup: NameLookup
  /** Loopback, link-local and metadata addresses are allowed. */
  readonly allowLocal: boolean
  /** Names beyond this number are not resolved. */
  readonly namesMax: number
  /** The answer for some name changed. */
  readonly onChange: () => void
  /** In [0, 1): spreads the times at which names are asked again. */
  readonly random: () => number
  /** Calls back once after `delayMs`; the result takes the call back. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void
}

/** An answer is kept for at least and at most this long, whatever its TTL says. */
const answerMsMin = 5000
const answerMsMax = 300_000
/** Waits after the first failure in a row and at most; doubled each time in between. */
const retryMsMin = 1000
const retryMsMax = 30_000

interface Name {
  readonly name: string
  addresses: readonly string[] | undefined
  problem: string
  failures: number
  cancel: (() => void) | undefined
  gone: boolean
}

/**
 * Resolves the host names that the configuration mentions, and keeps at it: A and AAAA, again when
 * the answer's time is over, the last good answer in force while name servers fail. The control
 * plane has one; workers get addresses.
 */
export class Resolver {
  readonly #options: ResolverOptions
  readonly #names = new Map<string, Name>()
  /** Names that found the resolver full. */
  refused = 0

  constructor(options: ResolverOptions) {
    this.#options = options
  }

  /** Says which names are wanted: new ones are asked for, the others forgotten. */
  want(names: Iterable<string>): void {
    const wanted = new Set(names)
    this.refused = 0
    for (const [key, name] of this.#names) if (!wanted.has(key)) this.#forget(name)
    for (const key of wanted) {
      if (this.#names.has(key)) continue
      if (this.#names.size >= this.#options.namesMax) this.refused++
      else this.#begin(key)
    }
  }

  /**
   * Addresses of a wanted name, sorted; the same array until they change. Undefined: none are known.
   * Names are lower case, without a trailing dot.
   */
  addresses(name: string): readonly string[] | undefined {
    return this.#names.get(name)?.addresses
  }

  /** Why a name has no addresses, '' when it has some or was not asked for yet. */
  problem(name: string): string {
    return this.#names.get(name)?.problem ?? ''
  }

  /** Asks no more. */
  stop(): void {
    for (const name of this.#names.values()) this.#forget(name)
  }

  #begin(key: string): void {
    const name: Name = {
      name: key,
      addresses: undefined,
      problem: '',
      failures: 0,
      cancel: undefined,
      gone: false,
    }
    this.#names.set(key, name)
    void this.#ask(name)
  }

  #forget(name: Name): void {
    name.gone = true
    name.cancel?.()
    this.#names.delete(name.name)
  }

  async #ask(name: Name): Promise<void> {
    name.cancel = undefined
    let answer: NameAnswer
    try {
      answer = await this.#options.lookup(name.name)
    } catch (error) {
      answer = { addresses: [], ttlSeconds: 0, problem: String(error) }
    }
    if (name.gone) return
    const delayMs = this.#take(name, answer)
    const jitter = 0.9 + 0.2 * this.#options.random()
    name.cancel = this.#options.schedule(() => {
      void this.#ask(name)
    }, delayMs * jitter)
  }

  /** Puts an answer in force; the result is the time until the next question, in milliseconds. */
  #take(name: Name, answer: NameAnswer): number {
    const { allowLocal, onChange } = this.#options
    const allowed = answer.addresses.filter((address) => allowLocal || !isLocalAddress(address))
    if (allowed.length === 0) {
      const refused = answer.addresses.length > 0
      const problem = refused ? 'resolves to local addresses only' : answer.problem
      const changed = name.addresses === undefined && name.problem !== problem
      name.problem = problem
      name.failures++
      if (changed) onChange()
      return Math.min(retryMsMax, retryMsMin * 2 ** (name.failures - 1))
    }
    name.failures = 0
    name.problem = ''
    const sorted = [...new Set(allowed)].toSorted()
    if (sorted.join() !== name.addresses?.join()) {
      name.addresses = sorted
      onChange()
    }
    return Math.min(answerMsMax, Math.max(answerMsMin, answer.ttlSeconds * 1000))
  }
}
