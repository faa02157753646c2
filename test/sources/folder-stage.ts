import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { FileSource } from '#src/sources/files/file-source.ts'
import type { FileSourceOptions } from '#src/sources/files/file-source.ts'
import type { SourceChange } from '#src/sources/source.ts'

/** A manifest of a ConfigMap with one value. */
export function configMap(name: string, value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { value: "${value}" }\n`
}

/** A folder of manifests on disk, a source that reads it, and what the source has told. */
export class FolderStage implements Disposable {
  readonly parent = mkdtempSync(join(tmpdir(), 'headgate-files-'))
  readonly folder = join(this.parent, 'manifests')
  /** Values by name, as the changes so far make them. */
  readonly state = new Map<string, string>()
  readonly changes: SourceChange[] = []
  readonly owner = {
    onChange: (change: SourceChange): void => {
      this.#take(change)
    },
  }
  readonly source: FileSource
  #waiting: (() => void)[] = []

  constructor(options: Partial<FileSourceOptions> = {}) {
    mkdirSync(this.folder)
    this.source = new FileSource({ folder: this.folder, owner: this.owner, ...options })
  }

  /** Replaces a file, as careful writers do. */
  write(path: string, ...documents: readonly string[]): void {
    const file = this.path(path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.new`, documents.join('---\n'))
    renameSync(`${file}.new`, file)
  }

  /** Writes to the file that is there. */
  overwrite(path: string, text: string): void {
    writeFileSync(this.path(path), text)
  }

  path(path: string): string {
    return join(this.folder, path)
  }

  /** Resolves when the source has told something that makes this true. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when the values are these. */
  async holds(values: Readonly<Record<string, string>>): Promise<void> {
    const expected = Object.entries(values)
    await this.until(
      () =>
        this.state.size === expected.length &&
        expected.every(([name, value]) => this.state.get(name) === value),
    )
  }

  findings(): string[] {
    return this.source.diagnostics.map((one: Diagnostic) => `${one.code} ${one.kind} ${one.file}`)
  }

  [Symbol.dispose](): void {
    void this.source.stop()
    rmSync(this.parent, { recursive: true, force: true })
  }

  #take(change: SourceChange): void {
    this.changes.push(change)
    for (const { name } of change.deleted) this.state.delete(name)
    for (const object of change.put) this.state.set(object.metadata.name, valueOf(object))
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

function valueOf(object: AnyObject): string {
  return object.kind === 'ConfigMap' ? (object.data['value'] ?? '') : object.kind
}
