import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { Diagnostics } from '#src/annotations/diagnostics.ts'
import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import type { AnyObject, Kind } from '#src/snapshot/objects.ts'
import type {
  ObjectName,
  Source,
  SourceChange,
  SourceOwner,
  SourceStatus,
  Wanted,
} from '../source.ts'
import type { Schedule } from '../schedule.ts'
import { readState } from './read-state.ts'
import type { KeptState } from './state-format.ts'
import { StateRefused, stateFileName } from './state-format.ts'
import { StateSaver } from './state-saver.ts'

export interface KeptSourceOptions {
  readonly folder: string
  /** Text of the key that seals Secrets; '': they are not kept. */
  readonly key: string
  readonly writtenBy: string
  readonly owner: SourceOwner
  /** The source whose state is kept; made again when its start fails. */
  readonly create: (owner: SourceOwner) => Source
  /** All objects as of now. */
  readonly objects: () => Iterable<AnyObject>
  readonly log: Logger
  readonly schedule: Schedule
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** A source that is up so soon is not forestalled, unless it fails before: what it says is newer. */
const patienceMs = 250
/** Between two tries of a source that does not start. */
const retryMs = 1000
const rightsSettleMs = 5000
/** Kinds that a source may deliver only where they are wanted. */
const namedKinds: ReadonlySet<Kind> = new Set(['Secret', 'ConfigMap'])
const noKinds: ReadonlySet<Kind> = new Set()

/**
 * A source with a memory: what it says is kept on disk, and where it does not answer after a start, the
 * last good state is delivered in its place, until it does. The change from the one to the other is one
 * step of what differs.
 */
export class KeptSource implements Source, SourceOwner {
  readonly #options: KeptSourceOptions
  readonly #saver: StateSaver
  #source: Source
  #live = false
  #stopped = false
  #restored: KeptState | undefined
  /** What the source said before it had said everything, by kind and name. */
  #early = new Map<string, AnyObject>()
  /** Restored objects that come only where they are wanted, or may not be read now. */
  #awaited = new Map<string, ObjectName>()
  #wanted: Wanted = { secrets: [], configMaps: [] }
  #namedCame = false
  #cancelLook: (() => void) | undefined

