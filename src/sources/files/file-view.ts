import { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import type { ObjectName, SourceChange } from '../source.ts'
import type { ParsedFile } from './parse-file.ts'

interface KnownFile {
  readonly stamp: string
  /** Of the last version that could be read. */
  readonly parsed: ParsedFile | undefined
  readonly objects: readonly AnyObject[]
  readonly diagnostics: readonly Diagnostic[]
}

type ReadableFile = ParsedFile & { readonly ok: true }
type UnreadableFile = ParsedFile & { readonly ok: false }

/** Where an object of some name stands. */
interface Holder {
  readonly path: string
  readonly object: AnyObject
}

/**
 * The objects of a folder, put together from its files. What cannot be read keeps its last good
 * version: a file that does not parse all its objects, an object that became invalid itself, as it
 * would in a cluster that refuses the update. An object that several files hold is taken from the
 * first by name. A change costs what changed.
 */
export class FileView {
  readonly #files = new Map<string, KnownFile>()
  /** By object, in order of path and place in the file. */
  readonly #holders = new Map<string, readonly Holder[]>()
  /** What the last merge gave out. */
  readonly #merged = new Map<string, AnyObject>()
  readonly #touched = new Set<string>()
  /** Objects that stand in more than one place. */
  readonly #contested = new Set<string>()
  #diagnostics: readonly Diagnostic[] | undefined

  get size(): number {
    return this.#merged.size
  }

  get paths(): Iterable<string> {
    return this.#files.keys()
  }

  /** Stamp of the version that was set last. */
  stampOf(path: string): string | undefined {
    return this.#files.get(path)?.stamp
  }

  /** What the last version that could be read holds. */
  parsedOf(path: string): ParsedFile | undefined {
    return this.#files.get(path)?.parsed
  }

  /** Whether some object would be gone altogether if the file were this, or were not there. */
  loses(path: string, parsed?: ParsedFile): boolean {
    if (parsed?.ok === false) return false
    const before = this.#files.get(path)?.objects ?? []
    const after = parsed === undefined ? [] : [...parsed.objects, ...this.#lastGood(path, parsed)]
    const names = new Set(after.map(keyOf))
    return before.some((object) => {
      const key = keyOf(object)
      return !names.has(key) && this.#holders.get(key)?.every((holder) => holder.path === path)
    })
  }

  /** Sets what a file holds now. False when that is what it held. */
  set(path: string, stamp: string, parsed: ParsedFile): boolean {
    const before = this.#files.get(path)
    const file = parsed.ok
      ? this.#readable(path, stamp, parsed)
      : unreadable(path, stamp, parsed, before)
    this.#files.set(path, file)
    const sameObjects = sameItems(before?.objects, file.objects)
    if (sameObjects && sameItems(before?.diagnostics, file.diagnostics)) return false
    this.#diagnostics = undefined
    if (!sameObjects) {
      for (const object of before?.objects ?? []) this.#dropHolder(path, object)
      for (const object of file.objects) this.#addHolder(path, object)
    }
    return true
  }

  /** Forgets a file and its objects. False when it was not known. */
  delete(path: string): boolean {
    const file = this.#files.get(path)
    if (file === undefined) return false
    for (const object of file.objects) this.#dropHolder(path, object)
    this.#files.delete(path)
    this.#diagnostics = undefined
    return true
  }

  /** Puts the files together; the result is what differs from the last time. */
  merge(): SourceChange {
    const put: AnyObject[] = []
    const deleted: ObjectName[] = []
    for (const key of this.#touched) {
      const before = this.#merged.get(key)
      const after = this.#holders.get(key)?.[0]?.object
      if (after === before) continue
      if (after === undefined) {
        this.#merged.delete(key)
        deleted.push(nameOf(before as AnyObject))
      } else {
        this.#merged.set(key, after)
        put.push(after)
      }
    }
    this.#touched.clear()
    return { put, deleted }
  }

  /** What is wrong with files and objects, file by file. */
  get diagnostics(): readonly Diagnostic[] {
    if (this.#diagnostics === undefined) {
      const all = new Diagnostics()
      for (const path of [...this.#files.keys()].toSorted()) {
        all.list.push(...(this.#files.get(path) as KnownFile).diagnostics)
      }
      for (const key of this.#contested) reportDuplicates(this.#holders.get(key) ?? [], all)
      this.#diagnostics = all.list
    }
    return this.#diagnostics
  }

  #readable(path: string, stamp: string, parsed: ReadableFile): KnownFile {
    const objects = [...parsed.objects, ...this.#lastGood(path, parsed)]
    return { stamp, parsed, objects, diagnostics: parsed.diagnostics }
  }

  /** Former versions of the objects that are in the file, but invalid now. */
  #lastGood(path: string, parsed: ReadableFile): AnyObject[] {
    const before = this.#files.get(path)?.objects ?? []
    if (before.length === 0) return []
    const invalid = new Set(parsed.diagnostics.filter(isInvalidObject).map(nameKey))
    if (invalid.size === 0) return []
    for (const object of parsed.objects) invalid.delete(keyOf(object))
    return before.filter((object) => invalid.has(keyOf(object)))
  }

  #addHolder(path: string, object: AnyObject): void {
    const key = keyOf(object)
    const holders = [...(this.#holders.get(key) ?? []), { path, object }]
    // Stable, so that objects of one file stay in their order.
    this.#setHolders(
      key,
      holders.toSorted((a, b) => compareText(a.path, b.path)),
    )
  }

  #dropHolder(path: string, object: AnyObject): void {
    const key = keyOf(object)
    const rest = (this.#holders.get(key) ?? []).filter(
      (holder) => holder.path !== path || holder.object !== object,
    )
    this.#setHolders(key, rest)
  }

  #setHolders(key: string, holders: readonly Holder[]): void {
    if (holders.length === 0) this.#holders.delete(key)
    else this.#holders.set(key, holders)
    if (holders.length > 1) this.#contested.add(key)
    else this.#contested.delete(key)
    this.#touched.add(key)
  }
}

/** What was known of its contents stays; a file that was never read has none. */
function unreadable(
  path: string,
  stamp: string,
  { problem, place = '' }: UnreadableFile,
  before: KnownFile | undefined,
): KnownFile {
  const diagnostics = new Diagnostics()
  const kept = before?.diagnostics.filter(({ code }) => code !== 'file-unreadable') ?? []
  const where = { kind: 'File', namespace: '', name: path, field: place, file: path }
  diagnostics.report('file-unreadable', where, problem)
  return {
    stamp,
    parsed: before?.parsed,
    objects: before?.objects ?? [],
    diagnostics: [...kept, ...diagnostics.list],
  }
}

function sameItems<Item>(a: readonly Item[] | undefined, b: readonly Item[]): boolean {
  return a?.length === b.length && b.every((item, i) => a[i] === item)
}

function reportDuplicates([first, ...others]: readonly Holder[], diagnostics: Diagnostics): void {
  for (const { object } of others) {
    const { kind, metadata, file } = object
    const place = { kind, namespace: metadata.namespace, name: metadata.name, field: '', file }
    diagnostics.report(
      'object-duplicate',
      place,
      `stands in ${first?.object.file}, too, which is used`,
    )
  }
}

function isInvalidObject({ code, name }: Diagnostic): boolean {
  return code === 'object-invalid' && name !== ''
}

function nameOf({ kind, metadata }: AnyObject): ObjectName {
  return { kind, namespace: metadata.namespace, name: metadata.name }
}

function keyOf(object: AnyObject): string {
  return nameKey(nameOf(object))
}

/** Neither kinds nor namespaces hold a slash, so no two names make one text. */
function nameKey({
  kind,
  namespace,
  name,
}: Pick<Diagnostic, 'kind' | 'namespace' | 'name'>): string {
  return `${kind}/${namespace}/${name}`
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
