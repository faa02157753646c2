import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '#algorithms/random.ts'
import { releaseRequestHead, takeRequestHead } from '#src/exchange/heads.ts'
import { LiveTable } from '#src/proxy/live-table.ts'
import { EndpointMemory } from '#src/shared/endpoint-memory.ts'
import { defaultGlobalOptions, defaultRouteSettings } from '#src/table/defaults.ts'
import { applyDelta, diffTables, fullDelta, mergeDeltas } from '#src/table/delta.ts'
import type { Backend, Host, RouteTable, Rule, TableDelta } from '#src/table/table.ts'
import type { TableUpdate } from '#src/workers/messages.ts'

const hosts = ['a.test', 'b.test', '*.test', '']
const paths = ['', '/x', '/x/y', '/z']
const backends = ['one', 'two', 'three']

/** A small table, drawn from a few hosts, paths, backends and endpoints, so that changes overlap. */
const tables: fc.Arbitrary<RouteTable> = fc
  .record({
    routes: fc.uniqueArray(
      fc.record({
        host: fc.constantFrom(...hosts),
        path: fc.constantFrom(...paths),
        backend: fc.constantFrom(...backends),
      }),
      { selector: ({ host, path }) => `${host} ${path}`, maxLength: 8 },
    ),
    endpoints: fc.dictionary(fc.constantFrom(...backends), fc.subarray([1, 2, 3, 4]), {
      maxKeys: 3,
    }),
    keepAliveRequests: fc.constantFrom(10, 20),
  })
  .map(({ routes, endpoints, keepAliveRequests }) => {
    const byHost = Map.groupBy(routes, ({ host }) => host)
    return {
      listeners: new Map(),
      certificates: new Map(),
      authorities: new Map(),
      hosts: new Map([...byHost].map(([host, own]) => [host, hostOf(host, own)])),
      backends: new Map(
        Object.entries(endpoints).map(([name, ports]) => [name, backendOf(name, ports)]),
      ),
      options: { ...defaultGlobalOptions, keepAliveRequests },
    }
  })

function hostOf(pattern: string, routes: readonly { path: string; backend: string }[]): Host {
  return {
    key: pattern,
    hostGroup: 'all',
    pattern,
    rules: routes.toSorted((a, b) => b.path.length - a.path.length).map(ruleOf),
    certificate: undefined,
    tls: false,
    clientCertificates: undefined,
  }
}

function ruleOf({ path, backend }: { path: string; backend: string }): Rule {
  const balance = { algorithm: 'round-robin', options: {}, hashKey: [] }
  return {
    key: `${path} ${backend}`,
    origin: { kind: 'Ingress', namespace: 'default', name: backend },
    path: { type: 'prefix', value: path },
    pathText: path,
    predicates: [],
    settings: defaultRouteSettings,
    policies: [],
    backends: [
      {
        backend,
        service: backend,
        weight: 1,
        balance,
        protocol: 'http1',
        tls: undefined,
        policies: [],
      },
    ],
  }
}

function backendOf(key: string, ports: readonly number[]): Backend {
  return {
    key,
    service: { kind: 'Service', namespace: 'default', name: key },
    servicePort: 80,
    clientIpAffinitySeconds: 0,
    endpoints: ports.map((port) => ({
      address: '192.0.2.1',
      port,
      uid: '',
      state: 'ready',
      weight: 1,
      zone: '',
      node: '',
    })),
  }
}

/** A slot for each endpoint, the same over all updates, as the supervisor gives them. */
class Slots {
  readonly #slots = new Map<string, number>()

  update(delta: TableDelta): TableUpdate {
    const endpointSlots = new Map<string, Int32Array>()
    for (const [key, backend] of delta.backends) {
      if (backend === undefined) continue
      endpointSlots.set(
        key,
        Int32Array.from(backend.endpoints, ({ port }) => this.#of(`${key} ${port}`)),
      )
    }
    return { delta, endpointSlots, ruleSlots: new Map() }
  }

  #of(name: string): number {
    const slot = this.#slots.get(name) ?? this.#slots.size + 1
    this.#slots.set(name, slot)
    return slot
  }
}

class Worker {
  readonly released: number[] = []
  readonly table: LiveTable

  constructor() {
    this.table = new LiveTable(
      {
        memory: EndpointMemory.create(64, 1),
        writer: 0,
        random: seededRandom(1),
        now: () => 0,
        onEjected() {},
        onReleased: ({ slot }) => this.released.push(slot),
      },
      () => 0,
    )
  }

  /** Everything that a request could find: by host and path the backend and its endpoints. */
  view(): string[] {
    const lines: string[] = []
    for (const host of ['a.test', 'b.test', 'c.test', 'elsewhere']) {
      for (const path of ['/', '/x', '/x/y/z', '/z']) {
        const head = takeRequestHead()
        const live = this.table.match('all', host, path, head)
        releaseRequestHead(head)
        const ports = live?.targets[0]?.backend.endpoints.map(({ port }) => port)
        lines.push(`${host}${path} ${live?.rule.key ?? '-'} ${String(ports)}`)
      }
    }
    return [...lines, String(this.table.options.keepAliveRequests), String(this.table.backendCount)]
  }
}

test('deltas in any batching lead to what a full load of the same table leads to', () => {
  fc.assert(
    fc.property(
      fc.array(tables, { minLength: 1, maxLength: 6 }),
      fc.array(fc.boolean()),
      (all, cuts) => {
        const slots = new Slots()
        const follower = new Worker()
        let current: RouteTable = all[0] as RouteTable
        let pending: TableDelta = fullDelta(current, 1)
        for (const [i, next] of all.entries()) {
          if (cuts[i] === true) {
            follower.table.apply(slots.update(pending))
            pending = diffTables(current, next, i + 2)
          } else {
            pending = mergeDeltas(pending, diffTables(current, next, i + 2))
          }
          current = next
        }
        follower.table.apply(slots.update(pending))

        const fresh = new Worker()
        fresh.table.apply(slots.update(fullDelta(current, 99)))
        assert.deepEqual(follower.view(), fresh.view())

        // And a full load over whatever was there before leads to the same, too.
        const replaced = new Worker()
        for (const table of all) replaced.table.apply(slots.update(fullDelta(table, 100)))
        assert.deepEqual(replaced.view(), fresh.view())
      },
    ),
    { numRuns: 300 },
  )
})

test('an endpoint that leaves the table is given back once, and one that stays is not', () => {
  fc.assert(
    fc.property(fc.array(tables, { minLength: 2, maxLength: 6 }), (all) => {
      const slots = new Slots()
      const worker = new Worker()
      let current: RouteTable = all[0] as RouteTable
      worker.table.apply(slots.update(fullDelta(current, 1)))
      for (const next of all.slice(1)) {
        worker.released.length = 0
        const delta = diffTables(current, next, 2)
        const gone = slotsOf(slots, current).difference(slotsOf(slots, next))
        worker.table.apply(slots.update(delta))
        assert.deepEqual(new Set(worker.released), gone)
        assert.equal(worker.released.length, gone.size)
        current = applyDelta(current, delta)
      }
    }),
    { numRuns: 200 },
  )
})

function slotsOf(slots: Slots, table: RouteTable): Set<number> {
  const all = [...slots.update(fullDelta(table, 0)).endpointSlots.values()]
  return new Set(all.flatMap((own) => Array.from(own)))
}
