import { keyOf } from './raw-object.ts'
import type { RawObject } from './raw-object.ts'

/** What is there now: changes since the last call. */
export interface Reflection<Item> {
  readonly put: readonly Item[]
  /** Keys as `keyOf` makes them. */
  readonly deleted: readonly string[]
}

export interface MirrorOptions<Item> {
  /** Makes the slim object; undefined: it cannot be used, and what was there before stays. */
  readonly project: (object: RawObject) => Item | undefined
  readonly onChange: (change: Reflection<Item>) => void
}

/**
 * What was delivered of one list, by version alone: the objects themselves are with whoever got them.
 * A full view may be gathered while the old one stays in force; then only what differs is delivered.
 */
export class Mirror<Item> {
  readonly #options: MirrorOptions<Item>
  #versions = new Map<string, string>()
  /** Changes that are not delivered yet, the last one of each key; undefined: deleted. */
  readonly #changes = new Map<string, Item | undefined>()
  /** Versions of the full view that is being gathered. */
  #gathered: Map<string, string> | undefined

  constructor(options: MirrorOptions<Item>) {
    this.#options = options
  }

  get size(): number {
    return this.#versions.size
  }

  get keys(): Iterable<string> {
    return this.#versions.keys()
  }

  /** Version of an object as delivered; undefined: it is not there. */
  versionOf(key: string): string | undefined {
    return this.#versions.get(key)
  }

  put(object: RawObject): void {
    const key = keyOf(object)
    ;(this.#gathered ?? this.#versions).set(key, object.resourceVersion)
    // Of what is unchanged nothing needs to be read.
    if (this.#gathered !== undefined && this.#versions.get(key) === object.resourceVersion) return
    const item = this.#options.project(object)
    if (item !== undefined) this.#changes.set(key, item)
  }

  delete(object: RawObject): void {
    const key = keyOf(object)
    const versions = this.#gathered ?? this.#versions
    versions.delete(key)
    if (this.#gathered === undefined) this.#changes.set(key, undefined)
    else this.#changes.delete(key)
  }

  /** Delivers what has changed; nothing while a full view is being gathered. */
  flush(): void {
    if (this.#gathered !== undefined || this.#changes.size === 0) return
    this.#deliver()
  }

  /** From here on everything that there is will be put. */
  beginFullView(): void {
    this.#changes.clear()
    this.#gathered = new Map()
  }

  /** All that is there has been put: delivers the difference, even an empty one. */
  endFullView(): void {
    const gathered = this.#gathered ?? this.#versions
    for (const key of this.#versions.keys()) {
      if (!gathered.has(key)) this.#changes.set(key, undefined)
    }
    this.#versions = gathered
    this.#gathered = undefined
    this.#deliver()
  }

  /** The full view did not come about; the old one stays. */
  abandonFullView(): void {
    if (this.#gathered === undefined) return
    this.#gathered = undefined
    this.#changes.clear()
  }

  #deliver(): void {
    const put: Item[] = []
    const deleted: string[] = []
    for (const [key, item] of this.#changes) {
      if (item === undefined) deleted.push(key)
      else put.push(item)
    }
    this.#changes.clear()
    this.#options.onChange({ put, deleted })
  }
}
