import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { compile } from '#src/compile/compile.ts'
import type { Compiled } from '#src/compile/compiler.ts'
import { defaultCompileSettings } from '#src/compile/settings.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { Store } from '#src/snapshot/store.ts'
import { parseFile } from '#src/sources/files/parse-file.ts'
import { printTable } from '#src/table/print.ts'
import { nowMs, fakeReaders } from './compile/compiling.ts'

// Each test/golden/NAME.yaml is compiled as a cluster's objects would be; the printed table and the
// findings must equal NAME.golden. After an intended change: `npm run golden`, then read the diff as
// carefully as code.

const folder = join(import.meta.dirname, 'golden')
const settings = {
  ...defaultCompileSettings,
  configMap: { namespace: 'headgate', name: 'options' },
}
const names: Readonly<Record<string, readonly string[]>> = {
  'out.example.com': ['192.0.2.10', '192.0.2.11'],
}

for (const file of globSync('*.yaml', { cwd: folder }).toSorted()) {
  const { objects, problems } = read(file)

  test(`golden: ${basename(file, '.yaml')}`, (t) => {
    const text = show(compileAll(objects), problems)
    const golden = join(folder, file.replace(/\.yaml$/, '.golden'))
    t.assert.fileSnapshot(text, golden, { serializers: [String] })
  })

  test(`golden: ${basename(file, '.yaml')}, in another order`, () => {
    const forwards = show(compileAll(objects), problems)
    assert.equal(show(compileAll(objects.toReversed()), problems), forwards)
  })
}

function read(file: string): { objects: readonly AnyObject[]; problems: readonly Diagnostic[] } {
  const parsed = parseFile(readFileSync(join(folder, file), 'utf8'), file)
  assert.ok(parsed.ok, `${file} is no YAML`)
  return { objects: parsed.objects, problems: parsed.diagnostics }
}

function compileAll(objects: readonly AnyObject[]): Compiled {
  const store = new Store()
  for (const object of objects) store.put(object)
  const snapshot = store.freeze((name) => names[name])
  return compile(snapshot, settings, { ...fakeReaders, nowMs })
}

function show({ table, diagnostics }: Compiled, problems: readonly Diagnostic[]): string {
  // Most inputs have no ConfigMap, which is beside their point.
  const findings = [...problems, ...diagnostics].filter(({ code }) => code !== 'configmap-missing')
  const lines = findings.map(({ severity, code, kind, namespace, name, field, message }) => {
    const place = [kind, [namespace, name].filter(Boolean).join('/'), field].filter(Boolean)
    return `${severity} ${code} ${place.join(' ')}: ${message}\n`
  })
  return [printTable(table), lines.join('')].filter(Boolean).join('\n')
}
