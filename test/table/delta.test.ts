import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { defaultGlobalOptions, emptyTable } from '#src/table/defaults.ts'
import { applyDelta, diffTables, fullDelta, isEmptyDelta, mergeDeltas } from '#src/table/delta.ts'
import { equal } from '#src/table/equal.ts'
import { hostKey, tupleKey } from '#src/table/keys.ts'
import type {
  Authorities,
  Backend,
  Certificate,
  Host,
  Listener,
  RouteTable,
  TableDelta,
} from '#src/table/table.ts'

// Small tables with few keys and few values, so that parts stay, change, come and go.

function mapOf<Part>(arbitrary: fc.Arbitrary<Part>): fc.Arbitrary<ReadonlyMap<string, Part>> {
  const pairs = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), arbitrary), { maxLength: 3 })
  return pairs.map((entries) => new Map(entries))
}

const few = fc.nat({ max: 2 })
const origin = { kind: 'Service', namespace: 'n', name: 's' }

const listeners: fc.Arbitrary<ReadonlyMap<string, Listener>> = mapOf(
  few.map((port) => ({
    key: 'l',
    protocol: 'http',
    addresses: [],
    port,
    hostGroup: 'g',
    proxyProtocol: false,
    defaultCertificate: undefined,
  })),
)
const hosts: fc.Arbitrary<ReadonlyMap<string, Host>> = mapOf(
  few.map((count) => ({
    key: 'h',
    hostGroup: 'g',
    pattern: `p${count}`,
    rules: [],
    certificate: count === 0 ? undefined : 'c',
    tls: count > 0,
    clientCertificates: undefined,
  })),
)
const backends: fc.Arbitrary<ReadonlyMap<string, Backend>> = mapOf(
  few.map((count) => ({
    key: 'b',
    service: origin,
    servicePort: 80,
    endpoints: Array.from({ length: count }, (_, i) => ({
      address: `10.0.0.${i}`,
      port: 80,
      uid: '',
      state: 'ready' as const,
      weight: 1,
      zone: '',
      node: '',
    })),
    clientIpAffinitySeconds: 0,
  })),
)
const certificates: fc.Arbitrary<ReadonlyMap<string, Certificate>> = mapOf(
  few.map((count) => ({
    key: 'c',
    origin,
    certificatePem: '',
    keyPem: '',
    names: [],
    fingerprint: String(count),
    notAfterMs: count,
  })),
)
const authorities: fc.Arbitrary<ReadonlyMap<string, Authorities>> = mapOf(
  few.map((count) => ({
    key: 'a',
    origin,
    caPem: '',
    crlPem: '',
    fingerprint: String(count),
  })),
)
const options = fc.constantFrom(defaultGlobalOptions, { ...defaultGlobalOptions, accessLog: false })
const tables: fc.Arbitrary<RouteTable> = fc.record(
  { listeners, hosts, backends, certificates, authorities, options },
  { noNullPrototype: true },
)

/** The deltas that lead through all tables, one after the other. */
function deltasThrough(history: readonly RouteTable[]): TableDelta[] {
  return history.slice(1).map((after, i) => diffTables(history[i] ?? emptyTable, after, i + 2))
}

test('deltas in any batches lead to the same table as a full load', () => {
  const inputs = fc.record({
    history: fc.array(tables, { minLength: 2, maxLength: 8 }),
    cuts: fc.array(fc.nat({ max: 7 })),
    fullAt: fc.nat({ max: 8 }),
  })
  fc.assert(
    fc.property(inputs, ({ history, cuts, fullAt }) => {
      const first = history[0] ?? emptyTable
      const last = history.at(-1) ?? emptyTable
      // Anywhere on the way a whole table may be sent in place of a change.
      const deltas = deltasThrough(history).map((delta, i) =>
        i === fullAt ? fullDelta(history[i + 1] ?? emptyTable, delta.version) : delta,
      )
      let table = first
      let batch: TableDelta | undefined
      for (const [i, delta] of deltas.entries()) {
        batch = batch === undefined ? delta : mergeDeltas(batch, delta)
        if (!cuts.includes(i)) continue
        table = applyDelta(table, structuredClone(batch))
        batch = undefined
      }
      if (batch !== undefined) table = applyDelta(table, batch)
      assert.deepEqual(table, last)
      assert.deepEqual(applyDelta(first, fullDelta(last, history.length)), last)
    }),
  )
})

