import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { isForbidden, isNotFound, restAfter } from '#src/kubernetes/api-error.ts'
import type { Kind } from '#src/snapshot/objects.ts'
import { reasonOf } from './counters.ts'
import type { KindCounters } from './counters.ts'
import { listAll } from './paged-list.ts'
import { keyOf, readObject } from './raw-object.ts'
import type { RawObject } from './raw-object.ts'
import { allOf, pathOfOne } from './resources.ts'
import { Backoff, pause } from './timing.ts'
import type { Timing } from './timing.ts'

export interface ObjectFetcherOptions {
  readonly client: Pick<ApiClient, 'request'>
  readonly kind: Kind
  /** Where all that is fetched lies; '' for everywhere. */
  readonly namespace: string
  readonly timing: Timing
  readonly counters: KindCounters
  /** Whether the object is still to be fetched when its turn has come. */
  readonly isDue: (key: string) => boolean
  readonly onFetched: (key: string, object: RawObject) => void
  /** It is not there. */
  readonly onMissing: (key: string) => void
  /** Nothing is left to do, or RBAC refuses something. */
  readonly onState: () => void
}

/** Requests under way at the same time. */
const parallelMax = 8
/** From so many on, those of the usual type are fetched with a list. */
const bulkMin = 100
/** Types whose objects are nearly all referenced, by kind. */
const bulkSelectors: { readonly [K in Kind]?: string } = {
  Secret: 'type=kubernetes.io/tls',
}
const failure = { firstMs: 250, maxMs: 30_000 }
const refusal = { firstMs: 4000, maxMs: 60_000 }

/**
 * Fetches single objects, a few at a time, again and again until they are there or known not to be.
 * Many at once come with a list of their usual type, as far as they are in it.
 */
export class ObjectFetcher {
  readonly #options: ObjectFetcherOptions
  readonly #stopper = new AbortController()
  readonly #failures: Backoff
  readonly #refusals: Backoff
  readonly #queue = new Set<string>()
  /** Refused by RBAC; they have their turn again later. */
  readonly #refused = new Set<string>()
  #working = false
  /** What has gone wrong in this round, the last of it. */
  #failure: unknown

  constructor(options: ObjectFetcherOptions) {
    this.#options = options
    const { random } = options.timing
    this.#failures = new Backoff(failure, random)
    this.#refusals = new Backoff(refusal, random)
  }

  /** Everything that was asked for is there, missing, or refused. */
  get settled(): boolean {
    return !this.#working
  }

  get refused(): ReadonlySet<string> {
    return this.#refused
  }

  fetch(keys: Iterable<string>): void {
    for (const key of keys) this.#queue.add(key)
    if (this.#working || this.#queue.size === 0 || this.#isStopped()) return
    this.#working = true
    void this.#work()
  }

  /** It is not wanted any more. */
  forget(key: string): void {
    this.#queue.delete(key)
    this.#refused.delete(key)
  }

  stop(): void {
    this.#stopper.abort()
    this.#queue.clear()
  }

  async #work(): Promise<void> {
    const { kind, timing, onState } = this.#options
    const selector = bulkSelectors[kind]
    while (this.#queue.size > 0 && !this.#isStopped()) {
      this.#failure = undefined
      if (selector !== undefined && this.#queue.size >= bulkMin) await this.#fetchMany(selector)
      const turns = Array.from({ length: parallelMax }, () => this.#fetchInTurn())
      const allWell = (await Promise.all(turns)).every(Boolean)
      if (!allWell) {
        const restMs = restAfter(this.#failure, this.#failures.next(), timing.random)
        await pause(restMs, this.#stopper.signal, timing.schedule)
      } else this.#failures.reset()
    }
    this.#working = false
    if (!this.#isStopped()) onState()
  }

  /** Takes what is next in the queue until it is empty or something fails; true when nothing has. */
  async #fetchInTurn(): Promise<boolean> {
    for (;;) {
      const [key] = this.#queue
      if (key === undefined || this.#failure !== undefined) return this.#failure === undefined
      this.#queue.delete(key)
      if (this.#options.isDue(key)) await this.#fetchOne(key)
    }
  }

  async #fetchOne(key: string): Promise<void> {
    const { client, kind, counters, onFetched, onMissing } = this.#options
    const slash = key.indexOf('/')
    const path = pathOfOne(kind, key.slice(0, slash), key.slice(slash + 1))
    counters.gets++
    try {
      const { signal } = this.#stopper
      onFetched(key, readObject(await client.request({ method: 'GET', path, signal })))
    } catch (error) {
      if (this.#isStopped()) return
      if (isNotFound(error)) {
        onMissing(key)
        return
      }
      counters.errors[reasonOf(error)]++
      if (isForbidden(error)) this.#refuse(key)
      else {
        this.#failure = error
        this.#queue.add(key)
      }
    }
  }

  /** What the list does not hold stays in the queue. */
  async #fetchMany(fieldSelector: string): Promise<void> {
    const { client, kind, namespace, counters, isDue, onFetched } = this.#options
    const target = { ...allOf(kind, namespace), fieldSelector }
    counters.lists++
    try {
      await listAll(client, target, {
        signal: this.#stopper.signal,
        take: (object) => {
          const key = keyOf(object)
          if (this.#queue.delete(key) && isDue(key)) onFetched(key, object)
        },
        restart: () => {},
      })
    } catch (error) {
      // One by one it goes on, as far as it does.
      if (!this.#isStopped()) counters.errors[reasonOf(error)]++
    }
  }

  #refuse(key: string): void {
    this.#refused.add(key)
    if (this.#refused.size === 1) void this.#askRefusedAgain()
  }

  async #askRefusedAgain(): Promise<void> {
    await pause(this.#refusals.next(), this.#stopper.signal, this.#options.timing.schedule)
    const keys = [...this.#refused]
    this.#refused.clear()
    this.fetch(keys)
  }

  #isStopped(): boolean {
    return this.#stopper.signal.aborted
  }
}
