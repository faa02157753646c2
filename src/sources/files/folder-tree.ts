import type { FolderEvent, WatchEntries } from './folder-watch.ts'
import { FolderWatch } from './folder-watch.ts'
import { lookUp, walkFolder } from './folder.ts'
import type { FoundFile, WalkedFolder } from './folder.ts'

export interface FolderTreeOptions {
  readonly top: string
  readonly filesMax: number
  readonly onEvent: (event: FolderEvent) => void
  readonly watchEntries: WatchEntries
  readonly now: () => number
}

/** What is known of a folder and everything below it, and the watch that says when to look again. */
export class FolderTree {
  readonly #options: FolderTreeOptions
  readonly #watch: FolderWatch
  #files = new Map<string, FoundFile>()
  #folders = new Map<string, WalkedFolder>()
  #omitted = 0
  /** How long the last walk took. */
  walkMs = 0

  constructor(options: FolderTreeOptions) {
    this.#options = options
    this.#watch = new FolderWatch(options.top, options.onEvent, options.watchEntries)
  }

  /** Manifests, by path. */
  get files(): ReadonlyMap<string, FoundFile> {
    return this.#files
  }

  /** Whether changes may happen that no event tells of. */
  get blind(): boolean {
    return this.#watch.incomplete
  }

  /** What of the folder is not known, '' for nothing. */
  get problem(): string {
    for (const { path, problem } of this.#folders.values()) {
      if (problem !== '') return `its folder ${path} cannot be read (${problem})`
    }
    return this.#omitted === 0 ? '' : `${this.#omitted} files or folders are beyond the limits`
  }

  /** Looks at everything. True when folders came that were not watched until now. Rejects as `walkFolder`. */
  async walk(): Promise<boolean> {
    const { top, filesMax, now } = this.#options
    const startedAt = now()
    const { files, folders, omitted } = await walkFolder(top, filesMax)
    this.walkMs = now() - startedAt
    this.#files = new Map(files.map((file) => [file.path, file]))
    this.#folders = new Map(folders.map((folder) => [folder.path, folder]))
    this.#omitted = omitted
    return this.#watch.follow(folders)
  }

  /** Looks at some paths. False: a folder came or went, or a limit counts, so that takes a walk. */
  async lookAt(paths: Iterable<string>): Promise<boolean> {
    const { top, filesMax } = this.#options
    for (const path of paths) {
      const found = await lookUp(top, path)
      if (found === 'folder' || this.#folders.has(path) || this.#omitted > 0) return false
      if (found === undefined) this.#files.delete(path)
      else this.#files.set(path, found)
    }
    return this.#files.size <= filesMax
  }

  /** Whether a path that was not found may be there all the same, in a folder that cannot be read. */
  mayHold(path: string): boolean {
    for (const folder of this.#folders.values()) {
      if (folder.problem !== '' && path.startsWith(`${folder.path}/`)) return true
    }
    return false
  }

  close(): void {
    this.#watch.close()
  }
}