test('a delta names only what differs, and nothing when nothing does', () => {
  fc.assert(
    fc.property(tables, tables, (before, after) => {
      const delta = diffTables(before, after, 2)
      for (const [key, host] of delta.hosts) assert.notDeepEqual(before.hosts.get(key), host)
      assert.equal(isEmptyDelta(delta), equal(before, after))
      assert.ok(isEmptyDelta(diffTables(after, structuredClone(after), 3)))
    }),
  )
})

test('applying leaves the old table alone, and keeps the parts that stay', () => {
  fc.assert(
    fc.property(tables, tables, (before, after) => {
      const copy = structuredClone(before)
      const applied = applyDelta(before, diffTables(before, after, 2))
      assert.deepEqual(before, copy)
      for (const [key, host] of applied.hosts) {
        const old = before.hosts.get(key)
        if (equal(old, host)) assert.equal(host, old)
      }
    }),
  )
})

test('a full delta drops what it does not name', () => {
  const [host] = fc.sample(
    hosts.filter(({ size }) => size > 0),
    { numRuns: 1, seed: 1 },
  )
  const filled = { ...emptyTable, hosts: host ?? new Map<string, Host>() }
  assert.deepEqual(applyDelta(filled, fullDelta(emptyTable, 2)), emptyTable)
  const merged = mergeDeltas(fullDelta(filled, 2), diffTables(filled, emptyTable, 3))
  assert.deepEqual(applyDelta(emptyTable, merged), emptyTable)
  assert.equal(merged.full, true)
  assert.equal(isEmptyDelta(fullDelta(emptyTable, 1)), false)
})

test('equal compares contents as deepEqual does', () => {
  const leaf = fc.constantFrom<unknown>(0, 1, 'x', 'y', undefined, null, true, Number.NaN)
  const key = fc.constantFrom('a', 'b')
  const { data } = fc.letrec<{ data: unknown }>((tie) => ({
    data: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('data'), { maxLength: 2 }),
      fc.dictionary(key, tie('data'), { noNullPrototype: true }),
      fc.array(fc.tuple(key, tie('data')), { maxLength: 2 }).map((pairs) => new Map(pairs)),
    ),
  }))
  fc.assert(
    fc.property(data, data, (a, b) => {
      assert.equal(equal(a, b), deepEqual(a, b))
      assert.ok(equal(a, structuredClone(a)))
    }),
    { numRuns: 2000 },
  )
  assert.ok(!equal([], new Map()))
  assert.ok(!equal(new Map(), {}))
  assert.ok(!equal([], {}))
  assert.ok(!equal({ a: undefined }, { b: undefined }))
  assert.ok(!equal(new Map([['a', undefined]]), new Map([['b', undefined]])))
})

test('keys of different tuples differ, whatever the parts hold', () => {
  const part = fc.oneof(fc.string(), fc.nat(), fc.constantFrom('","', '\\', '[', 'a-b', 'a', 'b-c'))
  fc.assert(
    fc.property(fc.array(part), fc.array(part), (a, b) => {
      assert.equal(tupleKey(...a) === tupleKey(...b), deepEqual(a, b))
    }),
  )
  assert.notEqual(hostKey('a', 'b'), hostKey('b', 'a'))
})

function deepEqual(a: unknown, b: unknown): boolean {
  try {
    assert.deepStrictEqual(a, b)
    return true
  } catch {
    return false
  }
}
