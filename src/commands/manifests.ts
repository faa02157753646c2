import { readFile, stat } from 'node:fs/promises'
import { Resolver } from 'node:dns/promises'
import { join } from 'node:path'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { compile } from '#src/compile/compile.ts'
import type { Compiled } from '#src/compile/compiler.ts'
import type { CompileSettings } from '#src/compile/settings.ts'
import { errorText } from '#src/observe/log.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { Store } from '#src/snapshot/store.ts'
import { FileView } from '#src/sources/files/file-view.ts'
import { walkFolder } from '#src/sources/files/folder.ts'
import { parseFile } from '#src/sources/files/parse-file.ts'
import type { ParsedFile } from '#src/sources/files/parse-file.ts'
import { fileBytesMax, readManifest } from '#src/sources/files/read-file.ts'
import { systemLookup } from '#src/sources/names/lookup.ts'
import { certificateReaders } from '#src/transport/certificate-readers.ts'
import { CommandError } from './command.ts'
import type { CommandContext } from './command.ts'
import { silent } from './progress.ts'
import type { Progress } from './progress.ts'

/** The objects of some files, and what is wrong with the files. */
export interface Manifests {
  readonly objects: readonly AnyObject[]
  readonly diagnostics: readonly Diagnostic[]
  readonly files: number
}

const filesMax = 50_000
/** Bytes that are read of standard input: more is no text that V8 could hold. */
const inputBytesMax = 256 * 1024 * 1024
/** The operand that stands for standard input, and how findings name it. */
const inputOperand = '-'
const inputName = 'standard input'

/** How manifests are read for one command. */
export interface ManifestReading {
  /** Bytes of the largest file that is read. */
  readonly bytesMax?: number
  readonly progress?: Progress
  readonly input?: AsyncIterable<Uint8Array>
}

/** What a command is to read: the folder of --files, and what is named beside the flags. */
export function namedFiles({ operands, values }: CommandContext): string[] {
  return [...(values.files === undefined ? [] : [values.files]), ...operands]
}

/**
 * Reads files, the manifests of folders, and standard input where `-` stands for it. A file that
 * cannot be read is a finding.
 */
export async function readManifests(
  paths: readonly string[],
  { bytesMax = fileBytesMax, progress = silent, input = process.stdin }: ManifestReading = {},
): Promise<Manifests> {
  const view = new FileView()
  let files = 0
  for (const path of new Set(paths)) {
    if (path === inputOperand) {
      view.set(inputName, '', await readInput(input))
      files++
      continue
    }
    const found = await filesOf(path)
    for (const [i, file] of found.entries()) {
      await progress.report(() => `reading ${path}: ${i} of ${found.length} files`)
      view.set(file, '', await parse(file, bytesMax))
      files++
    }
  }
  const { put } = view.merge()
  return { objects: put, diagnostics: view.diagnostics, files }
}

async function filesOf(path: string): Promise<string[]> {
  const info = await stat(path).catch(() => undefined)
  if (info?.isDirectory() !== true) return [path]
  const { files } = await walkFolder(path, filesMax)
  return files.map((file) => join(path, file.path))
}

/** A file as `serve` would read it. */
async function parse(file: string, bytesMax: number): Promise<ParsedFile> {
  const info = await stat(file).catch(() => undefined)
  // A pipe, as of `lint <(kubectl get ingress -o yaml)`; in a folder it would not be read.
  if (info?.isFIFO() === true) return parseFile(await readFile(file, 'utf8'), file)
  return await readManifest(file, file, bytesMax)
}

async function readInput(input: AsyncIterable<Uint8Array>): Promise<ParsedFile> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of input) {
    bytes += chunk.length
    if (bytes > inputBytesMax) {
      return { ok: false, problem: `is larger than ${inputBytesMax} bytes` }
    }
    chunks.push(chunk)
  }
  if (bytes === 0) return { ok: false, problem: 'is empty' }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    return { ok: false, problem: 'is not UTF-8 text' }
  }
  return parseFile(text, inputName)
}

/** The objects as a snapshot. */
export function snapshotOf(
  objects: readonly AnyObject[],
  resolved?: ReadonlyMap<string, readonly string[]>,
): Snapshot {
  const store = new Store()
  for (const object of objects) store.put(object)
  return store.freeze((name) => resolved?.get(name))
}

/**
 * Compiles the manifests of a folder as `serve` would, with the names in them resolved once. One line
 * tells when something in them would not be in force.
 */
export async function compileFolder(
  folder: string,
  settings: CompileSettings,
  writeError: (line: string) => Promise<void>,
): Promise<Compiled> {
  const info = await stat(folder).catch((error: unknown) => {
    throw new CommandError(`--files cannot be read: ${errorText(error)}`)
  })
  if (!info.isDirectory()) throw new CommandError(`--files must name a folder, got ${folder}`)
  const { objects, diagnostics } = await readManifests([folder])
  const inputs = { ...certificateReaders, nowMs: Date.now() }
  const first = compile(snapshotOf(objects), settings, inputs)
  const findings = [...diagnostics, ...first.diagnostics]
  const errors = findings.filter(({ severity }) => severity === 'error').length
  if (errors > 0) {
    await writeError(
      `${errors} of what the manifests ask for is not in force; see: headgate lint ${folder}`,
    )
  }
  const { hostnames } = first.references
  if (hostnames.length === 0) return first
  const lookup = systemLookup(new Resolver())
  const resolved = new Map<string, readonly string[]>()
  for (const name of hostnames) {
    const { addresses } = await lookup(name)
    if (addresses.length > 0) resolved.set(name, addresses.toSorted())
  }
  return compile(snapshotOf(objects, resolved), settings, inputs)
}
