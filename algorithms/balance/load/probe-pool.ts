import type { PickInput } from '../balancer.ts'

/** Most probe results kept. */
export const poolSize = 16
/** Older results do not count. */
const ageMaxMs = 1000

/** How a pool is filled and emptied. */
export interface ProbeRates {
  /** Probes sent per request. */
  readonly probesPerRequest: number
  /** Results thrown away per request, so that old ones make room even when none is used. */
  readonly removalsPerRequest: number
}

/**
 * How many requests may use one probe result, so that the pool neither runs dry nor goes stale:
 * max(1, (1 + d) / ((1 - m/n) probes - removals)) with d = 1; Infinity where the pool holds every
 * endpoint. Source: Prequal, equation 1.
 */
export function reuseLimit(endpoints: number, rates: ProbeRates, size = poolSize): number {
  const gain =
    (1 - Math.min(1, size / endpoints)) * rates.probesPerRequest - rates.removalsPerRequest
  return gain <= 0 ? Infinity : Math.max(1, 2 / gain)
}

/** Results of probes: a few endpoints with what they said of their load, and for how long it holds. */
export class ProbePool {
  #size = 0
  /** Columns of the results, by place: to be read only, below `size`. */
  readonly endpoint = new Int32Array(poolSize)
  readonly inFlight = new Int32Array(poolSize)
  readonly latencyMs = new Float64Array(poolSize)
  readonly #at = new Float64Array(poolSize)
  readonly #usesLeft = new Float64Array(poolSize)
  #removeOldest = true
  /** Nothing in the pool is too old before this. */
  #expireAt = 0

  get size(): number {
    return this.#size
  }

  clear(): void {
    this.#size = 0
  }

  /** Adds a result, in place of one of the same endpoint or of the oldest where the pool is full. */
  add(endpoint: number, inFlight: number, latencyMs: number): number {
    let place = 0
    while (place < this.#size && this.endpoint[place] !== endpoint) place++
    if (place === poolSize) place = this.#oldest()
    else if (place === this.#size) this.#size++
    this.endpoint[place] = endpoint
    this.inFlight[place] = inFlight
    this.latencyMs[place] = latencyMs
    return place
  }

  /** Sets how long the result in a place holds. */
  stamp(place: number, now: number, uses: number): void {
    this.#at[place] = now
    this.#usesLeft[place] = uses
    this.#expireAt = Math.min(this.#expireAt, now + ageMaxMs)
  }

  /** The result in a place was used: one request more is in flight there, and one use is gone. */
  use(place: number): void {
    this.inFlight[place] = (this.inFlight[place] as number) + 1
    const left = (this.#usesLeft[place] as number) - 1
    this.#usesLeft[place] = left
    if (left <= 0) this.#remove(place)
  }

  /** Removes what is too old. */
  expire({ now }: PickInput): void {
    if (now <= this.#expireAt) return
    let oldest = now
    for (let place = this.#size - 1; place >= 0; place--) {
      const at = this.#at[place] as number
      if (now - at > ageMaxMs) this.#remove(place)
      else if (at < oldest) oldest = at
    }
    this.#expireAt = oldest + ageMaxMs
  }

  /** Removes the oldest result and the worst one in turn; worst: the hottest, else the slowest. */
  removeOne(hotAbove: number): void {
    if (this.#size === 0) return
    this.#remove(this.#removeOldest ? this.#oldest() : this.#worst(hotAbove))
    this.#removeOldest = !this.#removeOldest
  }

  #oldest(): number {
    let oldest = 0
    for (let place = 1; place < this.#size; place++) {
      if ((this.#at[place] as number) < (this.#at[oldest] as number)) oldest = place
    }
    return oldest
  }

  #worst(hotAbove: number): number {
    let hottest = 0
    let slowest = 0
    for (let place = 1; place < this.#size; place++) {
      if ((this.inFlight[place] as number) > (this.inFlight[hottest] as number)) hottest = place
      if ((this.latencyMs[place] as number) > (this.latencyMs[slowest] as number)) slowest = place
    }
    return (this.inFlight[hottest] as number) > hotAbove ? hottest : slowest
  }

  #remove(place: number): void {
    const last = --this.#size
    this.endpoint[place] = this.endpoint[last] as number
    this.inFlight[place] = this.inFlight[last] as number
    this.latencyMs[place] = this.latencyMs[last] as number
    this.#at[place] = this.#at[last] as number
    this.#usesLeft[place] = this.#usesLeft[last] as number
  }
}
