import { join } from 'node:path'
import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { Source, SourceOwner, SourceStatus } from '../source.ts'
import { systemSchedule } from '../schedule.ts'
import type { Schedule } from '../schedule.ts'
import { Burst } from './burst.ts'
import { FileView } from './file-view.ts'
import { FolderTree } from './folder-tree.ts'
import { systemWatch } from './folder-watch.ts'
import type { WatchEntries } from './folder-watch.ts'
import type { FoundFile } from './folder.ts'
import type { ParsedFile } from './parse-file.ts'
import { fileBytesMax, readManifest, systemProblem } from './read-file.ts'
import { SecondLooks } from './second-looks.ts'
import { TouchedFiles } from './touched-files.ts'

export interface FileSourceOptions {
  readonly folder: string
  readonly owner: SourceOwner
  readonly schedule?: Schedule
  readonly watchEntries?: WatchEntries
  /** Monotonic milliseconds. */
  readonly now?: () => number
  readonly filesMax?: number
  readonly fileBytesMax?: number
}

/** A burst of events is over after this much quiet, and is cut off after this length. */
const quietMs = 25
const burstMsMax = 100
/** How long a file may look half written before it is taken as it is. */
const writingMsMax = 1000
const secondLookMs = 80
/** What no event has told is found by a look at everything, at most a fiftieth of the time. */
const rescanMsMin = 5000
const rescanShare = 50
/** The same where events are known to be missing. */
const pollMsMin = 500
/** Files that are read at a time. */
const parallelMax = 16

/**
 * Objects from the manifests of a folder, watched: a change is in force within 200 ms, as one step
 * for each burst of changes. Only files that changed are read again. Whatever cannot be read, the
 * folder itself included, leaves its last good version in force.
 */
export class FileSource implements Source {
  readonly #folder: string
  readonly #owner: SourceOwner
  readonly #schedule: Schedule
  readonly #fileBytesMax: number
  readonly #view = new FileView()
  readonly #tree: FolderTree
  readonly #touched: TouchedFiles
  readonly #burst: Burst
  readonly #secondLooks: SecondLooks
  /** Which file it was whose contents the view has, by path. */
  readonly #identities = new Map<string, string>()
  #folderDiagnostics: readonly Diagnostic[] = []
  #synced = false
  #stopped = false
  #working: Promise<void> | undefined
  #cancelRescan: (() => void) | undefined

