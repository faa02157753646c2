import { lstat, readdir, stat } from 'node:fs/promises'
import type { Dirent, Stats } from 'node:fs'
import { join } from 'node:path'

/** One file of the folder, and what tells that it changed. */
export interface FoundFile {
  /** Relative to the folder. */
  readonly path: string
  /** Which file it is: another one, if it was replaced instead of written to. */
  readonly identity: string
  /** Differs when the file's contents may differ. */
  readonly stamp: string
  readonly size: number
}

/** One folder that was walked. */
export interface WalkedFolder {
  /** Relative, '' for the top. */
  readonly path: string
  readonly identity: string
  /** Why its contents are not known, '' if they are. */
  readonly problem: string
}

/** What a walk found. */
export interface FoundFolder {
  /** Sorted by path. */
  readonly files: readonly FoundFile[]
  readonly folders: readonly WalkedFolder[]
  /** Files or folders beyond the limits. */
  readonly omitted: number
}

const depthMax = 32
const foldersMax = 10_000
/** All files together. */
const bytesMax = 512 * 1024 * 1024
/** Questions to the file system at a time. */
const parallelMax = 32
const extensions = /\.(?:yaml|yml|json)$/

/**
 * Lists the manifests of a folder and its sub-folders. Links are followed, and a folder that is
 * reached on several ways is walked once; names that start with a dot are left out, `..data` of
 * mounted ConfigMaps among them. What vanishes during the walk is as if it had not been there.
 * Rejects when the folder itself cannot be read.
 */
export async function walkFolder(top: string, filesMax: number): Promise<FoundFolder> {
  const walk = new Walk(top, filesMax)
  const info = await stat(top)
  await walk.visit('', identityOf(info), 0)
  const [first] = walk.folders
  if (first !== undefined && first.problem !== '') throw codeError(first.problem)
  const files = walk.files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return { files, folders: walk.folders, omitted: walk.omitted }
}

/** Looks one path up: a manifest, a folder, or neither. */
export async function lookUp(top: string, path: string): Promise<FoundFile | 'folder' | undefined> {
  const location = join(top, path)
  const info = await stat(location).catch(codeOf)
  if (typeof info === 'object' && info.isDirectory()) return 'folder'
  if (!isManifest(path) || (typeof info === 'object' && !info.isFile())) return undefined
  if (info === 'ENOENT' && (await lstat(location).catch(codeOf)) === 'ENOENT') return undefined
  return foundFile(path, info)
}

/** Whether a name is one that manifests have. */
export function isManifest(name: string): boolean {
  return extensions.test(name)
}

class Walk {
  readonly files: FoundFile[] = []
  readonly folders: WalkedFolder[] = []
  omitted = 0
  readonly #top: string
  readonly #filesMax: number
  readonly #visited = new Set<string>()
  #bytes = 0

  constructor(top: string, filesMax: number) {
    this.#top = top
    this.#filesMax = filesMax
  }

  async visit(path: string, identity: string, depth: number): Promise<void> {
    if (this.#visited.has(identity)) return
    if (this.#visited.size >= foldersMax) {
      this.omitted++
      return
    }
    this.#visited.add(identity)
    let entries: Dirent[]
    try {
      entries = await readdir(join(this.#top, path), { withFileTypes: true })
    } catch (error) {
      const problem = codeOf(error)
      if (problem !== 'ENOENT' || path === '') this.folders.push({ path, identity, problem })
      return
    }
    this.folders.push({ path, identity, problem: '' })
    const wanted = entries.filter(isWanted).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    for (let at = 0; at < wanted.length; at += parallelMax) {
      const some = wanted.slice(at, at + parallelMax)
      const infos = await Promise.all(some.map((entry) => this.#stat(path, entry)))
      for (const [i, entry] of some.entries()) {
        const below = path === '' ? entry.name : `${path}/${entry.name}`
        await this.#add(below, infos[i] as Stats | string, depth)
      }
    }
  }

  async #stat(path: string, { name }: Dirent): Promise<Stats | string> {
    return await stat(join(this.#top, path, name)).catch(codeOf)
  }

  async #add(path: string, info: Stats | string, depth: number): Promise<void> {
    if (typeof info === 'object' && info.isDirectory()) {
      if (depth < depthMax) await this.visit(path, identityOf(info), depth + 1)
      else this.omitted++
      return
    }
    if (!isManifest(path) || (typeof info === 'object' && !info.isFile())) return
    const file = foundFile(path, info)
    if (this.files.length >= this.#filesMax || this.#bytes + file.size > bytesMax) {
      this.omitted++
      return
    }
    this.#bytes += file.size
    this.files.push(file)
  }
}

function isWanted(entry: Dirent): boolean {
  if (entry.name.startsWith('.')) return false
  // Sockets, pipes and devices are never looked at.
  return (
    entry.isDirectory() || entry.isSymbolicLink() || (entry.isFile() && extensions.test(entry.name))
  )
}

/**
 * `info` may be the code of the error that asking brought: a file that is there and cannot be looked
 * at, such as a link that leads nowhere, is one to report.
 */
function foundFile(path: string, info: Stats | string): FoundFile {
  if (typeof info === 'string') return { path, identity: '', stamp: info, size: 0 }
  const { size, mtimeMs, ctimeMs } = info
  const identity = identityOf(info)
  return { path, identity, size, stamp: `${identity} ${size} ${mtimeMs} ${ctimeMs}` }
}

/** The number of an inode is used again at once, its time of birth is not. */
function identityOf({ dev, ino, birthtimeMs }: Stats): string {
  return `${dev}:${ino}:${birthtimeMs}`
}

/** The code of a system error, such as EACCES. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : 'failed'
}

function codeError(code: string): Error {
  return Object.assign(new Error(code), { code })
}
