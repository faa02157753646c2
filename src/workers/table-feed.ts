import type { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import type { RuleMemory } from '#src/shared/rule-memory.ts'
import { EndpointSlots, RuleSlots } from '#src/shared/slots.ts'
import { emptyTable } from '#src/table/defaults.ts'
import { applyDelta, diffTables, fullDelta } from '#src/table/delta.ts'
import { tupleKey } from '#src/table/keys.ts'
import type { Key } from '#src/table/keys.ts'
import type { Backend, Host, RouteTable, TableDelta } from '#src/table/table.ts'
import type { TableUpdate } from './messages.ts'

const noSlots = new Int32Array(0)

/**
 * Turns deltas of the control plane into updates for the workers: keeps the newest table, and gives
 * endpoints and rules their slots in shared memory. It outlives the control plane, so that a new
 * worker can be given the whole table at any time.
 */
export class TableFeed {
  table: RouteTable = emptyTable
  /** Of the table; 0: there is none yet. */
  version = 0
  readonly endpointSlots: EndpointSlots
  readonly ruleSlots: RuleSlots
  /** Workers that were given a table, and the version that each runs; -1: none yet. */
  readonly #attached = new Map<number, number>()
  /** By backend, in the order of its endpoints. */
  readonly #endpointKeys = new Map<Key, readonly string[]>()
  readonly #endpointSlots = new Map<Key, Int32Array>()
  readonly #ruleKeys = new Map<Key, readonly Key[]>()
  /** How many hosts name a rule. */
  readonly #ruleUses = new Map<Key, number>()

  /** `onFreeEndpoint` hears of an endpoint's slot while its sums can still be read. */
  constructor(
    endpoints: EndpointMemory,
    rules: RuleMemory,
    onFreeEndpoint: (slot: number, key: string) => void,
  ) {
    this.endpointSlots = new EndpointSlots(endpoints, endpoints.writers, onFreeEndpoint)
    this.ruleSlots = new RuleSlots(rules)
  }

  /**
   * Puts a delta in force here, and gives what the attached workers need to do the same. A whole
   * table, as a control plane sends it after its start, is reduced to what differs from the last one:
   * its restart costs the workers nothing.
   */
  update(received: TableDelta): TableUpdate {
    const next = applyDelta(this.table, received)
    const whole = this.version === 0 || !received.full
    const delta = whole ? received : diffTables(this.table, next, received.version)
    for (const key of delta.backends.keys()) this.#retireEndpoints(key, delta.backends.get(key))
    for (const key of delta.hosts.keys()) this.#retireRules(key, delta)
    const endpointSlots = new Map<Key, Int32Array>()
    for (const backend of delta.backends.values()) {
      if (backend !== undefined) endpointSlots.set(backend.key, this.#admitEndpoints(backend))
    }
    const ruleSlots = new Map<Key, number>()
    for (const host of delta.hosts.values()) {
      if (host !== undefined) this.#admitRules(host, ruleSlots)
    }
    this.table = next
    this.version = delta.version
    return { delta, endpointSlots, ruleSlots }
  }

  /** The whole table for a new worker, which counts as attached from now on. */
  attach(writer: number): TableUpdate {
    this.#attached.set(writer, -1)
    const delta = fullDelta(this.table, this.version)
    const endpointSlots = this.#endpointSlots
    const ruleSlots = new Map<Key, number>()
    for (const { rules } of this.table.hosts.values()) {
      for (const { key } of rules) ruleSlots.set(key, this.ruleSlots.slotOf(key) ?? 0)
    }
    return { delta, endpointSlots, ruleSlots }
  }

  /** A worker ended; its memory may be taken back. */
  detach(writer: number): void {
    this.#attached.delete(writer)
    this.endpointSlots.dropWriter(writer)
    this.#settleRules()
  }

  /** A worker runs this version. */
  applied(writer: number, version: number): void {
    if (!this.#attached.has(writer)) return
    this.#attached.set(writer, version)
    this.#settleRules()
  }

  /** A worker let go of endpoints that had left the table. */
  released(writer: number, slots: Iterable<number>): void {
    for (const slot of slots) this.endpointSlots.release(slot, writer)
  }

  /** Slots of a backend's endpoints, in the order of the backend. */
  slotsOf(backend: Key): Int32Array {
    return this.#endpointSlots.get(backend) ?? noSlots
  }

  #settleRules(): void {
    let settled = this.version
    for (const version of this.#attached.values()) settled = Math.min(settled, version)
    this.ruleSlots.settle(settled)
  }

  #retireEndpoints(key: Key, next: Backend | undefined): void {
    const before = this.#endpointKeys.get(key) ?? []
    if (before.length === 0) return
    const stay = new Set(next?.endpoints.map((endpoint) => endpointKey(key, endpoint)))
    for (const old of before) {
      if (!stay.has(old)) this.endpointSlots.retire(old, this.#attached.keys())
    }
    this.#endpointKeys.delete(key)
    this.#endpointSlots.delete(key)
  }

  #admitEndpoints(backend: Backend): Int32Array {
    const keys = backend.endpoints.map((endpoint) => endpointKey(backend.key, endpoint))
    const slots = Int32Array.from(keys, (key) => this.endpointSlots.admit(key))
    this.#endpointKeys.set(backend.key, keys)
    this.#endpointSlots.set(backend.key, slots)
    return slots
  }

  #retireRules(key: Key, delta: TableDelta): void {
    for (const rule of this.#ruleKeys.get(key) ?? []) {
      const uses = (this.#ruleUses.get(rule) ?? 1) - 1
      this.#ruleUses.set(rule, uses)
      if (uses > 0) continue
      this.#ruleUses.delete(rule)
      this.ruleSlots.retire(rule, delta.version)
    }
    this.#ruleKeys.delete(key)
  }

  #admitRules(host: Host, slots: Map<Key, number>): void {
    this.#ruleKeys.set(
      host.key,
      host.rules.map(({ key }) => key),
    )
    for (const { key } of host.rules) {
      this.#ruleUses.set(key, (this.#ruleUses.get(key) ?? 0) + 1)
      slots.set(key, this.ruleSlots.admit(key))
    }
  }
}

/** An endpoint that comes back with another Pod behind it is another endpoint. */
function endpointKey(
  backend: Key,
  { address, port, uid }: { address: string; port: number; uid: string },
): string {
  return tupleKey(backend, address, port, uid)
}
