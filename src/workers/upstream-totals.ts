import { sumOfSlot } from '#src/shared/endpoint-memory.ts'
import type { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import { tupleKey } from '#src/table/keys.ts'
import type { Key } from '#src/table/keys.ts'
import type { RouteTable } from '#src/table/table.ts'
import type { TableUpdate } from './messages.ts'

/** Sums that metrics show per Service. */
export interface ServiceTotals {
  readonly namespace: string
  readonly service: string
  requests: number
  failures: number
  connectFailures: number
  bytesSent: number
  bytesReceived: number
}

/**
 * Sums per Service over endpoints that came and went. A counter must not fall when a Pod goes: what
 * its slot held is added here before the slot is given to another.
 */
export class UpstreamTotals {
  readonly #memory: EndpointMemory
  readonly #retired = new Map<Key, ServiceTotals>()
  /** By slot. */
  readonly #services: (ServiceTotals | undefined)[] = []

  constructor(memory: EndpointMemory) {
    this.#memory = memory
  }

  /** Notes which Service the slots of an update belong to. */
  name({ delta, endpointSlots }: TableUpdate): void {
    for (const [key, slots] of endpointSlots) {
      const backend = delta.backends.get(key)
      if (backend === undefined) continue
      const { namespace, name } = backend.service
      const totals = this.#totalsOf(namespace, name)
      for (const slot of slots) if (slot > 0) this.#services[slot] = totals
    }
  }

  /** The slot is about to be free. */
  retire(slot: number): void {
    const totals = this.#services[slot]
    if (totals === undefined) return
    this.#add(totals, slot)
    this.#services[slot] = undefined
  }

  /**
   * Sums of all Services, those of retired endpoints included. In one stretch: between two slices an
   * endpoint could retire, and its Service's counters would seem to fall.
   */
  sums(): ServiceTotals[] {
    const sums = new Map<ServiceTotals, ServiceTotals>()
    for (const totals of this.#retired.values()) sums.set(totals, { ...totals })
    for (const [slot, totals] of this.#services.entries()) {
      if (totals !== undefined) this.#add(sums.get(totals) as ServiceTotals, slot)
    }
    return [...sums.values()]
  }

  /** Forgets Services that the table does not name and that hold no slot. */
  prune(table: RouteTable): void {
    const keep = new Set(this.#services)
    for (const { service } of table.backends.values()) {
      keep.add(this.#retired.get(tupleKey(service.namespace, service.name)))
    }
    for (const [key, totals] of this.#retired) if (!keep.has(totals)) this.#retired.delete(key)
  }

  #totalsOf(namespace: string, service: string): ServiceTotals {
    const key = tupleKey(namespace, service)
    let totals = this.#retired.get(key)
    if (totals === undefined) {
      totals = {
        namespace,
        service,
        requests: 0,
        failures: 0,
        connectFailures: 0,
        bytesSent: 0,
        bytesReceived: 0,
      }
      this.#retired.set(key, totals)
    }
    return totals
  }

  #add(totals: ServiceTotals, slot: number): void {
    const memory = this.#memory
    totals.requests += sumOfSlot(memory, memory.requests, slot)
    totals.failures += sumOfSlot(memory, memory.failures, slot)
    totals.connectFailures += sumOfSlot(memory, memory.connectFailures, slot)
    totals.bytesSent += sumOfSlot(memory, memory.bytesSent, slot)
    totals.bytesReceived += sumOfSlot(memory, memory.bytesReceived, slot)
  }
}
