import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { errorText } from '#src/observe/log.ts'

/** A kubeconfig cannot be used: one line that names file, entry and field. */
export class KubeConfigError extends Error {}

/** One entry of clusters, users or contexts, with the file that it stands in. */
export interface Entry {
  readonly file: string
  /** What `cluster`, `user` or `context` holds. */
  readonly body: Readonly<Record<string, unknown>>
}

/** Kubeconfig files, merged. */
export interface KubeFiles {
  /** Paths, for messages. */
  readonly shown: string
  readonly currentContext: string
  readonly clusters: ReadonlyMap<string, Entry>
  readonly users: ReadonlyMap<string, Entry>
  readonly contexts: ReadonlyMap<string, Entry>
}

const sections = { clusters: 'cluster', users: 'user', contexts: 'context' } as const
type Section = keyof typeof sections

/** Fields that name files, relative to the file that they stand in. */
const fileFields = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']

const bytesMax = 16 * 1024 * 1024

/** Reads and merges kubeconfig files as kubectl does: of two entries with one name the first counts. */
export async function readKubeFiles(files: readonly string[]): Promise<KubeFiles> {
  const merged = {
    clusters: new Map<string, Entry>(),
    users: new Map<string, Entry>(),
    contexts: new Map<string, Entry>(),
  }
  let currentContext = ''
  for (const file of files) {
    const document = await readDocument(file)
    const current = document['current-context'] ?? ''
    if (typeof current !== 'string') throw problem(file, 'current-context must be a text')
    currentContext ||= current
    for (const section of Object.keys(sections) as Section[]) {
      const entries = entriesOf(document, section, file)
      merged[section] = new Map([...entries, ...merged[section]])
    }
  }
  return { shown: files.join(', '), currentContext, ...merged }
}

/** The error for something wrong in a file. */
export function problem(file: string, what: string): KubeConfigError {
  return new KubeConfigError(`kubeconfig ${file}: ${what}`)
}

async function readDocument(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new KubeConfigError(`kubeconfig cannot be read: ${errorText(error)}`)
  })
  if (text.length > bytesMax) throw problem(file, `is larger than ${bytesMax} bytes`)
  // Within a cluster there is no such file, and the library is large.
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' })
  const [fault] = document.errors
  if (fault !== undefined) {
    const line = text.slice(0, fault.pos[0]).split('\n').length
    throw problem(file, `line ${line} is not valid YAML (${fault.code})`)
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  if (!isRecord(value)) throw problem(file, 'must hold an object with clusters, users and contexts')
  return value
}

function* entriesOf(
  document: Readonly<Record<string, unknown>>,
  section: Section,
  file: string,
): Generator<[name: string, entry: Entry]> {
  const list = document[section] ?? []
  if (!Array.isArray(list)) throw problem(file, `${section} must be a list`)
  for (const [i, item] of (list as unknown[]).entries()) {
    const name = isRecord(item) ? item['name'] : undefined
    if (!isRecord(item) || typeof name !== 'string' || name === '') {
      throw problem(file, `${section}[${i}].name is missing`)
    }
    const body = item[sections[section]] ?? {}
    if (!isRecord(body)) {
      throw problem(file, `${sections[section]} ${JSON.stringify(name)} must be an object`)
    }
    yield [name, { file, body: withAbsolutePaths(body, file) }]
  }
}

function withAbsolutePaths(body: Record<string, unknown>, file: string): Record<string, unknown> {
  const made = { ...body }
  for (const field of fileFields) {
    const path = made[field]
    if (typeof path === 'string' && path !== '') made[field] = resolve(dirname(file), path)
  }
  return made
}

/** Whether it is a mapping of YAML or JSON. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
