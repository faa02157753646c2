import type { Registry } from 'prom-client'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { Ingress } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'

/** A table that was posted, and what it was made from. */
export interface CompiledView {
  readonly version: number
  readonly snapshot: Snapshot
  readonly served: readonly Ingress[]
  readonly findings: readonly Diagnostic[]
}

/** What a control plane has to do apart from compiling. */
export interface Duties {
  start(): Promise<void>
  /** A snapshot was compiled; its table is on its way to the workers, or theirs already. */
  compiled(view: CompiledView): void
  /** Every worker runs this version. */
  settled(version: number): void
  stop(): Promise<void>
}

/** Several as one. They start in order; what has started is stopped when one cannot. */
export function combineDuties(all: readonly Duties[]): Duties {
  const stop = async (): Promise<void> => {
    await Promise.all(all.map(async (one) => await one.stop()))
  }
  return {
    async start() {
      try {
        for (const one of all) await one.start()
      } catch (error) {
        await stop()
        throw error
      }
    },
    compiled(view) {
      for (const one of all) one.compiled(view)
    },
    settled(version) {
      for (const one of all) one.settled(version)
    },
    stop,
  }
}

/** What duties are given by the controller. */
export interface DutyContext {
  /** What the status of an Ingress shows now. */
  readonly publishedOf: (namespace: string, name: string) => readonly string[]
  readonly registry: Registry
}

/**
 * The newest view that every worker runs. Of the views that wait only the first and the last are
 * kept: however fast tables follow each other, some view settles, and memory stays bounded.
 */
export class SettledViews {
  #settled = 0
  #first: CompiledView | undefined
  #last: CompiledView | undefined

  /** The view to act upon, if that is another one now. */
  compiled(view: CompiledView): CompiledView | undefined {
    if (this.#first === undefined || this.#first.version === view.version) this.#first = view
    else this.#last = view
    return this.settled(this.#settled)
  }

  settled(version: number): CompiledView | undefined {
    this.#settled = Math.max(this.#settled, version)
    const [first, last] = [this.#first, this.#last]
    if (last !== undefined && last.version <= this.#settled) {
      this.#first = undefined
      this.#last = undefined
      return last
    }
    if (first === undefined || first.version > this.#settled) return undefined
    this.#first = last
    this.#last = undefined
    return first
  }
}
