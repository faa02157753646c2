import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'

/** A Go program that the tests need, and how it comes to be. */
export interface GoProgram {
  readonly name: string
  /** Files that decide what the program is. */
  readonly sources: readonly string[]
  /** What decides it, too: a module's version, build flags. */
  readonly recipe: readonly string[]
  /** How long a first build takes, in words. */
  readonly takes: string
  /** Builds the program as the file `out`; throws with the compiler's words when it cannot. */
  readonly build: (out: string) => void
}

/** A program that can be run, or one line that says why there is none. */
export type Found =
  | { readonly path: string; readonly missing?: undefined }
  | { readonly path?: undefined; readonly missing: string }

/**
 * The built program out of the cache folder, or built now. The cache is outside the repository and
 * keyed by the program's sources, its recipe and the Go version; without Go any Go version will do.
 */
export function findOrBuild(program: GoProgram, say: (line: string) => void): Found {
  const folder = join(cacheFolder(), program.name)
  const key = keyOf(program)
  const version = goVersion()
  if (version === undefined) {
    const built = existsSync(folder) ? readdirSync(folder) : []
    const entry = built.find((name) => name.startsWith(`${key}-`))
    if (entry !== undefined) return { path: join(folder, entry, program.name) }
    return { missing: `no built ${program.name} in ${folder}, and no Go toolchain to build it` }
  }
  const home = join(folder, `${key}-${version}`)
  const path = join(home, program.name)
  if (existsSync(path)) return { path }
  say(`building ${program.name} with ${version}: about ${program.takes} the first time`)
  mkdirSync(home, { recursive: true })
  // Two builds at once each have a file of their own; the last rename wins.
  const unfinished = `${path}.${process.pid}`
  try {
    program.build(unfinished)
    renameSync(unfinished, path)
  } catch (error) {
    return { missing: `${program.name} cannot be built: ${(error as Error).message}` }
  }
  return { path }
}

/** Runs the Go command; throws with the end of what it said when it fails. */
export function runGo(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): string {
  const result = spawnSync('go', args, {
    cwd: options.cwd,
    env: { ...process.env, CGO_ENABLED: '0', ...options.env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (result.error !== undefined) throw result.error
  if (result.status === 0) return result.stdout
  throw new Error(result.stderr.trim().split('\n').slice(-3).join(' | '))
}

function goVersion(): string | undefined {
  try {
    return runGo(['env', 'GOVERSION']).trim()
  } catch {
    return undefined
  }
}

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'headgate')
}

function keyOf({ sources, recipe }: GoProgram): string {
  const hash = createHash('sha256').update(JSON.stringify(recipe))
  for (const file of sources.toSorted()) hash.update(basename(file)).update(readFileSync(file))
  return hash.digest('hex').slice(0, 16)
}
