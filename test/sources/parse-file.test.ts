import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseFile } from '#src/sources/files/parse-file.ts'
import type { ParsedFile } from '#src/sources/files/parse-file.ts'
import { splitDocuments } from '#src/sources/files/split-documents.ts'

function configMap(name: string, value = 'x'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { value: "${value}" }\n`
}

function good(parsed: ParsedFile): ParsedFile & { readonly ok: true } {
  assert.ok(parsed.ok, JSON.stringify(parsed))
  return parsed
}

/** `name file` of every object. */
function objects(parsed: ParsedFile): string[] {
  return good(parsed).objects.map(({ metadata, file }) => `${metadata.name} ${file}`)
}

/** `code file field: message` of every finding. */
function findings(parsed: ParsedFile): string[] {
  return good(parsed).diagnostics.map(
    ({ code, file, field, message }) => `${code} ${file} ${field}: ${message}`,
  )
}

test('documents are told apart by number; empty ones do not count', () => {
  const text = `# first\n---\n${configMap('a')}---\n---\n# nothing\n---\n${configMap('b')}--- \n`
  assert.deepEqual(objects(parseFile(text, 'f.yaml')), ['a f.yaml', 'b f.yaml#2'])
  assert.deepEqual(objects(parseFile('', 'f.yaml')), [])
  assert.deepEqual(objects(parseFile('\ufeff', 'f.yaml')), [])
})

test('line ends of Windows, merge keys and anchors are understood', () => {
  const text =
    'x-base: &base { apiVersion: v1, kind: ConfigMap }\nkind: List\nitems:\n' +
    '- { <<: *base, metadata: { name: a } }\n- { <<: *base, metadata: { name: b } }\n'
  assert.deepEqual(objects(parseFile(text, 'f')), ['a f', 'b f'])
  const windows = `${configMap('a')}---\n${configMap('b')}`.replaceAll('\n', '\r\n')
  assert.deepEqual(objects(parseFile(windows, 'f')), ['a f', 'b f#2'])
})

test('streams with directives and document ends are read as one', () => {
  const text = `%YAML 1.2\n---\n${configMap('a')}...\n---\n${configMap('b')}`
  assert.deepEqual(objects(parseFile(text, 'f')), ['a f', 'b f#2'])
})

test('JSON is read, and what is nearly JSON too', () => {
  const json = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}'
  assert.deepEqual(objects(parseFile(json, 'f.json')), ['a f.json'])
  assert.deepEqual(objects(parseFile(json.replace('}}', '},}'), 'f.json')), ['a f.json'])
  assert.equal(parseFile(json.slice(0, -1), 'f.json').ok, false)
})

test('timestamps and odd scalars stay what they are in JSON', () => {
  const text =
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, creationTimestamp: 2024-01-02T03:04:05Z }\n' +
    'data: { a: on, b: yes, c: 0x, d: 1.2.3, e: "0" }\n'
  const [object] = good(parseFile(text, 'f')).objects
  assert.equal(object?.metadata.createdMs, Date.UTC(2024, 0, 2, 3, 4, 5))
  const read = { ...(object as { data: object }).data }
  assert.deepEqual(read, { a: 'on', b: 'yes', c: '0x', d: '1.2.3', e: '0' })
})

test('a document that is no valid object harms only itself', () => {
  const text = `just a text\n---\n${configMap('a')}---\n${configMap('B')}---\n[1]\n`
  const parsed = parseFile(text, 'f')
  assert.deepEqual(objects(parsed), ['a f#2'])
  assert.deepEqual(findings(parsed), [
    'object-invalid f : must be a Kubernetes object, got "just a text"',
    'object-invalid f#3 metadata.name: must be lower-case letters, digits, - and ., as in a DNS name, got "B"',
    'object-invalid f#4 : must be a Kubernetes object, got a list',
  ])
})

test('misspelt fields and kinds get a suggestion', () => {
  const text =
    'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: a }\n' +
    'spec: { rules: [], tsl: [] }\n---\napiVersion: v1\nkind: Configmap\nmetadata: { name: b }\n' +
    '---\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: c }\n' +
    '---\napiVersion: x.example/v1\nkind: Secrets\nmetadata: { name: d }\n'
  assert.deepEqual(findings(parseFile(text, 'f')), [
    'field-unknown f spec.tsl: is not a known field; tls is',
    'kind-unknown f#2 kind: is no kind that is read here; ConfigMap is',
  ])
})

// What cannot be parsed, with the place of the error.
const broken: readonly (readonly [text: string, problem: RegExp, place: string])[] = [
  ['a: [1, 2\nb: 3\n', /./, 'line 2, column 1'],
  [`${configMap('a')}---\nmetadata: {name: x\n  spec: [\n`, /./, 'line 6, column 18'],
  ['a: 1\n\tb: 2\n', /tab/, 'line 2, column 1'],
  ['a: 1\na: 2\n', /repeats a key/, 'line 2, column 1'],
  ['x: { b: 1,\n  b: 2 }\n', /repeats a key/, 'line 2, column 3'],
  ['a: *nowhere\n', /anchor/, ''],
  ['{{{ not yaml', /./, ''],
]

