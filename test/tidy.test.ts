import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { test } from 'node:test'
import { flags } from '#src/commands/flags.ts'

/**
 * Folder: what it may import, nearest the ground first. A folder names only folders above it in this
 * table, so that no cycle between folders can be written. `X!` allows `import type` only.
 */
const importTable = `
algorithms:
src/exchange: algorithms
src/shared: algorithms src/exchange
src/annotations: algorithms src/exchange
src/snapshot: algorithms src/exchange
src/policies: algorithms src/exchange src/annotations
src/snippets: algorithms src/annotations src/policies
src/transport: src/exchange
src/table: algorithms src/policies! src/transport!
src/compile: algorithms src/annotations src/policies src/snippets src/snapshot src/table
src/http1: src/exchange src/transport!
src/http2: src/exchange src/transport!
src/upstream: algorithms src/exchange src/shared src/transport src/table src/http1 src/http2
src/observe: src/shared
src/kubernetes: src/observe
src/election: src/observe src/kubernetes
src/feedback: algorithms src/annotations src/snapshot src/observe src/kubernetes
src/admission: src/annotations src/snapshot src/compile src/transport src/kubernetes src/observe
src/workers: algorithms src/exchange src/shared src/transport src/table src/observe
src/proxy: algorithms src/exchange src/shared src/annotations src/policies src/transport src/table
src/proxy: src/http1 src/http2 src/upstream src/observe src/workers!
src/sources: src/annotations src/snapshot src/kubernetes src/observe
src/controller: src/annotations src/snapshot src/table src/compile src/observe src/sources
src/controller: src/transport src/kubernetes src/election src/feedback src/admission src/workers!
src/commands: *
src: *
`

/** What may lie at the top. Folders of tools and results are in .gitignore. */
const topLevel = new Set(
  `.ci algorithms bench deploy src test .gitignore .oxlintrc.json .prettierrc.json .dockerignore
  package.json package-lock.json tsconfig.json LICENSE README.md ARCHITECTURE.md DECISIONS.md
  CONTRIBUTING.md CHANGELOG.md ANNOTATIONS.md`.split(/\s+/),
)

/** Folders of test/ that mirror no folder of the sources. */
const ownTestFolders = new Set('golden support fuzz nginx vectors conformance cluster'.split(' '))

