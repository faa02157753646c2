import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { Compiler } from './compiler.ts'
import type { Compiled } from './compiler.ts'
import type { CertificateReaders, CompileSettings } from './settings.ts'

/** What a compilation needs that it may not get for itself. */
export interface CompileInputs extends CertificateReaders {
  /** The time, in milliseconds since 1970, by which certificates count as expired. */
  readonly nowMs: number
}

/**
 * Snapshot in; table, findings and references out. No clock, no I/O, no state: the same arguments
 * give the same result. For snapshot after snapshot, a `Compiler` does the same for less.
 */
export function compile(
  snapshot: Snapshot,
  settings: CompileSettings,
  { nowMs, ...readers }: CompileInputs,
): Compiled {
  return new Compiler(settings, readers).compile(snapshot, nowMs)
}
