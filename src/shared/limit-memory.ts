import { hashPair, hashText } from '#algorithms/hash.ts'
import type { GcraRate } from '#algorithms/limit/gcra.ts'
import { sharedInts } from './columns.ts'

/** Places that a key may have: it is looked for in these, and in no other. */
const bucketSize = 8

/** Ticks of one interval: the steadiness of a rate is kept to better than 1 in this. */
const ticksPerInterval = 256
const halfRange = 2 ** 31

/** What `attach` needs; survives postMessage, which shares the memory behind it. */
export interface LimitBuffers {
  readonly capacity: number
  readonly writers: number
  /** Keys are hashed with these, so that nobody chooses keys that meet in one bucket. */
  readonly seeds: Int32Array
  readonly tags: Int32Array
  readonly arrivals: Int32Array
  readonly seen: Int32Array
  readonly connectionTags: Int32Array
  readonly connections: Int32Array
  readonly held: Int32Array
}

/** How a request fared at a rate limit. `evicted`: another client was forgotten for its sake. */
export const admitted = 0
export const refused = 1
export const evicted = 2
export type Admission = typeof admitted | typeof refused | typeof evicted

/** No place was free: the request is not counted. */
export const uncounted = -1
/** The client has as many requests under way as it may have. */
export const tooMany = -2

/** Where a client's state under a limit is looked for: for who asks again and again. */
export interface LimitKey {
  readonly limit: string
  readonly client: string
  /** First place of the bucket. */
  readonly first: number
  readonly tag: number
}

/**
 * State of limits by client, for all workers: two tables of fixed size that nothing makes grow. A key
 * has a bucket of eight places; rates are GCRA arrival times, changed by compare-and-swap, so that a
 * limit is exact whichever workers a client meets. When a bucket is full the rate that was asked for
 * longest ago makes room.
 */
export class LimitMemory {
  readonly #buffers: LimitBuffers
  readonly #bucketMask: number
  // Of the last limit and the last rate: mostly they are those of the next request.
  #limit: string | undefined
  #limitBucket = 0
  #limitTag = 0
  #rate: GcraRate | undefined
  #ticksPerMs = 0
  #intervalTicks = 0
  #toleranceTicks = 0

  private constructor(buffers: LimitBuffers) {
    this.#buffers = buffers
    this.#bucketMask = buffers.capacity / bucketSize - 1
  }

  /** Reserves places for `capacity` clients, a power of two from 8. */
  static create(capacity: number, writers: number): LimitMemory {
    const seeds = sharedInts(2)
    // The generator takes no shared memory.
    seeds.set(crypto.getRandomValues(new Int32Array(2)))
    return new LimitMemory({
      capacity,
      writers,
      seeds,
      tags: sharedInts(capacity),
      arrivals: sharedInts(capacity),
      seen: sharedInts(capacity),
      connectionTags: sharedInts(capacity),
      connections: sharedInts(capacity),
      held: sharedInts(capacity * writers),
    })
  }

  /** The same memory in another thread. */
  static attach(buffers: LimitBuffers): LimitMemory {
    return new LimitMemory(buffers)
  }

  /** For postMessage: a plain object, since class instances do not survive it. */
  buffers(): LimitBuffers {
    return this.#buffers
  }

