import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FileView } from '#src/sources/files/file-view.ts'
import { parseFile } from '#src/sources/files/parse-file.ts'
import type { ParsedFile } from '#src/sources/files/parse-file.ts'
import type { SourceChange } from '#src/sources/source.ts'

const broken: ParsedFile = { ok: false, problem: 'is broken', place: 'line 1, column 2' }

/** One ConfigMap for each `name=value`; a name in upper case makes an invalid one. */
function file(path: string, ...entries: readonly string[]): ParsedFile {
  const documents = entries.map((entry) => {
    const [name = '', value = ''] = entry.split('=')
    const data = value === 'bad' ? '7' : `"${value}"`
    return `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { value: ${data} }\n`
  })
  return parseFile(documents.join('---\n'), path)
}

/** `name=value` of what is put, `-name` of what is gone. */
function shown({ put, deleted }: SourceChange): string[] {
  const values = put.map(
    ({ metadata, ...object }) =>
      `${metadata.name}=${(object as unknown as { data: { value: string } }).data.value}`,
  )
  return [...values, ...deleted.map(({ name }) => `-${name}`)].toSorted()
}

function codes(view: FileView): string[] {
  return view.diagnostics.map(
    (one) => `${one.code} ${one.kind} ${one.name} ${one.field} ${one.file}`,
  )
}

test('a merge says what differs from the last one', () => {
  const view = new FileView()
  assert.equal(view.set('a.yaml', '1', file('a.yaml', 'x=1', 'y=1')), true)
  view.set('b.yaml', '1', file('b.yaml', 'z=1'))
  assert.deepEqual(shown(view.merge()), ['x=1', 'y=1', 'z=1'])
  assert.deepEqual(shown(view.merge()), [])
  view.set('a.yaml', '2', file('a.yaml', 'x=2', 'w=1'))
  assert.deepEqual(shown(view.merge()), ['-y', 'w=1', 'x=2'])
  assert.equal(view.delete('b.yaml'), true)
  assert.equal(view.delete('b.yaml'), false)
  assert.deepEqual(shown(view.merge()), ['-z'])
  assert.equal(view.size, 2)
  assert.deepEqual([view.stampOf('a.yaml'), view.stampOf('b.yaml')], ['2', undefined])
})

test('a file that moves takes its objects along', () => {
  const view = new FileView()
  view.set('a.yaml', '1', file('a.yaml', 'x=1'))
  view.merge()
  view.set('b.yaml', '1', file('b.yaml', 'x=1'))
  view.delete('a.yaml')
  const { put, deleted } = view.merge()
  assert.deepEqual([put.map((object) => object.file), deleted], [['b.yaml'], []])
  assert.deepEqual(codes(view), [])
})

test('a file that cannot be read keeps its objects and says so, until it can', () => {
  const view = new FileView()
  view.set('a.yaml', '1', file('a.yaml', 'x=1', 'Bad=1'))
  view.merge()
  assert.equal(view.set('a.yaml', '2', broken), true)
  assert.equal(view.set('a.yaml', '3', broken), true)
  assert.deepEqual(shown(view.merge()), [])
  assert.deepEqual(codes(view), [
    'object-invalid ConfigMap Bad metadata.name a.yaml#2',
    'file-unreadable File a.yaml line 1, column 2 a.yaml',
  ])
  view.set('a.yaml', '4', file('a.yaml', 'x=2'))
  assert.deepEqual(shown(view.merge()), ['x=2'])
  assert.deepEqual(codes(view), [])
})

