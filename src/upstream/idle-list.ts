import type { Http1ClientSession } from '#src/http1/client-session.ts'

/** A kept connection in its pool, and in the list of all idle ones of the worker. */
export class IdleEntry {
  readonly session: Http1ClientSession
  /** Monotonic milliseconds when the connection was opened, and when it last became idle. */
  readonly openedAt: number
  idleSince = 0
  next: IdleEntry | undefined
  previous: IdleEntry | undefined
  listed = false

  constructor(session: Http1ClientSession, openedAt: number) {
    this.session = session
    this.openedAt = openedAt
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
