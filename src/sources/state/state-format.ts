import type { AnyObject, Kind } from '#src/snapshot/objects.ts'

/**
 * The state file: gzip of lines of JSON. A {@link StateHeader}, objects in any order, a
 * {@link StateTrailer}. A change of what an object looks like needs a new version.
 */
export const stateVersion = 1
export const stateFormat = 'headgate-state'
export const stateFileName = 'state.ndjson.gz'

/** What is read or written at most. Far above what the API server can hold. */
export const stateLimits = {
  /** Uncompressed. */
  textBytes: 1024 * 1024 * 1024,
  lineLength: 16 * 1024 * 1024,
}

export interface StateHeader {
  readonly format: typeof stateFormat
  readonly version: number
  /** Version of the product that wrote it. */
  readonly writtenBy: string
  /** Where the objects come from; another source's state is not used. */
  readonly source: string
  /** Milliseconds since 1970. */
  readonly savedMs: number
  /** Kinds that the source had no right to read. */
  readonly unreadable: readonly Kind[]
  /** Of the sealer; '' when no Secret is kept. */
  readonly salt: string
  readonly keyId: string
}

/** The last line. A file without it was not finished. */
export interface StateTrailer {
  /** Objects in the file. */
  readonly objects: number
  /** Secrets that were left out for want of a key. */
  readonly secretsLeftOut: number
  /** Of all lines before this one, with their line ends; hex. */
  readonly sha256: string
}

/** A Secret as a line: everything but its name is sealed. */
export interface SealedSecret {
  readonly sealed: string
  readonly namespace: string
  readonly name: string
}

export type StateLine = AnyObject | SealedSecret

/** What a state file held. */
export interface KeptState {
  readonly objects: readonly AnyObject[]
  readonly unreadable: readonly Kind[]
  readonly savedMs: number
  /** Secrets that were not kept, or cannot be opened. */
  readonly secretsLeftOut: number
}

/** A file that is not used: one line that says why. */
export class StateRefused extends Error {}

/** What a sealed Secret is bound to. */
export function placeOf(namespace: string, name: string): string {
  return `Secret ${namespace}/${name}`
}
