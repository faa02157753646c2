import { watch } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { WalkedFolder } from './folder.ts'

/** Something happened to an entry of a folder; both paths are relative to the top. */
export interface FolderEvent {
  readonly folder: string
  /** Undefined: to some entry, or to the folder itself. */
  readonly name: string | undefined
  /** The contents of a file changed; otherwise an entry came, went or was replaced. */
  readonly written: boolean
}

/** What is used of a watcher of `node:fs`. */
export interface EntryWatcher {
  close(): void
  on(event: 'error', listener: () => void): unknown
}

/** Watches the entries of one folder; throws when that is not possible. */
export type WatchEntries = (
  folder: string,
  onEvent: (type: 'rename' | 'change', name: string | null) => void,
) => EntryWatcher

/** inotify, on Linux. */
export const systemWatch: WatchEntries = (folder, onEvent) => watch(folder, onEvent)

interface Watched {
  readonly identity: string
  readonly watcher: EntryWatcher
}

/**
 * Watches a set of folders, each by itself: the set follows what the last walk
 * found. A folder that is replaced by another of its name is watched anew. One that cannot be watched
 * (limit of inotify reached, a network file system) is left to the rescan of the owner.
 */
export class FolderWatch {
  readonly #top: string
  readonly #onEvent: (event: FolderEvent) => void
  readonly #watchEntries: WatchEntries
  readonly #watched = new Map<string, Watched>()
  /** Of the folder above, where the top itself is replaced, if it is or was a link. */
  #above: EntryWatcher | undefined
  #failed = 0

  constructor(top: string, onEvent: (event: FolderEvent) => void, watchEntries: WatchEntries) {
    this.#top = resolve(top)
    this.#onEvent = onEvent
    this.#watchEntries = watchEntries
  }

  /** Whether some folder could not be watched. */
  get incomplete(): boolean {
    return this.#failed > 0
  }

  /** Watches exactly these folders from now on. True when one was added or replaced. */
  follow(folders: readonly WalkedFolder[]): boolean {
    const wanted = new Map(folders.map((folder) => [folder.path, folder]))
    for (const [path, { identity, watcher }] of this.#watched) {
      if (wanted.get(path)?.identity === identity) continue
      watcher.close()
      this.#watched.delete(path)
    }
    this.#failed = 0
    this.#above ??= this.#watchAbove()
    let added = false
    for (const { path, identity } of wanted.values()) {
      if (this.#watched.has(path)) continue
      const watcher = this.#open(join(this.#top, path), (written, name) => {
        this.#tell(path, name, written)
      })
      if (watcher === undefined) this.#failed++
      else this.#watched.set(path, { identity, watcher })
      added = added || watcher !== undefined
      watcher?.on('error', () => {
        watcher.close()
        if (this.#watched.get(path)?.watcher === watcher) this.#watched.delete(path)
        this.#tell(path, undefined, false)
      })
    }
    return added
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close()
    this.#watched.clear()
    this.#above?.close()
    this.#above = undefined
  }

  #watchAbove(): EntryWatcher | undefined {
    const watcher = this.#open(dirname(this.#top), (written, name) => {
      if (name === undefined || name === basename(this.#top)) this.#tell('', undefined, written)
    })
    watcher?.on('error', () => {
      watcher.close()
    })
    return watcher
  }

  #open(
    folder: string,
    onEvent: (written: boolean, name: string | undefined) => void,
  ): EntryWatcher | undefined {
    try {
      return this.#watchEntries(folder, (type, name) => {
        onEvent(type === 'change', name ?? undefined)
      })
    } catch {
      return undefined
    }
  }

  #tell(folder: string, name: string | undefined, written: boolean): void {
    this.#onEvent({ folder, name, written })
  }
}
