import { isDeepStrictEqual } from 'node:util'
import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import type { ObjectName, SourceChange } from '../source.ts'
import type { ParsedFile } from './parse-file.ts'

interface KnownFile {
  readonly stamp: string
  /** Of the last version that could be read. */
  objects: readonly AnyObject[]
  diagnostics: readonly Diagnostic[]
  /** Why the newest version cannot be read, '' when it can. */
  problem: string
}

/**
 * The objects of a folder, put together from its files. A file that cannot be read keeps the last
 * good version of its objects. An object that several files hold is taken from the first by name.
 */
export class FileView {
  readonly #files = new Map<string, KnownFile>()
  #objects = new Map<string, AnyObject>()
  diagnostics: readonly Diagnostic[] = []

  get size(): number {
    return this.#objects.size
  }

  stampOf(path: string): string | undefined {
    return this.#files.get(path)?.stamp
  }

  set(path: string, stamp: string, parsed: ParsedFile): void {
    const before = this.#files.get(path)
    if (parsed.ok) {
      const objects = parsed.objects.map((object) => sameAs(object, before?.objects) ?? object)
      this.#files.set(path, { stamp, objects, diagnostics: parsed.diagnostics, problem: '' })
    } else {
      this.#files.set(path, {
        stamp,
        objects: before?.objects ?? [],
        diagnostics: before?.diagnostics ?? [],
        problem: parsed.problem,
      })
    }
  }

  /** Forgets files that are not among these. True when there were any. */
  retain(paths: ReadonlySet<string>): boolean {
    let any = false
    for (const path of this.#files.keys()) {
      if (paths.has(path)) continue
      this.#files.delete(path)
      any = true
    }
    return any
  }

  /** Puts the files together anew; the result is what differs from the last time. */
  merge(): SourceChange {
    const objects = new Map<string, AnyObject>()
    const diagnostics = new Diagnostics()
    for (const path of [...this.#files.keys()].toSorted()) {
      const file = this.#files.get(path) as KnownFile
      diagnostics.list.push(...file.diagnostics)
      if (file.problem !== '') {
        const place = { kind: 'File', namespace: '', name: path, field: '', file: path }
        diagnostics.report('file-unreadable', place, file.problem)
      }
      for (const object of file.objects) add(objects, object, diagnostics)
    }
    const change = difference(this.#objects, objects)
    this.#objects = objects
    this.diagnostics = diagnostics.list
    return change
  }
}

function keyOf({ kind, metadata }: AnyObject): string {
  return `${kind}/${metadata.namespace}/${metadata.name}`
}

/** The object of before, if it says the same: whoever keeps results by reference goes on. */
function sameAs(object: AnyObject, before: readonly AnyObject[] = []): AnyObject | undefined {
  const key = keyOf(object)
  return before.find((old) => keyOf(old) === key && isDeepStrictEqual(old, object))
}

function add(objects: Map<string, AnyObject>, object: AnyObject, diagnostics: Diagnostics): void {
  const key = keyOf(object)
  const first = objects.get(key)
  if (first === undefined) {
    objects.set(key, object)
    return
  }
  const { kind, metadata, file } = object
  const place = { kind, namespace: metadata.namespace, name: metadata.name, field: '', file }
  diagnostics.report('object-duplicate', place, `stands in ${first.file}, too, which is used`)
}

function difference(
  before: ReadonlyMap<string, AnyObject>,
  after: ReadonlyMap<string, AnyObject>,
): SourceChange {
  const put: AnyObject[] = []
  const deleted: ObjectName[] = []
  for (const [key, object] of after) if (before.get(key) !== object) put.push(object)
  for (const [key, { kind, metadata }] of before) {
    if (!after.has(key)) deleted.push({ kind, namespace: metadata.namespace, name: metadata.name })
  }
  return { put, deleted }
}
