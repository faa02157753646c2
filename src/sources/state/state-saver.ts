import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import type { AnyObject, Kind } from '#src/snapshot/objects.ts'
import type { Schedule } from '../schedule.ts'
import { writeState } from './write-state.ts'
import type { WrittenState } from './write-state.ts'

export interface StateSaverOptions {
  readonly folder: string
  readonly key: string
  readonly source: () => string
  readonly unreadable: () => Iterable<Kind>
  readonly writtenBy: string
  /** All objects as of now. */
  readonly objects: () => Iterable<AnyObject>
  readonly schedule: Schedule
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: Logger
}

/** After a change: how long to wait for more. */
const settleMs = 1000
/** Between two writes, and the share of the time that writing may take. */
const restMs = 10_000
const share = 20

/** Writes the state after changes: soon after the first one, then at most every ten seconds. */
export class StateSaver {
  readonly #options: StateSaverOptions
  #cancel: (() => void) | undefined
  #writing: Promise<void> | undefined
  #dirty = false
  #restMs = settleMs
  #problem = ''
  saves = 0
  failures = 0
  last: (WrittenState & { readonly savedMs: number }) | undefined

  constructor(options: StateSaverOptions) {
    this.#options = options
  }

  /** Something changed. */
  changed(): void {
    this.#dirty = true
    if (this.#writing !== undefined || this.#cancel !== undefined) return
    this.#cancel = this.#options.schedule(() => {
      this.#cancel = undefined
      this.#dirty = false
      this.#writing = this.#save()
    }, this.#restMs)
  }

  /** Resolves when nothing is being written any more. */
  async stop(): Promise<void> {
    this.#cancel?.()
    this.#dirty = false
    await this.#writing
  }

  async #save(): Promise<void> {
    const { folder, key, writtenBy, now, ...asOfNow } = this.#options
    const savedMs = now()
    const options = {
      folder,
      key,
      writtenBy,
      nowMs: savedMs,
      source: asOfNow.source(),
      unreadable: asOfNow.unreadable(),
      objects: asOfNow.objects(),
    }
    try {
      this.last = { ...(await writeState(options)), savedMs }
      this.saves++
      this.#problem = ''
    } catch (error) {
      this.failures++
      this.#report(errorText(error))
    }
    this.#restMs = Math.max(restMs, (now() - savedMs) * share)
    this.#writing = undefined
    if (this.#dirty) this.changed()
  }

  /** Once, and again when it is another problem. */
  #report(problem: string): void {
    if (problem === this.#problem) return
    this.#problem = problem
    this.#options.log.warn('the state cannot be saved', { folder: this.#options.folder, problem })
  }
}
