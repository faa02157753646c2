import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { codeOf } from './folder.ts'
import { parseFile } from './parse-file.ts'
import type { ParsedFile } from './parse-file.ts'

const meanings: Readonly<Record<string, string>> = {
  EACCES: 'may not be read',
  ELOOP: 'is a link that leads in a circle',
  ENOENT: 'is not there',
  ENOTDIR: 'is not a folder',
}

/** Bytes of the largest file that is read, unless another limit is set. */
export const fileBytesMax = 16 * 1024 * 1024

/** Reads and parses one file of at most `bytesMax`. Never rejects. */
export async function readManifest(
  location: string,
  path: string,
  bytesMax: number,
  before?: ParsedFile,
): Promise<ParsedFile> {
  let bytes: Buffer | undefined
  try {
    bytes = await readBytes(location, bytesMax)
  } catch (error) {
    return { ok: false, problem: systemProblem(error) }
  }
  if (bytes === undefined) return { ok: false, problem: `is larger than ${bytesMax} bytes` }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { ok: false, problem: 'is not UTF-8 text' }
  }
  return parseFile(text, path, before)
}

/** A system error in words, without the path, which the reader of a message may not know. */
export function systemProblem(error: unknown): string {
  const code = codeOf(error)
  return meanings[code] ?? `cannot be read (${code})`
}

/** Undefined: the file is larger than `bytesMax`, or grows while it is read. */
async function readBytes(location: string, bytesMax: number): Promise<Buffer | undefined> {
  // Without O_NONBLOCK, a named pipe put in the place of a file would hold the thread.
  const handle = await open(location, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const info = await handle.stat()
    if (!info.isFile()) throw Object.assign(new Error('not a file'), { code: 'no file' })
    if (info.size > bytesMax) return undefined
    const chunks: Buffer[] = []
    let total = 0
    for (;;) {
      const chunk = Buffer.alloc(Math.max(info.size - total + 1, 4096))
      const { bytesRead } = await handle.read(chunk, 0, chunk.length)
      if (bytesRead === 0) return Buffer.concat(chunks, total)
      chunks.push(chunk.subarray(0, bytesRead))
      total += bytesRead
      if (total > bytesMax) return undefined
    }
  } finally {
    await handle.close()
  }
}