  constructor(options: KeptSourceOptions) {
    this.#options = options
    this.#source = options.create(this)
    this.#saver = new StateSaver({
      ...options,
      source: () => this.#identity(),
      unreadable: () => this.#source.unreadable ?? noKinds,
    })
  }

  get diagnostics(): readonly Diagnostic[] {
    if (this.#live || this.#restored === undefined) return this.#source.diagnostics
    const diagnostics = new Diagnostics()
    const name = this.#source.status.description
    const place = { kind: 'State', namespace: '', name, field: '', file: stateFileName }
    diagnostics.report('state-restored', place, restoredText(this.#restored))
    return [...this.#source.diagnostics, ...diagnostics.list]
  }

  get status(): SourceStatus {
    const { status } = this.#source
    if (this.#live || this.#restored === undefined) return status
    const { savedMs, objects, secretsLeftOut } = this.#restored
    const restored = { savedAt: new Date(savedMs).toISOString(), secretsLeftOut }
    return { ...status, objects: objects.length, restored }
  }

  get unreadable(): ReadonlySet<Kind> {
    if (this.#restored !== undefined) return new Set(this.#restored.unreadable)
    return this.#source.unreadable ?? noKinds
  }

  async want(wanted: Wanted): Promise<void> {
    this.#wanted = wanted
    const there = this.#source.want?.(wanted)
    // What is restored is served without waiting for the source.
    if (this.#live || this.#restored === undefined) await there
  }

  metrics(): string {
    return this.#source.metrics?.() ?? ''
  }

  get saver(): StateSaver {
    return this.#saver
  }

  /** Resolves with the source's full view, or with the last good state where that takes too long. */
  async start(): Promise<void> {
    const started = this.#startSource()
    const state = this.#read()
    const failed = started.catch((error: unknown) => error as Error)
    const { failing } = this.#source
    const patience = Promise.race([this.#pause(patienceMs), ...(failing ? [failing] : [])])
    const first = await Promise.race([failed, Promise.all([state, patience])])
    if (this.#live) return
    const kept = await state
    if (kept === undefined) {
      await started
      return
    }
    this.#restore(kept, first instanceof Error ? first : undefined)
    void this.#goOn(failed)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelLook?.()
    await Promise.all([this.#source.stop(), this.#saver.stop()])
  }

  onChange(change: SourceChange): void {
    // Nothing in it: the source's findings have changed.
    const isNews = change.put.length + change.deleted.length > 0
    if (this.#live || !isNews) {
      for (const object of change.put) this.#awaited.delete(keyOf(nameOf(object)))
      this.#options.owner.onChange(change)
      if (isNews) this.#saver.changed()
      if (this.#awaited.size > 0) this.#lookLater()
      return
    }
    for (const name of change.deleted) this.#early.delete(keyOf(name))
    for (const object of change.put) this.#early.set(keyOf(nameOf(object)), object)
  }

  #identity(): string {
    const { kind, description } = this.#source.status
    return `${kind} ${description}`
  }

  async #startSource(): Promise<void> {
    await this.#source.start()
    if (!this.#stopped) this.#catchUp()
  }

  /** The source has said everything: what it did not say is gone. */
  #catchUp(): void {
    const put = [...this.#early.values()]
    const gone = (this.#restored?.objects ?? [])
      .map((object) => nameOf(object))
      .filter((name) => !this.#early.has(keyOf(name)))
    const denied = this.#deniedKinds()
    const isHeld = ({ kind }: ObjectName): boolean => this.#comesByName(kind) || denied.has(kind)
    const awaited = gone.filter(isHeld)
    const deleted = gone.filter((name) => !isHeld(name))
    this.#awaited = new Map(awaited.map((name) => [keyOf(name), name]))
    this.#early = new Map()
    this.#live = true
    if (this.#restored !== undefined) {
      this.#options.log.info('the source is read; the restored state is left behind', {
        source: this.#identity(),
        objects: put.length,
      })
      this.#restored = undefined
    }
    this.#options.owner.onChange({ put, deleted })
    this.#saver.changed()
    if (awaited.length > 0) void this.#awaitNamed()
  }

  async #awaitNamed(): Promise<void> {
    await this.#source.want?.(this.#wanted)
    this.#namedCame = true
    this.#dropAwaited()
  }

  /** A right that comes back brings its objects a moment later. */
  #lookLater(): void {
    this.#cancelLook?.()
    this.#cancelLook = this.#options.schedule(() => {
      this.#dropAwaited()
    }, rightsSettleMs)
  }

  /** What may be read, and has not come, is gone. What may not be read stays as it was. */
  #dropAwaited(): void {
    const denied = this.#deniedKinds()
    const deleted = [...this.#awaited.values()].filter(
      ({ kind }) => !denied.has(kind) && (this.#namedCame || !this.#comesByName(kind)),
    )
    for (const name of deleted) this.#awaited.delete(keyOf(name))
    if (deleted.length === 0 || this.#stopped) return
    this.#options.owner.onChange({ put: [], deleted })
    this.#saver.changed()
  }

  #comesByName(kind: Kind): boolean {
    return this.#source.want !== undefined && namedKinds.has(kind)
  }

  /** An API server that has just come up refuses everybody for a moment. */
  #deniedKinds(): ReadonlySet<string> {
    const denied = this.#source.diagnostics.filter(({ code }) => code === 'access-denied')
    return new Set(denied.map(({ kind }) => kind))
  }

  async #read(): Promise<KeptState | undefined> {
    const { folder, key, log } = this.#options
    try {
      return await readState({ folder, key, source: this.#identity() })
    } catch (error) {
      if (!(error instanceof StateRefused)) throw error
      const fields = { file: `${folder}/${stateFileName}`, problem: error.message }
      log.warn('the state file is ignored', fields)
      return undefined
    }
  }

  #restore(kept: KeptState, cause: Error | undefined): void {
    this.#restored = kept
    this.#options.log.warn('the last good state is served: its source cannot be read yet', {
      source: this.#identity(),
      savedAt: new Date(kept.savedMs).toISOString(),
      objects: kept.objects.length,
      secretsLeftOut: kept.secretsLeftOut,
      cause: cause === undefined ? undefined : errorText(cause),
    })
    this.#options.owner.onChange({ put: kept.objects, deleted: [] })
  }

  /** A source that gave up is made anew, again and again. */
  async #goOn(first: Promise<unknown>): Promise<void> {
    let failure = await first
    while (failure instanceof Error) {
      await this.#source.stop()
      await this.#pause(retryMs)
      if (this.#stopped) return
      this.#early = new Map()
      this.#source = this.#options.create(this)
      failure = await this.#startSource().catch((error: unknown) => error)
    }
  }

  async #pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#options.schedule(resolve, delayMs)
    })
  }
}

function restoredText({ savedMs, secretsLeftOut }: KeptState): string {
  const since = `what is served was saved at ${new Date(savedMs).toISOString()}`
  return secretsLeftOut === 0 ? since : `${since}; Secrets that are not in it: ${secretsLeftOut}`
}

function nameOf({ kind, metadata }: AnyObject): ObjectName {
  return { kind, namespace: metadata.namespace, name: metadata.name }
}

function keyOf({ kind, namespace, name }: ObjectName): string {
  return `${kind} ${namespace}/${name}`
}
