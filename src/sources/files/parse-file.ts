import { parseAllDocuments } from 'yaml'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { project } from '#src/snapshot/project.ts'

/** What a file holds, or why it cannot be read. */
export type ParsedFile =
  | {
      readonly ok: true
      readonly objects: readonly AnyObject[]
      readonly diagnostics: readonly Diagnostic[]
    }
  | { readonly ok: false; readonly problem: string }

/** Aliases that one document may resolve to, against "billion laughs". */
const aliasesMax = 100

/**
 * Reads the objects of one file: YAML with any number of documents, or JSON. One document that cannot
 * be parsed makes the whole file unreadable, since where it ends is not known for sure.
 */
export function parseFile(text: string, file: string): ParsedFile {
  let documents: unknown[]
  try {
    documents = file.endsWith('.json') ? [JSON.parse(text)] : parseYaml(text)
  } catch (error) {
    return { ok: false, problem: firstLine(error instanceof Error ? error.message : String(error)) }
  }
  const objects: AnyObject[] = []
  const diagnostics: Diagnostic[] = []
  for (const document of documents) {
    const projected = project(document, file)
    objects.push(...projected.objects)
    diagnostics.push(...projected.diagnostics)
  }
  return { ok: true, objects, diagnostics }
}

/** Throws for the first error in any document. */
function parseYaml(text: string): unknown[] {
  return parseAllDocuments(text, { logLevel: 'silent' }).map((document) => {
    const [error] = document.errors
    if (error !== undefined) throw error
    return document.toJS({ maxAliasCount: aliasesMax }) as unknown
  })
}

/** Parsers quote the text around an error below the first line; a Secret may stand there. */
function firstLine(message: string): string {
  return (message.split('\n')[0] as string).replace(/:$/, '').slice(0, 200)
}
