import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { ingressNginxPending } from '#src/annotations/ingress-nginx.ts'
import { commands } from '#src/commands/index.ts'
import { flagsOf } from '#src/commands/parse-flags.ts'
import { annotationSchema } from '#src/compile/values/schema.ts'
import { workerFamilies } from '#src/shared/worker-families.ts'

const root = join(import.meta.dirname, '..')
const documents = globSync(['*.md', '{deploy,bench,algorithms}/**/*.md'], { cwd: root }).toSorted()

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** A document as running text. */
function flowing(file: string): string {
  return read(file).replaceAll(/\s+/g, ' ')
}

function headingsOf(text: string, level = '#{1,6}'): string[] {
  return [...text.matchAll(new RegExp(`^${level} (.+)$`, 'gm'))].map(([, title = '']) => title)
}

/** The anchor that GitHub makes of a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** Folders of a folder, as paths from the root. */
function foldersIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .map((name) => `${folder}/${name}`)
    .filter((path) => statSync(join(root, path)).isDirectory())
}

const compatibilities = Object.values(annotationSchema).map(({ compatibility }) => compatibility)
const own = compatibilities.filter((one) => one === 'own').length
const unused = compatibilities.filter((one) => typeof one === 'object' && 'unused' in one).length
const refused = Object.keys(ingressNginxPending).length
const honoured = compatibilities.length - own - unused
const all = honoured + unused + refused

const counts: readonly [file: string, sentence: RegExp, figures: readonly number[]][] = [
  [
    'README.md',
    /ingress-nginx's (\d+) annotations (\d+) are honoured, (\d+) are accepted [^.]*? and (\d+) are refused\. (\d+) more are Headgate's own/,
    [all, honoured, unused, refused, own],
  ],
  [
    'CHANGELOG.md',
    /(\d+) of ingress-nginx's (\d+) annotations are honoured, (\d+) accepted without effect and (\d+) refused/,
    [honoured, all, unused, refused],
  ],
  [
    'deploy/moving-from-ingress-nginx.md',
    /ingress-nginx's (\d+) annotations (\d+) are honoured, (\d+) are accepted [^.]*? and (\d+) are refused/,
    [all, honoured, unused, refused],
  ],
]

for (const [file, sentence, figures] of counts) {
  test(`${file} counts annotations as the schema does`, () => {
    const found = sentence.exec(flowing(file))
    assert.ok(found !== null, `no sentence like ${sentence.source}`)
    assert.deepEqual(found.slice(1).map(Number), figures)
  })
}

test("the README's contents are its headings", () => {
  const readme = read('README.md')
  const line = /^Contents: ([\s\S]*?)\n\n/m.exec(readme)?.[1] ?? ''
  const listed = [...line.matchAll(/\[([^\]]+)\]\(#([^)]+)\)/g)]
  assert.deepEqual(
    listed.map(([, title]) => title),
    headingsOf(readme, '##'),
  )
  for (const [, title = '', anchor] of listed) assert.equal(anchor, anchorOf(title))
})

test('the README names every command', () => {
  const readme = read('README.md')
  for (const name of Object.keys(commands)) assert.ok(readme.includes(`\`headgate ${name}`), name)
})

test('commands that the documents show exist, with their flags', () => {
  let shown = 0
  for (const file of documents) {
    for (const [line, name = ''] of read(file).matchAll(
      /(?:^ {4}|`)headgate ([a-z]+)\b[^`\n]*/gm,
    )) {
      const command = commands[name]
      assert.ok(command !== undefined, `${file}: ${line}`)
      const known = new Set<string>(flagsOf(command.flags).map(([flag]) => flag))
      for (const [, flag = ''] of line.matchAll(/ --([a-z-]+)/g)) {
        assert.ok(known.has(flag), `${file}: headgate ${name} has no --${flag}: ${line}`)
        shown++
      }
    }
  }
  assert.ok(shown > 10, `only ${shown} flags are shown`)
})

/** Names of metrics as files that write them spell them. */
const metricNames =
  /\$\{metricPrefix\}(\w+)|'((?:[a-z0-9]+_)+(?:total|seconds|bytes|objects|info|up|slots|version|flight|endpoints))'/g

test('the README names every metric', () => {
  const readme = read('README.md')
  const files = globSync('src/{observe,controller,workers,sources/**}/*.ts', { cwd: root })
  const names = new Set(Object.keys(workerFamilies))
  for (const file of files) {
    for (const [, prefixed, quoted] of read(file).matchAll(metricNames)) {
      names.add(prefixed ?? quoted ?? '')
    }
  }
  assert.ok(names.size > 65, `only ${names.size} are found`)
  const unnamed = [...names].filter(
    (name) => !readme.includes(`\`${name}\``) && !readme.includes(`\`headgate_${name}\``),
  )
  assert.deepEqual(unnamed, [])
})

for (const file of documents) {
  test(`${file}: its links lead somewhere`, () => {
    const text = read(file)
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? file : join(dirname(file), path)
      assert.ok(existsSync(join(root, target)), `${link} does not exist`)
      if (anchor === undefined) continue
      assert.ok(headingsOf(read(target)).map(anchorOf).includes(anchor), `${link}: no such heading`)
    }
  })
}

test('decisions are numbered without gaps, each with its reasons', () => {
  const decisions = read('DECISIONS.md').split(/^## /m).slice(1)
  assert.ok(decisions.length > 30)
  const titles = new Set<string>()
  for (const [i, decision] of decisions.entries()) {
    const [heading = '', ...body] = decision.split('\n')
    assert.ok(heading.startsWith(`${i + 1}. `), `decision ${i + 1} is called ${heading}`)
    assert.match(body.join('\n'), /^\d{4}-\d\d\. [\s\S]*\bChoice: /m, heading)
    titles.add(heading.replace(/^\d+\. /, ''))
  }
  assert.equal(titles.size, decisions.length)
})

test('the changelog says nothing twice', () => {
  const entries = read('CHANGELOG.md')
    .split('\n')
    .filter((line) => line.startsWith('- '))
  assert.equal(new Set(entries).size, entries.length)
})

test('every folder of the sources stands in ARCHITECTURE.md', () => {
  const table = /\n## Where things are\n([\s\S]*?)\n## /.exec(read('ARCHITECTURE.md'))?.[1] ?? ''
  const folders = [...foldersIn('src'), ...foldersIn('src/sources')]
  assert.ok(folders.length > 20)
  assert.deepEqual(
    folders.filter((folder) => !table.includes(`\`${folder}/\``)),
    [],
  )
})
