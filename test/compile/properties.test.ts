import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Compiler } from '#src/compile/compiler.ts'
import type { Compiled } from '#src/compile/compiler.ts'
import type { CompileSettings } from '#src/compile/settings.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { applyDelta, diffTables } from '#src/table/delta.ts'
import type { Rule } from '#src/table/table.ts'
import { printTable } from '#src/table/print.ts'
import { anyObject, anyObjects, firstOfEachName } from './arbitraries.ts'
import { ingress, snapshotOf } from './builders.ts'
import { compileObjects, fakeReaders, nowMs, rulesByHost, settings } from './compiling.ts'

const resolved = { 'out.example': ['192.0.2.1'], localhost: ['127.0.0.1'] }

const settingsMade: fc.Arbitrary<Partial<CompileSettings>> = fc.record(
  {
    source: fc.constantFrom('files', 'kubernetes'),
    watchIngressWithoutClass: fc.boolean(),
    zone: fc.constantFrom('', 'z1'),
    namespaces: fc.constantFrom<string[]>([], ['shop']),
    defaultBackendService: fc.constantFrom(undefined, { namespace: 'shop', name: 'a' }),
    defaultCertificate: fc.constantFrom(undefined, { namespace: 'shop', name: 'a' }),
  },
  { noNullPrototype: true },
)

/** Everything that a compilation says, as bytes. */
function bytesOf({ table, diagnostics, references }: Compiled): string {
  const { listeners, hosts, backends, certificates, options } = table
  const maps = [[...listeners], [...hosts], [...backends], [...certificates]]
  return JSON.stringify([maps, options, diagnostics, references])
}

test('whatever the objects hold, they compile, to plain data that hangs together', () => {
  fc.assert(
    fc.property(anyObjects, settingsMade, (objects, given) => {
      const compiled = compileObjects(objects, { ...given, resolved })
      const { table, diagnostics } = compiled
      assert.deepEqual(structuredClone(table), table)
      printTable(table)
      // Other names of a host share its rules.
      const keys = new Map<string, Rule>()
      for (const host of table.hosts.values()) {
        if (host.certificate !== undefined) assert.ok(table.certificates.has(host.certificate))
        for (const rule of host.rules) {
          assert.equal(keys.get(rule.key) ?? rule, rule)
          keys.set(rule.key, rule)
          for (const use of rule.backends) assert.ok(table.backends.has(use.backend))
        }
      }
      for (const { message, kind } of diagnostics) assert.ok(message !== '' && kind !== '')
    }),
    { numRuns: 1000 },
  )
})

test('the order of the objects does not show in a single byte', () => {
  const shuffled = anyObjects.chain((objects) =>
    fc.tuple(fc.constant(objects), fc.shuffledSubarray(objects, { minLength: objects.length })),
  )
  fc.assert(
    fc.property(shuffled, settingsMade, ([objects, others], given) => {
      const first = compileObjects(objects, { ...given, resolved })
      assert.equal(bytesOf(compileObjects(others, { ...given, resolved })), bytesOf(first))
      assert.equal(
        bytesOf(compileObjects(structuredClone(objects), { ...given, resolved })),
        bytesOf(first),
      )
    }),
    { numRuns: 500 },
  )
})

test('an Ingress that shares nothing with others neither changes them nor is changed by them', () => {
  const alone = ingress('alone', { hosts: { 'alone.test': [] }, meta: { namespace: 'alone' } })
  fc.assert(
    fc.property(anyObjects, (objects) => {
      const before = compileObjects(objects, { resolved })
      const after = compileObjects([...objects, alone], { resolved })
      const rules = rulesByHost(after)
      assert.deepEqual(rules.get('alone.test'), [])
      rules.delete('alone.test')
      assert.deepEqual(rules, rulesByHost(before))
      assert.deepEqual(after.diagnostics, before.diagnostics)
    }),
    { numRuns: 100 },
  )
})

test('a compiler with a history makes the same as one without, and its deltas lead there', () => {
  const changes = fc.array(fc.array(anyObject, { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 4,
  })
  fc.assert(
    fc.property(anyObjects, changes, settingsMade, (start, steps, given) => {
      const own = { ...settings, ...given }
      const compiler = new Compiler(own, fakeReaders)
      let objects = start
      let table = compiler.compile(snapshotOf(objects, resolved), nowMs).table
      for (const [i, step] of [...steps, [], start].entries()) {
        objects = change(objects, step, i)
        const snapshot = snapshotOf(objects, resolved)
        const next = compiler.compile(snapshot, nowMs + i)
        const fresh = new Compiler(own, fakeReaders).compile(snapshot, nowMs + i)
        assert.equal(bytesOf(next), bytesOf(fresh))
        table = applyDelta(table, diffTables(table, next.table, i))
        assert.deepEqual(table, next.table)
      }
    }),
    { numRuns: 400 },
  )
})

/** New objects take the place of old ones of their name; of the others one goes away. */
function change(
  objects: readonly AnyObject[],
  step: readonly AnyObject[],
  round: number,
): AnyObject[] {
  const gone = objects[round % Math.max(1, objects.length)]
  return firstOfEachName([...step, ...objects.filter((object) => object !== gone)])
}

test('what did not change comes out as the same object', () => {
  const objects = ['a', 'b'].map((name) => ingress(name, { hosts: { [`${name}.example`]: [] } }))
  const compiler = new Compiler({ ...settings, source: 'files' }, fakeReaders)
  const before = compiler.compile(snapshotOf(objects), nowMs).table
  const other = ingress('c', { hosts: { 'c.example': [] } })
  const after = compiler.compile(snapshotOf([...objects, other]), nowMs).table
  assert.equal(before.hosts.size, 2)
  assert.equal(after.hosts.size, 3)
  for (const [key, host] of before.hosts) assert.equal(after.hosts.get(key), host)
})
