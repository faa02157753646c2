import { isIPv4 } from 'node:net'
import { isLocalAddress } from './local-address.ts'
import type { NameAnswer, NameLookup } from './lookup.ts'

/** What a resolver needs from its surroundings; injected, so that a test can play the name servers. */
export interface ResolverOptions {
  readonly lookup: NameLookup
  /** Loopback, link-local and metadata addresses are allowed. */
  readonly allowLocal: boolean
  /** Names beyond this number are not resolved. */
  readonly namesMax: number
  /** The answer for some name changed, or a name turned out to have none. */
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
/** So many times in a row a name has to be unknown until its last addresses are given up. */
const absencesMax = 3
/** Names that are asked for at a time. */
const parallelMax = 32
/** Addresses of one name; the others are left out. */
const addressesMax = 256

interface Name {
  readonly name: string
  addresses: readonly string[] | undefined
  problem: string
  /** Questions in a row without an address in the answer. */
  failures: number
  /** Questions in a row that were answered: there is no such name. */
  absences: number
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
  /** Names that wait for their turn to be asked for. */
  readonly #waiting = new Set<Name>()
  #asking = 0
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

  /** What is wrong with the last answer for a name: '' for nothing, or before there is one. */
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
      absences: 0,
      cancel: undefined,
      gone: false,
    }
    this.#names.set(key, name)
    this.#queue(name)
  }

  #forget(name: Name): void {
    name.gone = true
    name.cancel?.()
    this.#names.delete(name.name)
    this.#waiting.delete(name)
  }

  #queue(name: Name): void {
    name.cancel = undefined
    if (this.#asking < parallelMax) void this.#ask(name)
    else this.#waiting.add(name)
  }

  async #ask(name: Name): Promise<void> {
    this.#asking++
    let answer: NameAnswer
    try {
      answer = await this.#options.lookup(name.name)
    } catch (error) {
      answer = { addresses: [], ttlSeconds: 0, problem: String(error), failed: [4, 6] }
    }
    this.#asking--
    const [next] = this.#waiting
    if (next !== undefined) {
      this.#waiting.delete(next)
      void this.#ask(next)
    }
    if (name.gone) return
    const delayMs = this.#take(name, answer)
    const jitter = 0.9 + 0.2 * this.#options.random()
    name.cancel = this.#options.schedule(() => {
      this.#queue(name)
    }, delayMs * jitter)
  }

  /** Puts an answer in force; the result is the time until the next question, in milliseconds. */
  #take(name: Name, answer: NameAnswer): number {
    const { allowLocal } = this.#options
    const allowed = answer.addresses.filter((address) => allowLocal || !isLocalAddress(address))
    if (allowed.length === 0) return this.#takeNothing(name, answer)
    name.failures = 0
    name.absences = 0
    const incomplete = (answer.failed ?? []).length > 0
    name.problem = incomplete ? answer.problem : ''
    const sorted = [...new Set([...allowed, ...keptOf(name, answer)])].toSorted()
    this.#set(name, sorted.slice(0, addressesMax))
    const ttlMs = incomplete ? 0 : answer.ttlSeconds * 1000
    return Math.min(answerMsMax, Math.max(answerMsMin, ttlMs))
  }

  /** No address came: while that may pass, the last ones stay in force. */
  #takeNothing(name: Name, { addresses, problem, failed = [] }: NameAnswer): number {
    const said = addresses.length > 0 ? 'resolves to local addresses only' : problem
    const news = name.problem !== said
    name.problem = said
    name.failures++
    name.absences = failed.length === 0 ? name.absences + 1 : 0
    if (name.absences >= absencesMax) this.#set(name, undefined)
    else if (news && name.addresses === undefined) this.#options.onChange()
    return Math.min(retryMsMax, retryMsMin * 2 ** Math.min(name.failures - 1, 16))
  }

  #set(name: Name, addresses: readonly string[] | undefined): void {
    if (addresses?.join() === name.addresses?.join()) return
    name.addresses = addresses
    this.#options.onChange()
  }
}

/** Known addresses of the families whose servers failed. */
function keptOf({ addresses = [] }: Name, { failed = [] }: NameAnswer): readonly string[] {
  return addresses.filter((address) => failed.includes(isIPv4(address) ? 4 : 6))
}
