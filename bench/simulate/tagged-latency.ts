/** Latencies remembered per count of requests in flight. */
const perCount = 8
/** Samples that make an estimate. */
const samplesMin = 5
const countMax = 255
/** Older samples do not count. */
const ageMaxMs = 5000

/**
 * What a server of Prequal answers to probes: the median of recent latencies of requests that came
 * when about as many others were in flight as now.
 */
export class TaggedLatency {
  readonly #latency = new Map<number, { latencyMs: number; at: number }[]>()

  add(inFlightAtArrival: number, latencyMs: number, now: number): void {
    const count = Math.min(countMax, inFlightAtArrival)
    const samples = this.#latency.get(count) ?? []
    samples.push({ latencyMs, at: now })
    if (samples.length > perCount) samples.shift()
    this.#latency.set(count, samples)
  }

  /** Milliseconds; 0 when nothing is known. */
  estimate(inFlight: number, now: number): number {
    const found: number[] = []
    const nearest = Math.min(countMax, inFlight)
    for (let distance = 0; distance <= countMax && found.length < samplesMin; distance++) {
      this.#collect(nearest - distance, now, found)
      if (distance > 0) this.#collect(nearest + distance, now, found)
    }
    found.sort((a, b) => a - b)
    return found[found.length >> 1] ?? 0
  }

  #collect(count: number, now: number, found: number[]): void {
    for (const { latencyMs, at } of this.#latency.get(count) ?? []) {
      if (now - at <= ageMaxMs) found.push(latencyMs)
    }
  }
}
