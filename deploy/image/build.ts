import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, resolve } from 'node:path'

// npm run build [-- FOLDER]: the program as JavaScript, by default in dist/. Types become blanks, so that
// lines and columns of a stack trace are those of the sources; nothing is bundled or renamed.

const root = join(import.meta.dirname, '../..')

/** Relative and `#` specifiers of modules of ours, wherever they stand: imports and `new URL`. */
const ownModule = /(['"])((?:\.{1,2}\/|#(?:src|algorithms)\/)?[\w./-]+)\.ts\1/g

/** What is run or read besides the modules. */
const assets = [
  'src/observe/dashboard/**/*.{html,css,js}',
  'deploy/examples/demo/*.yaml',
  'LICENSE',
]

interface Package {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly bin: Readonly<Record<string, string>>
}

/** JavaScript of a module in TypeScript. */
export function toJavaScript(source: string): string {
  return stripTypeScriptTypes(source).replaceAll(ownModule, '$1$2.js$1')
}

/** Writes the whole program below `out`; what was there goes. */
export function build(out: string): number {
  rmSync(out, { recursive: true, force: true })
  const modules = globSync('{src,algorithms}/**/*.ts', { cwd: root }).filter(
    (file) => !file.endsWith('.d.ts'),
  )
  for (const file of modules) {
    const text = toJavaScript(readFileSync(join(root, file), 'utf8'))
    write(join(out, file.replace(/\.ts$/, '.js')), text)
  }
  for (const file of globSync(assets, { cwd: root })) {
    mkdirSync(dirname(join(out, file)), { recursive: true })
    cpSync(join(root, file), join(out, file))
  }
  write(
    join(out, 'warm.js'),
    toJavaScript(readFileSync(join(root, 'deploy/image/warm.ts'), 'utf8')),
  )
  write(join(out, 'package.json'), `${JSON.stringify(packageOf(), undefined, 2)}\n`)
  return modules.length
}

function packageOf(): object {
  const text = readFileSync(join(root, 'package.json'), 'utf8')
  const { name, version, description, license, dependencies, bin } = JSON.parse(text) as Package
  const programs = Object.entries(bin).map(([program, file]) => [program, toJs(file)])
  return {
    name,
    version,
    description,
    license,
    private: true,
    type: 'module',
    bin: Object.fromEntries(programs),
    imports: { '#algorithms/*': './algorithms/*', '#src/*': './src/*' },
    dependencies,
  }
}

function toJs(file: string): string {
  return file.replace(/\.ts$/, '.js')
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

if (import.meta.main) {
  const out = resolve(process.argv[2] ?? join(root, 'dist'))
  process.stdout.write(`${build(out)} modules in ${out}\n`)
}
