import { ApiError, isExpired } from '#src/kubernetes/api-error.ts'
import type { Kind } from '#src/snapshot/objects.ts'
import { WatchBroken } from './watch-lines.ts'

/** Why something failed, as a metric's label. */
export const errorReasons = [
  'expired',
  'forbidden',
  'malformed',
  'not-found',
  'server',
  'silence',
  'throttled',
  'timeout',
  'unauthorized',
  'unreachable',
] as const
export type ErrorReason = (typeof errorReasons)[number]

export const eventTypes = ['put', 'deleted', 'bookmark'] as const

/** What has happened to one kind since the start. */
export interface KindCounters {
  /** Times that everything was asked for. */
  lists: number
  /** Watches opened to go on from a known version. */
  watches: number
  /** Objects asked for by name. */
  gets: number
  readonly events: Record<(typeof eventTypes)[number], number>
  readonly errors: Record<ErrorReason, number>
}

/** Counters of every kind that is read, made on first use. */
export class Counters {
  readonly #kinds = new Map<Kind, KindCounters>()

  of(kind: Kind): KindCounters {
    let counters = this.#kinds.get(kind)
    if (counters === undefined) this.#kinds.set(kind, (counters = emptyCounters()))
    return counters
  }

  get all(): Iterable<[Kind, KindCounters]> {
    return this.#kinds
  }
}

export function emptyCounters(): KindCounters {
  const errors = Object.fromEntries(errorReasons.map((reason) => [reason, 0]))
  return {
    lists: 0,
    watches: 0,
    gets: 0,
    events: { put: 0, deleted: 0, bookmark: 0 },
    errors: errors as Record<ErrorReason, number>,
  }
}

const byStatus: Readonly<Record<number, ErrorReason>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  429: 'throttled',
}

export function reasonOf(error: unknown): ErrorReason {
  if (error instanceof WatchBroken) return 'malformed'
  if (!(error instanceof ApiError)) return 'server'
  if (isExpired(error)) return 'expired'
  if (error.status > 0) return byStatus[error.status] ?? 'server'
  if (error.reason === 'Timeout') return 'timeout'
  if (error.reason === 'Credentials') return 'unauthorized'
  return error.reason === 'Unreachable' ? 'unreachable' : 'malformed'
}