test('an object that becomes invalid keeps its last good version', () => {
  const view = new FileView()
  view.set('a.yaml', '1', file('a.yaml', 'x=1', 'y=1'))
  view.merge()
  view.set('a.yaml', '2', file('a.yaml', 'x=bad', 'y=2'))
  assert.deepEqual(shown(view.merge()), ['y=2'])
  assert.deepEqual(codes(view), ['object-invalid ConfigMap x value a.yaml'])
  assert.equal(view.loses('a.yaml', file('a.yaml', 'x=bad', 'y=1')), false)
  view.set('a.yaml', '3', file('a.yaml', 'y=2'))
  assert.deepEqual(shown(view.merge()), ['-x', 'y=2'], 'y is in another document now')
  view.set('a.yaml', '4', file('a.yaml', 'x=bad', 'y=2'))
  assert.deepEqual(shown(view.merge()), ['y=2'], 'what was deleted has no good version')
})

test('an object of several files is taken from the first by name', () => {
  const view = new FileView()
  view.set('b.yaml', '1', file('b.yaml', 'x=b'))
  view.set('c.yaml', '1', file('c.yaml', 'x=c', 'x=d'))
  assert.deepEqual(shown(view.merge()), ['x=b'])
  view.set('a.yaml', '1', file('a.yaml', 'x=a'))
  assert.deepEqual(shown(view.merge()), ['x=a'])
  assert.deepEqual(
    view.diagnostics.map((one) => `${one.code} ${one.file} ${one.message}`),
    ['b.yaml', 'c.yaml', 'c.yaml#2'].map(
      (path) => `object-duplicate ${path} stands in a.yaml, too, which is used`,
    ),
  )
  view.delete('a.yaml')
  view.delete('b.yaml')
  assert.deepEqual(shown(view.merge()), ['x=c'])
  assert.deepEqual(codes(view), ['object-duplicate ConfigMap x  c.yaml#2'])
})

test('setting what was there changes nothing', () => {
  const view = new FileView()
  const parsed = file('a.yaml', 'x=1', 'Bad=1')
  view.set('a.yaml', '1', parsed)
  assert.equal(view.set('a.yaml', '2', parsed), false)
  assert.equal(view.stampOf('a.yaml'), '2')
  assert.equal(view.parsedOf('a.yaml'), parsed)
})

test('it is known whether a version would lose objects for good', () => {
  const view = new FileView()
  view.set('a.yaml', '1', file('a.yaml', 'x=1', 'y=1'))
  view.set('b.yaml', '1', file('b.yaml', 'y=1'))
  assert.equal(view.loses('a.yaml'), true)
  assert.equal(view.loses('b.yaml'), false)
  assert.equal(view.loses('c.yaml'), false)
  assert.equal(view.loses('a.yaml', file('a.yaml', 'x=2')), false)
  assert.equal(view.loses('a.yaml', file('a.yaml', 'y=2')), true)
  assert.equal(view.loses('a.yaml', broken), false)
})

test('any history of files leads to what their last versions hold', () => {
  const path: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c')
  const entry = fc.constantFrom('x=1', 'x=2', 'y=1', 'z=1')
  const entries = fc.uniqueArray(entry, { selector: (text) => text.charAt(0), maxLength: 3 })
  const step = fc.oneof(
    // Without entries the file is deleted.
    fc.record({ path, entries: fc.option(entries, { nil: undefined }) }),
    fc.constant('merge' as const),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const view = new FileView()
      const files = new Map<string, readonly string[]>()
      const state = new Map<string, string>()
      for (const [i, one] of [...steps, 'merge' as const].entries()) {
        if (one === 'merge') apply(state, shown(view.merge()))
        else if (one.entries === undefined) {
          assert.equal(view.delete(one.path), files.delete(one.path))
        } else {
          view.set(one.path, `${i}`, file(one.path, ...one.entries))
          files.set(one.path, one.entries)
        }
      }
      const expected = new Map<string, string>()
      for (const name of ['c', 'b', 'a']) apply(expected, files.get(name) ?? [])
      assert.deepEqual(state, expected)
      assert.equal(view.size, expected.size)
    }),
    { numRuns: 200 },
  )
})

function apply(state: Map<string, string>, changes: readonly string[]): void {
  for (const change of changes) {
    const [name = '', value = ''] = change.split('=')
    if (change.startsWith('-')) state.delete(change.slice(1))
    else state.set(name, value)
  }
}
