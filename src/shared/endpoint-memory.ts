import { sharedFloats, sharedInts } from './columns.ts'

/** What `attach` needs; survives postMessage, which shares the memory behind it. */
export interface EndpointBuffers {
  readonly capacity: number
  readonly writers: number
  readonly inFlight: Int32Array
  readonly latency: Float64Array
  readonly updated: Float64Array
  readonly reported: Float64Array
  readonly reportedAt: Float64Array
  readonly reportingSince: Float64Array
  readonly requests: Float64Array
  readonly failures: Float64Array
  readonly connectFailures: Float64Array
  readonly bytesSent: Float64Array
  readonly bytesReceived: Float64Array
  readonly consecutiveFailures: Int32Array
  readonly ejectedUntil: Float64Array
  readonly ejections: Int32Array
  readonly checkedAt: Int32Array
  readonly checkStreak: Int32Array
  readonly unhealthy: Int32Array
  readonly generation: Int32Array
}

/**
 * What all workers know of the endpoints of all backends, in shared memory.
 *
 * A slot belongs to one endpoint (see EndpointSlots); slot 0 is shared by those for which the memory
 * was full. Columns of the first kind have one cell per slot and writer, at `slot * writers + writer`,
 * and only that writer writes it: a reader adds the cells of a slot. Columns of the second kind have
 * one cell per slot, which every worker writes.
 */
export class EndpointMemory {
  readonly capacity: number
  readonly writers: number
  /** Gauge: tries whose response body has not ended. */
  readonly inFlight: Int32Array
  /** Estimate of the latency in milliseconds, 0: none; written by balancers. */
  readonly latency: Float64Array
  /** When `latency` was written, monotonic milliseconds. */
  readonly updated: Float64Array
  /** Weight that load reports stand for, when it was written, and when the reports began; written by balancers. */
  readonly reported: Float64Array
  readonly reportedAt: Float64Array
  readonly reportingSince: Float64Array
  /** Sum: tries that were started. */
  readonly requests: Float64Array
  /** Sum: tries that failed, connects included. */
  readonly failures: Float64Array
  /** Sum: connections that could not be opened. */
  readonly connectFailures: Float64Array
  /** Sum: body bytes sent to the endpoint. */
  readonly bytesSent: Float64Array
  /** Sum: body bytes received from it. */
  readonly bytesReceived: Float64Array
  /** Per slot: failed tries in a row, over all workers. Atomics only. */
  readonly consecutiveFailures: Int32Array
  /** Per slot: end of the ejection in monotonic milliseconds, 0: not ejected. */
  readonly ejectedUntil: Float64Array
  /** Per slot: ejections in a row, for the back-off. Atomics only. */
  readonly ejections: Int32Array
  /** Per slot: when the last health check was taken, see health-state.ts. Atomics only. */
  readonly checkedAt: Int32Array
  /** Per slot: checks in a row that were good, or below 0 that failed. Atomics only. */
  readonly checkStreak: Int32Array
  /** Per slot: 1 while health checks keep the endpoint out of use. Atomics only. */
  readonly unhealthy: Int32Array
  /** Per slot: rises whenever the slot goes to another endpoint. */
  readonly generation: Int32Array
  readonly #buffers: EndpointBuffers

  private constructor(buffers: EndpointBuffers) {
    this.#buffers = buffers
    this.capacity = buffers.capacity
    this.writers = buffers.writers
    this.inFlight = buffers.inFlight
    this.latency = buffers.latency
    this.updated = buffers.updated
    this.reported = buffers.reported
    this.reportedAt = buffers.reportedAt
    this.reportingSince = buffers.reportingSince
    this.requests = buffers.requests
    this.failures = buffers.failures
    this.connectFailures = buffers.connectFailures
    this.bytesSent = buffers.bytesSent
    this.bytesReceived = buffers.bytesReceived
    this.consecutiveFailures = buffers.consecutiveFailures
    this.ejectedUntil = buffers.ejectedUntil
    this.ejections = buffers.ejections
    this.checkedAt = buffers.checkedAt
    this.checkStreak = buffers.checkStreak
    this.unhealthy = buffers.unhealthy
    this.generation = buffers.generation
  }

  /** Reserves memory for `capacity` slots, the overflow slot included, and `writers` workers. */
  static create(capacity: number, writers: number): EndpointMemory {
    const cells = capacity * writers
    return new EndpointMemory({
      capacity,
      writers,
      inFlight: sharedInts(cells),
      latency: sharedFloats(cells),
      updated: sharedFloats(cells),
      reported: sharedFloats(cells),
      reportedAt: sharedFloats(cells),
      reportingSince: sharedFloats(cells),
      requests: sharedFloats(cells),
      failures: sharedFloats(cells),
      connectFailures: sharedFloats(cells),
      bytesSent: sharedFloats(cells),
      bytesReceived: sharedFloats(cells),
      consecutiveFailures: sharedInts(capacity),
      ejectedUntil: sharedFloats(capacity),
      ejections: sharedInts(capacity),
      checkedAt: sharedInts(capacity),
      checkStreak: sharedInts(capacity),
      unhealthy: sharedInts(capacity),
      generation: sharedInts(capacity),
    })
  }

  /** The same memory in another thread. */
  static attach(buffers: EndpointBuffers): EndpointMemory {
    return new EndpointMemory(buffers)
  }

  /** For postMessage: a plain object, since class instances do not survive it. */
  buffers(): EndpointBuffers {
    return this.#buffers
  }

  /** Zeroes one slot for its next endpoint, which the rise of its generation announces. */
  reassignSlot(slot: number): void {
    Atomics.add(this.generation, slot, 1)
    const first = slot * this.writers
    const last = first + this.writers
    for (const column of this.#cellColumns()) column.fill(0, first, last)
    this.consecutiveFailures[slot] = 0
    this.ejectedUntil[slot] = 0
    this.ejections[slot] = 0
    this.checkedAt[slot] = 0
    this.checkStreak[slot] = 0
    this.unhealthy[slot] = 0
  }

  /**
   * Takes back what a dead worker had in hand: its requests in flight and its estimates, in the slots
   * below `slotEnd`. Its sums stay, as counters must not fall.
   */
  clearWriter(writer: number, slotEnd: number): void {
    for (let cell = writer; cell < slotEnd * this.writers; cell += this.writers) {
      this.inFlight[cell] = 0
      this.latency[cell] = 0
      this.updated[cell] = 0
      this.reported[cell] = 0
      this.reportedAt[cell] = 0
      this.reportingSince[cell] = 0
    }
  }

  #cellColumns(): (Int32Array | Float64Array)[] {
    return [
      this.inFlight,
      this.latency,
      this.updated,
      this.reported,
      this.reportedAt,
      this.reportingSince,
      this.requests,
      this.failures,
      this.connectFailures,
      this.bytesSent,
      this.bytesReceived,
    ]
  }
}

/** The sum of a slot's cells over all writers. */
export function sumOfSlot(
  memory: EndpointMemory,
  column: Int32Array | Float64Array,
  slot: number,
): number {
  let sum = 0
  const first = slot * memory.writers
  for (let i = first; i < first + memory.writers; i++) sum += column[i] as number
  return sum
}
