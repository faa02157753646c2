import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { join } from 'node:path'

/**
 * Watches a set of folders, each by itself: the set follows what the last walk found. A folder that
 * cannot be watched (no inotify instances left, a network file system) is left to the slow rescan.
 */
export class FolderWatch {
  readonly #top: string
  readonly #onEvent: () => void
  readonly #watchers = new Map<string, FSWatcher>()
  /** Folders that could not be watched. */
  readonly unwatched = new Set<string>()

  constructor(top: string, onEvent: () => void) {
    this.#top = top
    this.#onEvent = onEvent
  }

  /** Watches exactly these folders from now on. True when a folder was added. */
  follow(folders: readonly string[]): boolean {
    const wanted = new Set(folders)
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    let added = false
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue
      added = this.#watch(folder) || added
    }
    return added
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #watch(folder: string): boolean {
    try {
      const watcher = watch(join(this.#top, folder), () => {
        this.#onEvent()
      })
      watcher.on('error', () => {
        watcher.close()
        this.#watchers.delete(folder)
        this.#onEvent()
      })
      this.#watchers.set(folder, watcher)
      this.unwatched.delete(folder)
      return true
    } catch {
      this.unwatched.add(folder)
      return false
    }
  }
}
