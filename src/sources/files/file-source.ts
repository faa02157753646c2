import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Source, SourceOwner, SourceStatus } from '../source.ts'
import { FileView } from './file-view.ts'
import { FolderWatch } from './folder-watch.ts'
import { walkFolder } from './folder.ts'
import type { FoundFile, FoundFolder } from './folder.ts'
import { parseFile } from './parse-file.ts'
import type { ParsedFile } from './parse-file.ts'

/** Calls back once after `delayMs`; the result takes the call back. */
export type Schedule = (callback: () => void, delayMs: number) => () => void

export const systemSchedule: Schedule = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs)
  return () => {
    clearTimeout(timer)
  }
}

export interface FileSourceOptions {
  readonly folder: string
  readonly owner: SourceOwner
  readonly schedule?: Schedule
  readonly filesMax?: number
  readonly fileBytesMax?: number
}

/** A burst of events is over when nothing has come for this long, … */
const quietMs = 30
/** … and is cut off after this long, so that a constant stream of writes is applied as well. */
const burstMsMax = 100
/** A file that cannot be read may be half written: it gets a second look before it counts as broken. */
const secondLookMs = 80
/** What no event has told is found by a look at everything. */
const rescanMs = 5000

/**
 * Objects from the manifests of a folder, watched: a change is in force within 200 ms, as one step
 * for each burst of changes. Only files that changed are read again.
 */
export class FileSource implements Source {
  readonly #folder: string
  readonly #owner: SourceOwner
  readonly #schedule: Schedule
  readonly #filesMax: number
  readonly #fileBytesMax: number
  readonly #view = new FileView()
  readonly #watch: FolderWatch
  readonly #suspects = new Set<string>()
  #folderDiagnostics: readonly Diagnostic[] = []
  #synced = false
  #stopped = false
  #scanning = false
  #scanAgain = false
  #burstStarted = false
  #cancelQuiet: (() => void) | undefined
  #cancelBurst: (() => void) | undefined
  #cancelRescan: (() => void) | undefined

  constructor(options: FileSourceOptions) {
    this.#folder = options.folder
    this.#owner = options.owner
    this.#schedule = options.schedule ?? systemSchedule
    this.#filesMax = options.filesMax ?? 50_000
    this.#fileBytesMax = options.fileBytesMax ?? 16 * 1024 * 1024
    this.#watch = new FolderWatch(options.folder, () => {
      this.#event()
    })
  }

  get diagnostics(): readonly Diagnostic[] {
    return [...this.#folderDiagnostics, ...this.#view.diagnostics]
  }

  get status(): SourceStatus {
    return {
      kind: 'files',
      description: this.#folder,
      synced: this.#synced,
      objects: this.#view.size,
    }
  }

  /** Rejects when the folder cannot be read. */
  async start(): Promise<void> {
    const found = await walkFolder(this.#folder, this.#filesMax)
    this.#watch.follow(found.folders)
    // What changed between the walk and the watch is found by a second walk.
    await this.#apply(await walkFolder(this.#folder, this.#filesMax), false)
    this.#synced = true
    this.#rescanLater()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#watch.close()
    this.#cancelQuiet?.()
    this.#cancelBurst?.()
    this.#cancelRescan?.()
    await Promise.resolve()
  }

  #event(): void {
    if (this.#stopped) return
    this.#cancelQuiet?.()
    this.#cancelQuiet = this.#schedule(() => {
      this.#burstOver()
    }, quietMs)
    if (this.#burstStarted) return
    this.#burstStarted = true
    this.#cancelBurst = this.#schedule(() => {
      this.#burstOver()
    }, burstMsMax)
  }

  #burstOver(): void {
    this.#cancelQuiet?.()
    this.#cancelBurst?.()
    this.#burstStarted = false
    void this.#scan()
  }

  async #scan(): Promise<void> {
    if (this.#scanning) {
      this.#scanAgain = true
      return
    }
    this.#scanning = true
    await this.#scanOnce()
    this.#scanning = false
    if (this.#stopped) return
    if (this.#scanAgain) {
      this.#scanAgain = false
      void this.#scan()
    } else {
      this.#rescanLater()
    }
  }

  async #scanOnce(): Promise<void> {
    let found: FoundFolder
    try {
      found = await walkFolder(this.#folder, this.#filesMax)
    } catch (error) {
      // The folder is gone or unreadable: what it held stays in force.
      this.#reportFolder(messageOf(error))
      this.#owner.onChange({ put: [], deleted: [] })
      return
    }
    if (this.#stopped) return
    // A new folder may have got its files before it was watched.
    if (this.#watch.follow(found.folders)) this.#scanAgain = true
    await this.#apply(found, true)
  }

  async #apply(found: FoundFolder, patient: boolean): Promise<void> {
    const changed = found.files.filter(({ path, stamp }) => this.#view.stampOf(path) !== stamp)
    const parsed = await Promise.all(changed.map((file) => this.#read(file)))
    if (this.#stopped) return
    let different = false
    for (const [i, file] of changed.entries()) {
      const result = parsed[i] as ParsedFile
      if (!result.ok && patient && this.#deferred(file.path)) continue
      this.#suspects.delete(file.path)
      this.#view.set(file.path, file.stamp, result)
      different = true
    }
    const gone = this.#view.retain(new Set(found.files.map(({ path }) => path)))
    const problem = found.omitted > 0 ? `${found.omitted} files are too many or too deep` : ''
    const folderChanged = this.#reportFolder(problem)
    if (different || gone || folderChanged || !this.#synced)
      this.#owner.onChange(this.#view.merge())
  }

  /** Whether a file that cannot be read gets a second look; true once a version. */
  #deferred(path: string): boolean {
    if (this.#suspects.has(path)) return false
    this.#suspects.add(path)
    this.#schedule(() => {
      if (!this.#stopped) void this.#scan()
    }, secondLookMs)
    return true
  }

  async #read({ path, size }: FoundFile): Promise<ParsedFile> {
    if (size > this.#fileBytesMax) {
      return { ok: false, problem: `is larger than ${this.#fileBytesMax} bytes` }
    }
    try {
      return parseFile(await readFile(join(this.#folder, path), 'utf8'), path)
    } catch (error) {
      return { ok: false, problem: messageOf(error) }
    }
  }

  /** Notes what is wrong with the folder as a whole, '' for nothing. True when that is new. */
  #reportFolder(problem: string): boolean {
    if ((this.#folderDiagnostics[0]?.message ?? '') === problem) return false
    const diagnostics = new Diagnostics()
    const place = { kind: 'Folder', namespace: '', name: this.#folder, field: '', file: '' }
    if (problem !== '') diagnostics.report('file-unreadable', place, problem)
    this.#folderDiagnostics = diagnostics.list
    return true
  }

  #rescanLater(): void {
    this.#cancelRescan?.()
    if (this.#stopped) return
    this.#cancelRescan = this.#schedule(() => {
      void this.#scan()
    }, rescanMs)
  }
}

/** A system error's code, without the path of the machine. */
function messageOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? `cannot be read: ${code}` : 'cannot be read'
}