  /** The key of a client under a limit: `last`, where it is that of these. */
  keyOf(limit: string, client: string, last?: LimitKey): LimitKey {
    if (last !== undefined && last.client === client && last.limit === limit) return last
    if (limit !== this.#limit) this.#useLimit(limit)
    const first = (hashText(client, this.#limitBucket) & this.#bucketMask) * bucketSize
    const seed = this.#buffers.seeds[1] as number
    const tag = hashPair(hashText(client, this.#limitTag), seed) || 1
    return { limit, client, first, tag }
  }

  /** One request of a client under a limit at `now`, in monotonic milliseconds. */
  admit(key: LimitKey, rate: GcraRate, now: number): Admission {
    const { arrivals, seen } = this.#buffers
    if (rate !== this.#rate) this.#useRate(rate)
    const place = this.#placeOf(key, now)
    const index = place < 0 ? -1 - place : place
    const second = Math.floor(now / 1000)
    if (seen[index] !== second) Atomics.store(seen, index, second)
    // Modulo 2^32, as all ticks are.
    const nowTicks = Math.floor(now * this.#ticksPerMs) | 0
    const interval = this.#intervalTicks
    const tolerance = this.#toleranceTicks
    for (;;) {
      // Read without order, as it counts only if the exchange below finds the same.
      const arrival = arrivals[index] as number
      // What lies further ahead than the rate allows is left over from long ago.
      const distance = (arrival - nowTicks) | 0
      const ahead = distance > tolerance + interval || distance < 0 ? 0 : distance
      if (ahead > tolerance) return refused
      const next = (nowTicks + ahead + interval) | 0
      if (Atomics.compareExchange(arrivals, index, arrival, next) === arrival) {
        return place < 0 ? evicted : admitted
      }
    }
  }

  #useRate(rate: GcraRate): void {
    const scale = ticksPerMs(rate.intervalMs)
    this.#rate = rate
    this.#ticksPerMs = scale
    this.#intervalTicks = Math.round(rate.intervalMs * scale)
    this.#toleranceTicks = Math.min(halfRange / 2, Math.round(rate.toleranceMs * scale))
  }

  #useLimit(limit: string): void {
    const [first = 0, second = 0] = this.#buffers.seeds
    this.#limit = limit
    this.#limitBucket = hashText(limit, first)
    this.#limitTag = hashText(limit, second)
  }

  /** The place of a key; of one that took another's place -1 minus it. */
  #placeOf({ first, tag }: LimitKey, now: number): number {
    const { tags, seen, arrivals } = this.#buffers
    for (;;) {
      const place = this.#bestPlace(first, tag)
      const before = tags[place] as number
      if (before === tag) return place
      if (Atomics.compareExchange(tags, place, before, tag) !== before) continue
      if (before === 0) return place
      Atomics.store(arrivals, place, 0)
      // One that has not asked for a minute has nothing to lose.
      return (seen[place] as number) + 60 < Math.floor(now / 1000) ? place : -1 - place
    }
  }

  /**
   * The place of the tag, else a free one, else the one that was asked for longest ago. Read without
   * order, which is quick: the caller makes sure of the place.
   */
  #bestPlace(first: number, tag: number): number {
    const { tags, seen } = this.#buffers
    let oldest = first
    let free = -1
    for (let at = first; at < first + bucketSize; at++) {
      const own = tags[at]
      if (own === tag) return at
      if (own === 0 && free < 0) free = at
      if ((seen[at] as number) < (seen[oldest] as number)) oldest = at
    }
    return free < 0 ? oldest : free
  }

  /**
   * Takes one of the `max` requests that a client may have under way. Gives the place to hand to
   * `release`, or `tooMany`, or `uncounted` where the bucket is full of others.
   */
  acquire({ first, tag }: LimitKey, max: number, writer: number): number {
    const { connectionTags, connections, held, writers } = this.#buffers
    for (;;) {
      const place = this.#claim(first, tag)
      if (place < 0) return uncounted
      const count = Atomics.load(connections, place)
      if (count >= max) return tooMany
      if (Atomics.compareExchange(connections, place, count, count + 1) !== count) continue
      if (Atomics.load(connectionTags, place) === tag) {
        Atomics.add(held, place * writers + writer, 1)
        return place
      }
      // Another key took the place between the look and the count.
      Atomics.sub(connections, place, 1)
    }
  }

  release(place: number, writer: number): void {
    const { connections, held, writers } = this.#buffers
    Atomics.sub(held, place * writers + writer, 1)
    Atomics.sub(connections, place, 1)
  }

  /** A worker is dead: its requests are over. */
  clearWriter(writer: number): void {
    const { capacity, connections, held, writers } = this.#buffers
    for (let place = 0; place < capacity; place++) {
      const lost = Atomics.exchange(held, place * writers + writer, 0)
      if (lost !== 0) Atomics.sub(connections, place, lost)
    }
  }

  /** The place of a key, taken now if it has none; -1: all places of the bucket are in use. */
  #claim(first: number, tag: number): number {
    const { connectionTags, connections } = this.#buffers
    let idle = -1
    for (let at = first; at < first + bucketSize; at++) {
      if (Atomics.load(connectionTags, at) === tag) return at
      if (idle < 0 && Atomics.load(connections, at) === 0) idle = at
    }
    if (idle < 0) return -1
    const before = Atomics.load(connectionTags, idle)
    const taken = Atomics.compareExchange(connectionTags, idle, before, tag)
    return taken === before ? idle : this.#claim(first, tag)
  }
}

/** A power of two, so that an interval has ticks enough to be kept exactly. */
function ticksPerMs(intervalMs: number): number {
  return 2 ** Math.min(20, Math.max(0, Math.ceil(Math.log2(ticksPerInterval / intervalMs))))
}
