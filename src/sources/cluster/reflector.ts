import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { ApiError, isExpired, restAfter } from '#src/kubernetes/api-error.ts'
import { errorText } from '#src/observe/log.ts'
import { reasonOf } from './counters.ts'
import type { ErrorReason, KindCounters } from './counters.ts'
import { Mirror } from './mirror.ts'
import type { MirrorOptions } from './mirror.ts'
import { listAll } from './paged-list.ts'
import { Patience } from './patience.ts'
import { readEvent } from './raw-object.ts'
import { metadataTypes, pathOf, selectorsOf } from './resources.ts'
import type { Target } from './resources.ts'
import { Backoff, pause } from './timing.ts'
import type { Timing } from './timing.ts'
import { WatchBroken, WatchLines } from './watch-lines.ts'

export interface ReflectorOptions<Item> extends MirrorOptions<Item> {
  readonly client: Pick<ApiClient, 'request' | 'watch'>
  readonly target: Target
  readonly timing: Timing
  readonly counters: KindCounters
  /** `synced` or `trouble` may have changed. */
  readonly onState: () => void
}

/** Why a reflector does not get on. */
export interface Trouble {
  readonly error: Error
  /** RBAC refuses it, or the server does not know the kind: waiting alone does not help. */
  readonly refused: boolean
  /** Failures in a row. */
  readonly failures: number
}

/** Watches end by themselves after this long, spread to the double. */
const watchSecondsMin = 300
/** Bookmarks come about every minute; a watch that is silent for longer is dead. */
const silenceMsMax = 150_000
/** The same while the first view is on its way. */
const initialSilenceMsMax = 60_000
/** A watch that lives so long is sound. */
const soundMs = 1000
/** Between watches that end without a failure, and what is enough where they live. */
const shortWatch = { firstMs: 50, maxMs: 5000 }
const soundRestMsMax = 1000
const failure = { firstMs: 250, maxMs: 30_000 }
/**
 * Before everything is listed again because of a 410: spread over all of this time, since whatever made
 * the server forget has made it forget for every replica.
 */
const relist = { firstMs: 5000, maxMs: 60_000, fullSpread: true }
/** What RBAC refuses may be granted later. */
const refusal = { firstMs: 4000, maxMs: 60_000 }
/** Streams in a row that cannot be read, before everything is listed again. */
const brokenMax = 3

/**
 * Mirrors one list of the API server: first all that there is, then changes as they come, for ever.
 *
 * The first view comes by watch-list (KEP-3157) or, where the server has none, by pages; then watches
 * go on from the last version that was told, so that nothing is missed between them. When the server
 * has forgotten that version (410), everything is listed again and compared: what was delivered stays
 * in force meanwhile, and only what differs is delivered.
 */
export class Reflector<Item> {
  readonly target: Target
  readonly #options: ReflectorOptions<Item>
  readonly #mirror: Mirror<Item>
  readonly #stopper = new AbortController()
  readonly #failures: Backoff
  readonly #refusals: Backoff
  readonly #shortWatches: Backoff
  readonly #relists: Backoff
  /** Where to go on; '': everything has to be listed. */
  #version = ''
  #byPages = false
  #broken = 0
  #synced = false
  #trouble: Trouble | undefined
  #heardAt: number | undefined
  #running: Promise<void> | undefined

  constructor(options: ReflectorOptions<Item>) {
    this.#options = options
    this.target = options.target
    this.#mirror = new Mirror(options)
    const { random } = options.timing
    this.#failures = new Backoff(failure, random)
    this.#refusals = new Backoff(refusal, random)
    this.#shortWatches = new Backoff(shortWatch, random)
    this.#relists = new Backoff(relist, random)
  }

  /** Everything was delivered at least once. */
  get synced(): boolean {
    return this.#synced
  }

  /** Undefined: the watch is on, or about to be. */
  get trouble(): Trouble | undefined {
    return this.#trouble
  }

  /** When the server last said something, on the clock of `timing`; undefined: never. */
  get heardAt(): number | undefined {
    return this.#heardAt
  }

  /** What was delivered. */
  get view(): Pick<Mirror<Item>, 'size' | 'keys' | 'versionOf'> {
    return this.#mirror
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopper.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#isStopped()) {
      let restMs: number
      try {
        restMs = await this.#round()
      } catch (error) {
        if (this.#isStopped()) return
        restMs = this.#failed(error)
      }
      await pause(restMs, this.#stopper.signal, this.#options.timing.schedule)
    }
  }

  #isStopped(): boolean {
    return this.#stopper.signal.aborted
  }

  /** One watch, with what has to go before it. Gives the rest that is due after it, in milliseconds. */
  async #round(): Promise<number> {
    const { now } = this.#options.timing
    if (this.#version === '' && this.#byPages) await this.#list()
    const startedAt = now()
    const told = await this.#follow(this.#version === '')
    const sound = told || now() - startedAt >= soundMs
    if (sound) {
      this.#sound()
      this.#relists.reset()
    }
    if (told) this.#shortWatches.reset()
    const restMs = this.#shortWatches.next()
    return sound ? Math.min(restMs, soundRestMsMax) : restMs
  }

