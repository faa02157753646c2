import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** One file of the folder, and what tells that it changed. */
export interface FoundFile {
  /** Relative to the folder. */
  readonly path: string
  /** Differs when the file's contents may differ. */
  readonly stamp: string
  readonly size: number
}

/** What a walk found. */
export interface FoundFolder {
  /** Sorted by path. */
  readonly files: readonly FoundFile[]
  /** Every folder walked, relative, '' for the top. */
  readonly folders: readonly string[]
  /** Files or folders beyond the limits. */
  readonly omitted: number
}

const depthMax = 32
const extensions = /\.(?:yaml|yml|json)$/

/**
 * Lists the manifests of a folder and its sub-folders. Links are followed; names that start with a
 * dot are left out, `..data` of mounted ConfigMaps among them. What vanishes during the walk is as if
 * it had not been there. Rejects when the folder itself cannot be read.
 */
export async function walkFolder(top: string, filesMax: number): Promise<FoundFolder> {
  const files: FoundFile[] = []
  const folders: string[] = []
  let omitted = 0
  const visit = async (relative: string, depth: number): Promise<void> => {
    const names = await namesIn(join(top, relative), relative === '')
    folders.push(relative)
    for (const name of names.toSorted()) {
      if (name.startsWith('.')) continue
      const path = relative === '' ? name : `${relative}/${name}`
      const info = await stat(join(top, path)).catch(() => undefined)
      if (info?.isDirectory() === true) {
        if (depth < depthMax) await visit(path, depth + 1)
        else omitted++
      } else if (info?.isFile() === true && extensions.test(name)) {
        const stamp = `${info.ino} ${info.size} ${info.mtimeMs} ${info.ctimeMs}`
        if (files.length < filesMax) files.push({ path, stamp, size: info.size })
        else omitted++
      }
    }
  }
  await visit('', 0)
  return { files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)), folders, omitted }
}

async function namesIn(folder: string, required: boolean): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (required) throw error
    return []
  }
}
