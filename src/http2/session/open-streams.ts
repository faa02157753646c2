import type { Http2Stream } from './stream.ts'

/** A power of two. */
const bucketsAtFirst = 16

/**
 * The open streams of a session by their identifier.
 *
 * No `Map`: one that streams come to and go from is made anew every so many of them, and each of V8's
 * old tables refers to the next. Once one of them has become old, a scavenge takes all that follow, with
 * every stream in them, for alive, until the whole heap is collected. Here a stream that is gone refers
 * to nothing. Identifiers rise by two, so that a bucket has one stream; a peer that leaves gaps to fill one
 * bucket has no more of them than it may open.
 */
export class OpenStreams {
  size = 0
  #buckets: (Http2Stream | undefined)[] = emptyBuckets(bucketsAtFirst)

  get(id: number): Http2Stream | undefined {
    let stream = this.#buckets[(id >>> 1) & (this.#buckets.length - 1)]
    while (stream !== undefined && stream.id !== id) stream = stream.nextOpen
    return stream
  }

  /** The stream has its identifier, which no other here has. */
  add(stream: Http2Stream): void {
    if (this.size === this.#buckets.length) this.#grow()
    this.size++
    this.#put(stream)
  }

  /** False: it is not here. */
  remove(stream: Http2Stream): boolean {
    const bucket = (stream.id >>> 1) & (this.#buckets.length - 1)
    let before: Http2Stream | undefined
    let at = this.#buckets[bucket]
    while (at !== undefined && at !== stream) {
      before = at
      at = at.nextOpen
    }
    if (at === undefined) return false
    if (before === undefined) this.#buckets[bucket] = stream.nextOpen
    else before.nextOpen = stream.nextOpen
    stream.nextOpen = undefined
    this.size--
    return true
  }

  /** All streams as of now, in the order of their identifiers; not for every frame. */
  list(): Http2Stream[] {
    const streams: Http2Stream[] = []
    for (const first of this.#buckets) {
      for (let stream = first; stream !== undefined; stream = stream.nextOpen) streams.push(stream)
    }
    return streams.toSorted((a, b) => a.id - b.id)
  }

  #put(stream: Http2Stream): void {
    const bucket = (stream.id >>> 1) & (this.#buckets.length - 1)
    stream.nextOpen = this.#buckets[bucket]
    this.#buckets[bucket] = stream
  }

  #grow(): void {
    const streams = this.list()
    this.#buckets = emptyBuckets(this.#buckets.length * 2)
    for (const stream of streams) this.#put(stream)
  }
}

function emptyBuckets(count: number): (Http2Stream | undefined)[] {
  return Array.from({ length: count }, () => undefined)
}