  constructor(options: FileSourceOptions) {
    const { folder, owner, schedule = systemSchedule, now = () => performance.now() } = options
    this.#folder = folder
    this.#owner = owner
    this.#schedule = schedule
    this.#fileBytesMax = options.fileBytesMax ?? fileBytesMax
    this.#touched = new TouchedFiles({ now, quietMs, writingMsMax })
    this.#burst = new Burst({
      schedule,
      quietMs,
      lengthMsMax: burstMsMax,
      onOver: () => this.#work(),
    })
    this.#secondLooks = new SecondLooks({
      schedule,
      now,
      delayMs: secondLookMs,
      patienceMs: writingMsMax,
      onDue: (paths) => {
        for (const path of paths) this.#touched.addFile(path)
        this.#work()
      },
    })
    this.#tree = new FolderTree({
      top: folder,
      filesMax: options.filesMax ?? 50_000,
      watchEntries: options.watchEntries ?? systemWatch,
      now,
      onEvent: (event) => {
        if (!this.#stopped && this.#touched.add(event)) this.#burst.event()
      },
    })
  }

  get diagnostics(): readonly Diagnostic[] {
    return [...this.#folderDiagnostics, ...this.#view.diagnostics]
  }

  get status(): SourceStatus {
    const { size } = this.#view
    return { kind: 'files', description: this.#folder, synced: this.#synced, objects: size }
  }

  /** Resolves when everything is read and `onChange` was called. Rejects when the folder cannot be read. */
  async start(): Promise<void> {
    const first = this.#readAll()
    this.#working = this.#goOnAfter(first.catch(() => undefined))
    await first
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#close()
    await this.#working
  }

  #close(): void {
    this.#stopped = true
    this.#tree.close()
    this.#burst.cancel()
    this.#secondLooks.cancel()
    this.#cancelRescan?.()
  }

  async #readAll(): Promise<void> {
    try {
      await this.#tree.walk()
      // What changed between the walk and the watch is found by a second walk.
      await this.#tree.walk()
    } catch (error) {
      this.#close()
      throw new Error(`folder ${this.#folder} ${systemProblem(error)}`, { cause: error })
    }
    await this.#update(new Set())
    this.#reportFolder(this.#tree.problem)
    this.#synced = true
    if (!this.#stopped) this.#owner.onChange(this.#view.merge())
  }

  /** One step at a time; what is touched meanwhile is for the next one. */
  #work(): void {
    this.#working ??= this.#goOnAfter(this.#step())
  }

  async #goOnAfter(step: Promise<void>): Promise<void> {
    await step
    this.#working = undefined
    if (this.#stopped) return
    if (this.#touched.any) this.#burst.event()
    this.#rescanLater()
  }

  async #step(): Promise<void> {
    const paths = this.#touched.takeSettled()
    let everything = this.#touched.takeEverything()
    everything = everything || !(await this.#tree.lookAt(paths))
    let problem = ''
    try {
      // A new folder may have got files before it was watched.
      if (everything && (await this.#tree.walk())) this.#touched.everything = true
    } catch (error) {
      problem = systemProblem(error)
    }
    let different = problem === '' && (await this.#update(paths))
    different = this.#reportFolder(problem || this.#tree.problem) || different
    if (different && !this.#stopped) this.#owner.onChange(this.#view.merge())
  }

  /** Brings the view up to what is there; `touched` are read whatever they look like. */
  async #update(touched: ReadonlySet<string>): Promise<boolean> {
    const files = [...this.#tree.files.values()].filter(
      ({ path, stamp }) =>
        (touched.has(path) || this.#view.stampOf(path) !== stamp) &&
        !this.#touched.isBeingWritten(path),
    )
    let different = false
    for (let at = 0; at < files.length && !this.#stopped; at += parallelMax) {
      const some = files.slice(at, at + parallelMax)
      const parsed = await Promise.all(some.map(async (file) => await this.#read(file)))
      for (const [i, file] of some.entries()) {
        different = this.#take(file, parsed[i] as ParsedFile) || different
      }
    }
    return this.#dropMissing() || different
  }

  async #read({ path }: FoundFile): Promise<ParsedFile> {
    const location = join(this.#folder, path)
    return await readManifest(location, path, this.#fileBytesMax, this.#view.parsedOf(path))
  }

  /** Takes a version of a file over, unless it may be half written. True when that changes something. */
  #take({ path, stamp, identity }: FoundFile, parsed: ParsedFile): boolean {
    // A file that took another's place was complete when it did.
    const inPlace = this.#identities.get(path) === identity
    const odd = !parsed.ok || (inPlace && this.#view.loses(path, parsed))
    const known = this.#view.stampOf(path) === stamp
    if (this.#synced && odd && !known && this.#secondLooks.defers(path, stamp)) return false
    this.#secondLooks.forget(path)
    this.#identities.set(path, identity)
    return this.#view.set(path, stamp, parsed)
  }

  /** Forgets files that are gone, and not only about to be replaced or moved. */
  #dropMissing(): boolean {
    let any = false
    for (const path of this.#view.paths) {
      if (this.#tree.files.has(path) || this.#tree.mayHold(path)) continue
      if (this.#view.loses(path) && this.#secondLooks.defers(path, 'gone')) continue
      this.#secondLooks.forget(path)
      this.#identities.delete(path)
      any = this.#view.delete(path) || any
    }
    return any
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
    const blind = this.#tree.blind || this.#folderDiagnostics.length > 0
    const delayMs = Math.max(blind ? pollMsMin : rescanMsMin, this.#tree.walkMs * rescanShare)
    this.#cancelRescan = this.#schedule(() => {
      this.#touched.everything = true
      this.#work()
    }, delayMs)
  }
}