test('an error says where it is', () => {
  for (const [text, problem, place] of broken) {
    const parsed = parseFile(text, 'f')
    assert.ok(!parsed.ok, text)
    assert.match(parsed.problem, problem)
    if (place !== '') assert.equal(parsed.place, place, text)
  }
})

test('an error quotes nothing of the file', () => {
  const leaks = [
    'apiVersion: v1\nstringData: { password: hunter2\n',
    'password: "hunter2\n',
    'a: hunter2: b\n',
    '"x" hunter2\n',
    'a: *hunter2\n',
    '- hunter2\nb: 1\n',
    '{"password": hunter2 hunter2',
    'hunter2: 1\nhunter2: 2\n',
    '!hunter2 &hunter2 *hunter2',
  ]
  for (const file of ['f.yaml', 'f.json']) {
    for (const text of leaks) {
      assert.ok(!JSON.stringify(parseFile(text, file)).includes('hunter2'), text)
    }
  }
})

test('bombs are refused', () => {
  const laughs = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 10; i++) {
    const [here, before] = [String.fromCharCode(97 + i), String.fromCharCode(96 + i)]
    laughs.push(`${here}: &${here} [${Array(10).fill(`*${before}`).join(', ')}]`)
  }
  const bombs: readonly (readonly [string, RegExp])[] = [
    [laughs.join('\n'), /too many aliases/],
    ['['.repeat(100_000), /nested too deeply/],
    ['- '.repeat(20_000), /nested too deeply/],
    ['{a: '.repeat(20_000), /nested too deeply/],
  ]
  for (const [text, problem] of bombs) {
    const parsed = parseFile(text, 'f')
    assert.ok(!parsed.ok, text.slice(0, 20))
    assert.match(parsed.problem, problem)
  }
})

test('a map with many keys costs what many maps with few keys cost', () => {
  const count = 20_000
  const keys = Array.from({ length: count }, (_, i) => `  k${i}: 1`)
  const maps = Array.from({ length: count }, (_, i) =>
    i % 100 === 0 ? `m${i}:\n  a: 1` : `  k${i}: 1`,
  )
  const many = cpuMs(() => parseFile(maps.join('\n'), 'f'))
  const one = cpuMs(() => parseFile(`m:\n${keys.join('\n')}`, 'f'))
  assert.ok(one < 10 * many, `${one} ms against ${many} ms`)
})

/** CPU of this thread, so that others do not count. */
function cpuMs(action: () => ParsedFile): number {
  const before = process.threadCpuUsage()
  assert.equal(action().ok, true)
  return process.threadCpuUsage(before).user / 1000
}

test('of a file that changes, only documents that differ are read again', () => {
  const documents = Array.from({ length: 20 }, (_, i) => configMap(`c${i}`))
  const before = good(parseFile(documents.join('---\n'), 'f'))
  documents[7] = configMap('c7', 'new')
  const after = good(parseFile(documents.join('---\n'), 'f', before))
  const same = after.objects.filter((object, i) => object === before.objects[i])
  assert.equal(same.length, 19)
  documents.splice(10, 1)
  const shorter = good(parseFile(documents.join('---\n'), 'f', after))
  assert.deepEqual(shorter.objects, good(parseFile(documents.join('---\n'), 'f')).objects)
  assert.equal(shorter.objects[9], after.objects[9])
  assert.equal(shorter.objects[10]?.file, 'f#11')
})

test('reading again gives what reading afresh gives', () => {
  const document = fc.constantFrom(
    configMap('a'),
    configMap('b', 'y'),
    configMap('B'),
    'text\n',
    '',
    '# c\n',
    '[1]\n',
  )
  const file = fc.array(document, { maxLength: 6 }).map((parts) => parts.join('---\n'))
  fc.assert(
    fc.property(file, file, (first, second) => {
      const fresh = parseFile(second, 'f')
      assert.deepEqual(parseFile(second, 'f', parseFile(first, 'f')), fresh)
    }),
    { numRuns: 200 },
  )
})

test('cutting a file into documents loses nothing', () => {
  const line = fc.constantFrom('---', '--- ', '---x', ' ---', 'a', '', '--- a', '...', '%YAML 1.2')
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), (lines, end) => {
      const text = lines.join(end)
      const parts = splitDocuments(text)
      assert.equal(parts.map((part) => part.text).join(''), text)
      for (const part of parts) {
        const above = text.slice(0, text.indexOf(part.text, 0)).split('\n').length
        assert.ok(part.line >= above)
      }
      const [first, ...rest] = parts
      assert.equal(first?.line, 1)
      for (const part of rest) assert.match(part.text, /^---(\s|$)/)
    }),
  )
})

test('whatever a file holds, it is read or refused, never thrown over', () => {
  const signs = 'a:  - { } [ ] " \' | > &a *a !t ? : # % <<: --- ... kind: Secret x'.split(' ')
  const piece = fc.oneof(
    fc.constantFrom(...signs, ' ', '\t', '\0', '\n', '\n  ', '\n---\n', '\n...\n'),
    fc.string({ maxLength: 5 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      for (const name of ['f.yaml', 'f.json']) {
        const parsed = parseFile(pieces.join(''), name)
        if (!parsed.ok) assert.ok(parsed.problem.length > 0)
      }
    }),
    { numRuns: 1500 },
  )
})
