import type { ApiClient } from '#src/kubernetes/api-client.ts'
import type { ConfigMap, Kind, Secret } from '#src/snapshot/objects.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { KindCounters } from './counters.ts'
import { ObjectFetcher } from './object-fetcher.ts'
import { keyOf } from './raw-object.ts'
import type { RawObject } from './raw-object.ts'
import { Reflector } from './reflector.ts'
import type { Trouble } from './reflector.ts'
import { allOf, oneOf } from './resources.ts'
import type { Target } from './resources.ts'
import type { Timing } from './timing.ts'

export type NamedObject = Secret | ConfigMap

export interface NamedScopeOptions {
  readonly client: ApiClient
  readonly kind: 'Secret' | 'ConfigMap'
  /** All names lie here; '' for everywhere. */
  readonly namespace: string
  /** RBAC is asked for single objects only, however many they are. */
  readonly singlesOnly: boolean
  readonly timing: Timing
  readonly counters: KindCounters
  /** Shared by all scopes of the kind. */
  readonly budget: ByteBudget
  readonly project: (kind: Kind, object: RawObject) => NamedObject | undefined
  /** `deleted` are keys; they may name what was never there. */
  readonly onChange: (put: readonly NamedObject[], deleted: readonly string[]) => void
  readonly onState: () => void
}

/** Up to so many objects each have a watch of their own, which needs the fewest rights. */
const singlesMax = 16
/** The same where a list of all is refused. */
const refusedSinglesMax = 256

/**
 * Objects that are wanted by name. Few have a watch each. For many, one watch tells names and versions
 * of all objects there (PartialObjectMetadata), and those that are wanted are fetched when their version
 * is a new one: what nobody refers to never leaves the API server.
 */
export class NamedScope {
  readonly #options: NamedScopeOptions
  readonly #singles = new Map<string, Reflector<NamedObject>>()
  /** Wanted, and past every bound. */
  readonly #leftOut = new Set<string>()
  #wanted: ReadonlySet<string> = new Set()
  #all: Reflector<string> | undefined
  #fetcher: ObjectFetcher | undefined
  /** Versions of what was delivered by the fetcher. */
  readonly #held = new Map<string, string>()

  constructor(options: NamedScopeOptions) {
    this.#options = options
  }

