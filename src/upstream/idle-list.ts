import { Http1ClientSession } from '#src/http1/client-session.ts'
import type { Http1ClientOwner } from '#src/http1/client-session.ts'
import type { Http1ClientOptions } from '#src/http1/options.ts'
import type { LastResponse } from '#src/http1/response-head-reader.ts'

/** What a connection reports to: its pool. */
export interface EntryOwner {
  onIdle(entry: IdleEntry): void
  /** Exactly once. */
  onGone(entry: IdleEntry): void
}

/**
 * A connection in its pool, and in the list of all idle ones of the worker. It stands between its session and
 * the pool, which need not look for it with every request.
 */
export class IdleEntry implements Http1ClientOwner {
  readonly session: Http1ClientSession
  /** Monotonic milliseconds when the connection was opened, and when it last became idle. */
  readonly openedAt: number
  idleSince = 0
  next: IdleEntry | undefined
  previous: IdleEntry | undefined
  listed = false
  readonly #owner: EntryOwner

  constructor(
    owner: EntryOwner,
    options: Http1ClientOptions,
    openedAt: number,
    last: LastResponse,
  ) {
    this.#owner = owner
    this.openedAt = openedAt
    this.session = new Http1ClientSession(this, options, last)
  }

  onIdle(): void {
    this.#owner.onIdle(this)
  }

  onGone(): void {
    this.#owner.onGone(this)
  }
}

/** All idle upstream connections of a worker, the longest idle first. */
export class IdleList {
  #first: IdleEntry | undefined
  #last: IdleEntry | undefined
  size = 0

  /** The connection that has been idle longest. */
  get oldest(): IdleEntry | undefined {
    return this.#first
  }

  add(entry: IdleEntry): void {
    entry.listed = true
    entry.previous = this.#last
    entry.next = undefined
    if (this.#last === undefined) this.#first = entry
    else this.#last.next = entry
    this.#last = entry
    this.size++
  }

  remove(entry: IdleEntry): void {
    if (!entry.listed) return
    const { next, previous } = entry
    if (next === undefined) this.#last = previous
    else next.previous = previous
    if (previous === undefined) this.#first = next
    else previous.next = next
    entry.listed = false
    entry.next = undefined
    entry.previous = undefined
    this.size--
  }
}