const root = join(import.meta.dirname, '..')
const code = globSync('{src,algorithms,bench,test,deploy}/**/*.ts', { cwd: root }).toSorted()
const product = code.filter((file) => /^(src|algorithms)\//.test(file))
const texts = globSync(['{src,algorithms,bench,test,deploy,.ci}/**/*', '*.{md,json}', '.*.json'], {
  cwd: root,
  withFileTypes: true,
})
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  .filter((file) => !file.startsWith('bench/results/'))
  .toSorted()

const mayImport = new Map<string, string[]>()
for (const line of importTable.trim().split('\n')) {
  const [folder = '', ...allowed] = line.split(/:? /)
  mayImport.set(folder.replace(':', ''), [...(mayImport.get(folder) ?? []), ...allowed])
}

interface Import {
  readonly target: string
  readonly typeOnly: boolean
}

test('the import table names only folders above, so it has no cycle', () => {
  const above = new Set<string>(['*'])
  for (const [folder, allowed] of mayImport) {
    for (const name of allowed) {
      assert.ok(above.has(name.replace('!', '')), `${folder} names ${name} too early`)
    }
    above.add(folder)
  }
})

test('imports follow the table', () => {
  const wrong: string[] = []
  for (const file of product) {
    const from = folderOf(file)
    const allowed = mayImport.get(from)
    assert.ok(allowed !== undefined, `${file}: folder ${from} is not in the import table`)
    for (const { target, typeOnly } of importsOf(file)) {
      const to = folderOf(target)
      if (from === to || allowed.includes('*') || allowed.includes(to)) continue
      if (typeOnly && allowed.includes(`${to}!`)) continue
      wrong.push(`${file} must not import ${target}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('product code imports no tests and no benchmarks', () => {
  for (const file of product) {
    for (const { target } of importsOf(file)) {
      assert.ok(!/^(test|bench)\//.test(target), `${file} imports ${target}`)
    }
  }
})

// Types may refer to each other; what is loaded may not.
test('no file loads itself, directly or round about', () => {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file)
    assert.equal(start, -1, `import cycle: ${[...path.slice(start), file].join(' -> ')}`)
    // A file that is missing is the next test's finding.
    if (done.has(file) || !existsSync(join(root, file))) return
    for (const { target, typeOnly } of importsOf(file)) {
      if (!typeOnly) visit(target, [...path, file])
    }
    done.add(file)
  }
  for (const file of code) visit(file, [])
})

test('every import of our own names a file that exists', () => {
  for (const file of code) {
    for (const { target } of importsOf(file)) {
      assert.ok(existsSync(join(root, target)), `${file} imports ${target}, which does not exist`)
    }
  }
})

test('no source file is longer than 400 lines', () => {
  for (const file of code) {
    const lines = read(file).trimEnd().split('\n').length
    assert.ok(lines <= 400, `${file} has ${lines} lines`)
  }
})

test('exports are named', () => {
  for (const file of code) {
    assert.doesNotMatch(read(file), /^export default\b/m, `${file} has a default export`)
  }
})

test('file and folder names are kebab-case and say what is inside', () => {
  for (const file of code) {
    assert.match(file, /^[a-z0-9-]+(\/[a-z0-9-]+)*(\.[a-z0-9]+)*\.ts$/, `${file} is not kebab-case`)
    assert.doesNotMatch(file, /\b(utils?|helpers?|common|misc|manager)\b/, `${file} names nothing`)
  }
})

test('nothing is left for later in a comment', () => {
  const mark = new RegExp(['TO', 'DO|FIX', 'ME|XX', 'X'].join(''))
  for (const file of texts) {
    if (file === 'package-lock.json' || file.startsWith('test/vectors/')) continue
    assert.doesNotMatch(read(file), mark, `${file} leaves something for later`)
  }
})

test('no test is switched off or alone', () => {
  const off =
    /\b(?:test|it|describe|suite|t)\.(?:skip|only|todo)\(|\b(?:skip|only|todo): (?:true|')/
  for (const file of code.filter(
    (name) => name.startsWith('test/') && !name.endsWith('tidy.test.ts'),
  )) {
    assert.doesNotMatch(read(file), off, `${file} switches a test off`)
  }
})

test('no file names a place on one machine', () => {
  const place = new RegExp(['/wo', 'rk/|/ro', 'ot/|/ho', 'me/[a-z]'].join(''))
  for (const file of texts) {
    const found = place.exec(read(file))
    assert.equal(found, null, `${file} names ${found?.[0]}`)
  }
})

test('only the agreed files and folders lie at the top', () => {
  const ignored = read('.gitignore').split('\n').filter(Boolean)
  const others = readdirSync(root)
    .filter((name) => name !== '.git' && !topLevel.has(name))
    .filter((name) => !ignored.some((pattern) => matchesIgnore(name, pattern)))
  assert.deepEqual(others, [])
})

test('folders of test/ mirror the folders of the sources', () => {
  for (const entry of readdirSync(join(root, 'test'), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    const { name } = entry
    const mirrors = ['', 'src', 'algorithms'].some((part) => existsSync(join(root, part, name)))
    assert.ok(mirrors || ownTestFolders.has(name), `test/${name} mirrors nothing`)
  }
})

test('links in the documents lead somewhere', () => {
  for (const file of texts.filter((name) => name.endsWith('.md'))) {
    for (const [, target = ''] of read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)) {
      assert.ok(existsSync(join(root, dirname(file), target)), `${file} links to ${target}`)
    }
  }
})

test('every invariant of ARCHITECTURE.md names the tests that hold it', () => {
  const section = /\n## Invariants\n([\s\S]*?)\n## /.exec(read('ARCHITECTURE.md'))?.[1] ?? ''
  const invariants = section.split(/\n(?=\d+\. )/).filter((item) => /^\d+\. /.test(item))
  assert.ok(invariants.length >= 9, `only ${invariants.length} invariants found`)
  for (const invariant of invariants) {
    const tests = [...invariant.matchAll(/`(test\/[^`]+\.ts)`/g)].map((match) => match[1] ?? '')
    assert.ok(tests.length > 0, `no test is named by: ${invariant}`)
    for (const file of tests) assert.ok(existsSync(join(root, file)), `${file} does not exist`)
  }
})

test('the changelog has a place for the next release', () => {
  assert.match(read('CHANGELOG.md'), /^## \[Unreleased\]$/m)
})

test('every flag stands in the README with its default', () => {
  const readme = read('README.md')
  for (const [name, { default: initial }] of Object.entries(flags)) {
    const row = readme.split('\n').find((line) => line.startsWith(`| \`--${name}`))
    assert.ok(row !== undefined, `--${name} has no row in the README's tables of flags`)
    const shown = row.replaceAll('`', '')
    assert.ok(
      shown.includes(initial),
      `the README's row of --${name} lacks its default, ${initial}`,
    )
  }
})

test('the README opens with the two commands', () => {
  const [opening] = read('README.md').split('\n## ')
  assert.match(opening ?? '', /^ *npm ci && npm start\b/m)
  assert.match(opening ?? '', /^ *npm ci && npm test\b/m)
})

/** Our own files that a file imports, as paths from the root. */
function importsOf(file: string): Import[] {
  const statements = read(file).matchAll(
    /^(?:import|export)\s+(type\s+)?(?:[\w*{}\s,]+?\s+from\s+)?'([.#][^']+)'/gm,
  )
  return [...statements].map(([, type, specifier = '']) => ({
    target: specifier.startsWith('.') ? join(dirname(file), specifier) : specifier.slice(1),
    typeOnly: type !== undefined,
  }))
}

function folderOf(path: string): string {
  const parts = path.split('/')
  if (parts[0] !== 'src') return parts[0] ?? ''
  return parts.length > 2 ? `src/${parts[1]}` : 'src'
}

function matchesIgnore(name: string, pattern: string): boolean {
  const bare = pattern.replace(/\/$/, '')
  return bare.startsWith('*') ? name.endsWith(bare.slice(1)) : name === bare
}

const contents = new Map<string, string>()

function read(file: string): string {
  let text = contents.get(file)
  if (text === undefined) contents.set(file, (text = readFileSync(join(root, file), 'utf8')))
  return text
}
