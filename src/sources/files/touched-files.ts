import type { FolderEvent } from './folder-watch.ts'
import { isManifest } from './folder.ts'

interface Touch {
  readonly since: number
  /** When it was last written to in place; -Infinity: never. */
  writtenAt: number
}

export interface SettlingOptions {
  readonly now: () => number
  /** A file is being written as long as the last write is less than this ago, … */
  readonly quietMs: number
  /** … but no longer than this, so that one which is written all the time is read as well. */
  readonly writingMsMax: number
}

/** Files that are remembered one by one; more of them at once are worth a look at everything. */
const filesMax = 4096

/** Collects what events say about a folder until somebody looks. */
export class TouchedFiles {
  readonly #options: SettlingOptions
  readonly #files = new Map<string, Touch>()
  /** Something happened that only a look at everything can tell. */
  everything = false

  constructor(options: SettlingOptions) {
    this.#options = options
  }

  /** Whether there is anything to look at. */
  get any(): boolean {
    return this.everything || this.#files.size > 0
  }

  /** Notes an event. False: it is of no interest. */
  add({ folder, name, written }: FolderEvent): boolean {
    // `..data` is what a mounted ConfigMap swaps; other names with a dot are nobody's manifests.
    if (name === undefined || name.startsWith('..')) {
      this.everything = true
      return true
    }
    // What comes or goes may be a folder; what is written to is none.
    if (name.startsWith('.') || (written && !isManifest(name))) return false
    const path = folder === '' ? name : `${folder}/${name}`
    const now = this.#options.now()
    let touch = this.#files.get(path)
    if (touch === undefined) {
      if (this.#files.size >= filesMax) {
        this.everything = true
        return true
      }
      this.#files.set(path, (touch = { since: now, writtenAt: -Infinity }))
    }
    if (written) touch.writtenAt = now
    return true
  }

  /** Notes a file that is to be looked at, though no event says so. */
  addFile(path: string): void {
    const since = this.#options.now()
    if (!this.#files.has(path)) this.#files.set(path, { since, writtenAt: -Infinity })
  }

  /** Whether everything has to be looked at; asked once. */
  takeEverything(): boolean {
    const { everything } = this
    this.everything = false
    return everything
  }

  /** Takes out the files that nobody is writing to; the others stay. */
  takeSettled(): Set<string> {
    const settled = new Set<string>()
    for (const path of this.#files.keys()) {
      if (this.isBeingWritten(path)) continue
      settled.add(path)
      this.#files.delete(path)
    }
    return settled
  }

  /** A file that is replaced by another one is whole at once; one that is written to may be half done. */
  isBeingWritten(path: string): boolean {
    const touch = this.#files.get(path)
    if (touch === undefined) return false
    const { now, quietMs, writingMsMax } = this.#options
    return now() - touch.writtenAt < quietMs && now() - touch.since < writingMsMax
  }
}