  /** All that is wanted is delivered, missing, refused or left out. */
  get settled(): boolean {
    if (this.#all?.synced === true) return this.#fetcher?.settled === true
    if (this.#all !== undefined && this.#all.trouble?.refused !== true) return false
    return [...this.#singles.values()].every((one) => one.synced || one.trouble?.refused === true)
  }

  get leftOut(): ReadonlySet<string> {
    return this.#leftOut
  }

  /** Keys of objects that RBAC does not let us read. */
  get refusedObjects(): ReadonlySet<string> {
    return this.#fetcher?.refused ?? none
  }

  get reflectors(): readonly { readonly target: Target; readonly trouble: Trouble | undefined }[] {
    const singles = [...this.#singles.values()]
    return this.#all === undefined ? singles : [this.#all, ...singles]
  }

  /** When the server was last heard; undefined: never, or nothing is wanted. */
  get heardAt(): number | undefined {
    if (this.#all?.synced === true) return this.#all.heardAt
    const times = [...this.#singles.values()].map(({ heardAt }) => heardAt ?? 0)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** What is wanted from now on, by key; what is not wanted any more is taken back. */
  want(keys: ReadonlySet<string>): void {
    const before = this.#wanted
    this.#wanted = keys
    const dropped = [...before].filter((key) => !keys.has(key))
    const added = [...keys].filter((key) => !before.has(key))
    for (const key of dropped) this.#drop(key)
    if (dropped.length > 0) this.#options.onChange([], dropped)
    if (keys.size > singlesMax && !this.#options.singlesOnly) this.#startAll()
    if (this.#all?.synced === true) this.#compareVersions(added)
    else this.#startSingles()
  }

  async stop(): Promise<void> {
    this.#fetcher?.stop()
    const singles = [...this.#singles.values()].map((one) => one.stop())
    await Promise.all([...singles, this.#all?.stop()])
  }

  /** There may be room for it now. */
  again(key: string): void {
    if (!this.#wanted.has(key)) return
    this.#held.delete(key)
    if (this.#all?.synced === true) this.#compareVersions([key])
    else if (this.#singles.has(key)) {
      this.#stopSingle(key)
      this.#startSingle(key)
    }
  }

  #drop(key: string): void {
    this.#options.budget.release(key)
    this.#held.delete(key)
    this.#leftOut.delete(key)
    this.#fetcher?.forget(key)
    this.#stopSingle(key)
  }

  #stopSingle(key: string): void {
    void this.#singles.get(key)?.stop()
    this.#singles.delete(key)
  }

  /** Watches for what is wanted and has none, as far as the bound allows. */
  #startSingles(): void {
    // The answer to the watch of all is awaited first, unless it is known.
    if (this.#all !== undefined && this.#all.trouble?.refused !== true) return
    for (const key of this.#wanted) {
      if (this.#singles.has(key)) continue
      if (this.#singles.size < refusedSinglesMax) {
        this.#leftOut.delete(key)
        this.#startSingle(key)
      } else this.#leftOut.add(key)
    }
  }

  #startSingle(key: string): void {
    const { client, kind, timing, counters, project, onState } = this.#options
    const slash = key.indexOf('/')
    const reflector = new Reflector<NamedObject>({
      client,
      target: oneOf(kind, key.slice(0, slash), key.slice(slash + 1)),
      timing,
      counters,
      project: (object) => project(kind, object),
      onChange: ({ put, deleted }) => {
        // A watch that is about to end may still tell something.
        if (this.#singles.get(key) === reflector) this.#deliver(put, deleted)
      },
      onState,
    })
    this.#singles.set(key, reflector)
    reflector.start()
  }

  #startAll(): void {
    if (this.#all !== undefined) return
    const { client, kind, namespace, timing, counters } = this.#options
    this.#fetcher = new ObjectFetcher({
      client,
      kind,
      namespace,
      timing,
      counters,
      isDue: (key) => this.#isDue(key),
      onFetched: (key, object) => {
        this.#fetched(key, object)
      },
      onMissing: (key) => {
        this.#held.delete(key)
        this.#deliver([], [key])
      },
      onState: this.#options.onState,
    })
    this.#all = new Reflector<string>({
      client,
      target: { ...allOf(kind, namespace), metadataOnly: true },
      timing,
      counters,
      project: keyOf,
      onChange: ({ put, deleted }) => {
        this.#compareVersions([...put, ...deleted])
      },
      onState: () => {
        this.#onStateOfAll()
      },
    })
    this.#all.start()
  }

  #onStateOfAll(): void {
    if (this.#all?.synced === true) {
      for (const key of this.#singles.keys()) this.#stopSingle(key)
      this.#leftOut.clear()
      this.#compareVersions(this.#wanted)
    } else this.#startSingles()
    this.#options.onState()
  }

  /** Fetches those that are wanted and of another version than ours; those that are gone are taken back. */
  #compareVersions(keys: Iterable<string>): void {
    const due: string[] = []
    const gone: string[] = []
    for (const key of keys) {
      if (!this.#wanted.has(key)) continue
      if (this.#isDue(key)) due.push(key)
      else if (this.#all?.view.versionOf(key) === undefined) {
        this.#held.delete(key)
        gone.push(key)
      }
    }
    if (gone.length > 0) this.#deliver([], gone)
    this.#fetcher?.fetch(due)
  }

  #isDue(key: string): boolean {
    const version = this.#all?.view.versionOf(key)
    return this.#wanted.has(key) && version !== undefined && version !== this.#held.get(key)
  }

  #fetched(key: string, object: RawObject): void {
    if (!this.#wanted.has(key)) return
    // The watch may be behind: what it tells next is then known already.
    this.#held.set(key, object.resourceVersion)
    const made = this.#options.project(this.#options.kind, object)
    if (made !== undefined) this.#deliver([made], [])
  }

  /** What there is no room for is as if it were not there. */
  #deliver(put: readonly NamedObject[], deleted: readonly string[]): void {
    const { budget, onChange, onState } = this.#options
    const before = budget.leftOut
    for (const key of deleted) budget.release(key)
    const held: NamedObject[] = []
    const leftOut: string[] = []
    for (const object of put) {
      const key = keyOf(object.metadata)
      if (budget.admit(key, sizeOf(object))) held.push(object)
      else leftOut.push(key)
    }
    onChange(held, [...deleted, ...leftOut])
    if (budget.leftOut !== before) onState()
  }
}

const none: ReadonlySet<string> = new Set()

function sizeOf({ data, metadata }: NamedObject): number {
  let size = 0
  for (const texts of [data, metadata.annotations, metadata.labels]) {
    for (const [key, text] of Object.entries(texts)) size += key.length + text.length
  }
  return size
}