  async #list(): Promise<void> {
    const { client, counters } = this.#options
    counters.lists++
    this.#mirror.beginFullView()
    try {
      const version = await listAll(client, this.target, {
        signal: this.#stopper.signal,
        take: (object) => {
          this.#mirror.put(object)
        },
        restart: () => {
          this.#mirror.beginFullView()
        },
      })
      this.#fullViewIsThere(version)
    } finally {
      this.#mirror.abandonFullView()
    }
  }

  /** Reads one watch to its end. True when it told anything. */
  async #follow(initial: boolean): Promise<boolean> {
    const { client, counters, timing } = this.#options
    const limit = initial ? initialSilenceMsMax : silenceMsMax
    const patience = new Patience(limit, this.#stopper.signal, timing)
    if (initial) {
      counters.lists++
      this.#mirror.beginFullView()
    } else counters.watches++
    try {
      const stream = await client.watch({
        path: pathOf(this.target.kind, this.target.namespace),
        query: this.#query(initial),
        ...(this.target.metadataOnly ? { accept: metadataTypes.object } : {}),
        signal: patience.signal,
      })
      return await this.#read(stream, patience, initial)
    } catch (error) {
      if (!patience.exhausted) throw error
      counters.errors.silence++
      // A watch that falls silent is resumed; a first view that does not come is a failure.
      if (this.#version === '') throw new WatchBroken('the first view does not come')
      return false
    } finally {
      patience.end()
      this.#mirror.abandonFullView()
    }
  }

  async #read(
    stream: AsyncIterable<Buffer>,
    patience: Patience,
    initial: boolean,
  ): Promise<boolean> {
    const lines = new WatchLines()
    let told = false
    if (!initial) this.#heard()
    for await (const piece of stream) {
      this.#heard()
      patience.heard()
      try {
        for (const document of lines.push(piece)) {
          this.#take(document)
          told = true
        }
      } finally {
        this.#mirror.flush()
      }
      if (this.#version !== '') patience.allow(silenceMsMax)
    }
    lines.end()
    if (this.#version === '') throw new WatchBroken('the first view ended early')
    return told
  }

  #query(initial: boolean): Record<string, string> {
    const { random } = this.#options.timing
    return {
      ...selectorsOf(this.target),
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(Math.floor(watchSecondsMin * (1 + random()))),
      ...(initial
        ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
        : { resourceVersion: this.#version }),
    }
  }

  #take(document: unknown): void {
    const event = readEvent(document, `WATCH ${pathOf(this.target.kind, this.target.namespace)}`)
    if (event === undefined) return
    this.#options.counters.events[event.type]++
    this.#broken = 0
    if (event.type !== 'bookmark') {
      if (event.type === 'put') this.#mirror.put(event.object)
      else this.#mirror.delete(event.object)
      // The first events come in no order of versions.
      if (this.#version !== '') this.#version = event.object.resourceVersion
    } else if (this.#version !== '') this.#version = event.version
    else if (event.initialEnd) this.#fullViewIsThere(event.version)
  }

  #fullViewIsThere(version: string): void {
    if (version === '') throw new WatchBroken('a list without resourceVersion')
    this.#version = version
    this.#mirror.endFullView()
    this.#synced = true
    this.#heard()
    this.#sound()
    this.#options.onState()
  }

  #heard(): void {
    this.#heardAt = this.#options.timing.now()
    if (this.#trouble === undefined) return
    this.#trouble = undefined
    this.#options.onState()
  }

  #sound(): void {
    this.#failures.reset()
    this.#refusals.reset()
  }

  /** Gives the rest before the next try, in milliseconds. */
  #failed(thrown: unknown): number {
    const reason = reasonOf(thrown)
    this.#options.counters.errors[reason]++
    if (this.#lacksWatchList(thrown)) {
      this.#byPages = true
      return 0
    }
    if (isExpired(thrown)) this.#version = ''
    if (thrown instanceof WatchBroken && ++this.#broken >= brokenMax) this.#version = ''
    const error = thrown instanceof Error ? thrown : new Error(errorText(thrown))
    const refused = isRefusal(reason)
    this.#trouble = { error, refused, failures: (this.#trouble?.failures ?? 0) + 1 }
    this.#options.onState()
    return restAfter(thrown, this.#backoffFor(reason).next(), this.#options.timing.random)
  }

  #backoffFor(reason: ErrorReason): Backoff {
    if (reason === 'expired') return this.#relists
    return isRefusal(reason) ? this.#refusals : this.#failures
  }

  /** Whether the first view has to come by pages, because it does not come as a watch. */
  #lacksWatchList(error: unknown): boolean {
    if (this.#version !== '' || this.#byPages) return false
    return error instanceof ApiError
      ? error.status === 400 || error.status === 422
      : error instanceof WatchBroken
  }
}

/** Waiting alone does not help. */
function isRefusal(reason: ErrorReason): boolean {
  return reason === 'forbidden' || reason === 'not-found'
}
