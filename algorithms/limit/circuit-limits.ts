/** What a limit counts. */
export type LimitedResource = 'connections' | 'pending' | 'requests' | 'retries'

const resources: readonly LimitedResource[] = ['connections', 'pending', 'requests', 'retries']

/** Limits of one backend and priority; Envoy's defaults. */
export const defaultCircuitLimits: Readonly<Record<LimitedResource, number>> = {
  connections: 1024,
  pending: 1024,
  requests: 1024,
  retries: 3,
}

/** Gauges of {@link CircuitLimits}: each resource has one cell per writer. */
export function circuitCells(writers: number): number {
  return resources.length * writers
}

/**
 * Circuit limits: so many connections, waiting requests, requests and retries at a backend, and not
 * one more; what is over the limit fails at once instead of queueing up.
 *
 * When to use: always, as the last bound of what a slow backend can tie up.
 * Cost: O(writers). State: gauges, one cell per resource and writer, so that the cells of a dead
 * writer can be set to 0. One writer never exceeds a limit; k writers that take at the same instant
 * may exceed it by k - 1.
 * Source: Envoy circuit_breakers, HAProxy maxconn, nginx max_conns.
 */
export class CircuitLimits {
  readonly #limits: Readonly<Record<LimitedResource, number>>
  readonly #gauges: Int32Array
  readonly #writers: number
  readonly #writer: number

  /** `gauges` has {@link circuitCells} cells and may be shared memory. */
  constructor(
    gauges: Int32Array,
    { writers = 1, writer = 0 }: { writers?: number; writer?: number } = {},
    limits: Partial<Record<LimitedResource, number>> = {},
  ) {
    this.#gauges = gauges
    this.#writers = writers
    this.#writer = writer
    this.#limits = { ...defaultCircuitLimits, ...limits }
  }

  /** Takes one, to be given back with `release`; false when the limit is reached. */
  tryTake(resource: LimitedResource): boolean {
    if (this.inUse(resource) >= this.#limits[resource]) return false
    this.#add(resource, 1)
    return true
  }

  release(resource: LimitedResource): void {
    this.#add(resource, -1)
  }

  inUse(resource: LimitedResource): number {
    const first = resources.indexOf(resource) * this.#writers
    let sum = 0
    for (let cell = first; cell < first + this.#writers; cell++) sum += this.#gauges[cell] as number
    return sum
  }

  #add(resource: LimitedResource, amount: number): void {
    const own = resources.indexOf(resource) * this.#writers + this.#writer
    this.#gauges[own] = (this.#gauges[own] as number) + amount
  }
}
