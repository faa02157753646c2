import { isMap, isScalar, parseAllDocuments, visit } from 'yaml'
import type { Document, ErrorCode } from 'yaml'
import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { project } from '#src/snapshot/project.ts'
import { diagnose } from '../diagnose.ts'
import { splitDocuments } from './split-documents.ts'
import type { DocumentText } from './split-documents.ts'

/** What a file holds, or why it cannot be read. */
export type ParsedFile =
  | {
      readonly ok: true
      readonly objects: readonly AnyObject[]
      readonly diagnostics: readonly Diagnostic[]
      /** Kept, so that of a long file that changes only the documents that differ are read again. */
      readonly documents?: readonly ParsedDocument[]
    }
  | {
      readonly ok: false
      /** Never quotes the file: a Secret may stand there. */
      readonly problem: string
      /** `line 3, column 5`, or ''. */
      readonly place?: string
    }

interface ParsedDocument {
  readonly text: string
  /** What `file` of its objects says. */
  readonly place: string
  readonly objects: readonly AnyObject[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Aliases that one document may resolve to, against "billion laughs". */
const aliasesMax = 100

/**
 * Reads the objects of one file: YAML with any number of documents, or JSON. One document that cannot
 * be parsed makes the whole file unreadable, as where the others begin is not sure then; a document
 * that parses but is no valid object harms only itself.
 *
 * `file` names it in objects and diagnostics: `shop.yaml`, `shop.yaml#2` for its second document.
 */
export function parseFile(text: string, file: string, before?: ParsedFile): ParsedFile {
  const kept = new Map<string, ParsedDocument>()
  if (before?.ok === true) for (const one of before.documents ?? []) kept.set(one.text, one)
  const documents: ParsedDocument[] = []
  let number = 0
  for (const chunk of splitDocuments(text)) {
    const place = number === 0 ? file : `${file}#${number + 1}`
    const old = kept.get(chunk.text)
    const parsed = old === undefined ? parse(chunk, file, number) : [moved(old, chunk.text, place)]
    if (!Array.isArray(parsed)) return parsed
    documents.push(...parsed)
    number += parsed.length
  }
  return {
    ok: true,
    objects: documents.flatMap(({ objects }) => objects),
    diagnostics: documents.flatMap(({ diagnostics }) => diagnostics),
    documents,
  }
}

/** The documents of one piece of text: one, nearly always. */
function parse(
  { text, line }: DocumentText,
  file: string,
  number: number,
): ParsedDocument[] | ParsedFile {
  const values = readJson(text, file) ?? readYaml(text, line)
  if (!Array.isArray(values)) return values
  return values.map((value, i) => {
    const place = number + i === 0 ? file : `${file}#${number + i + 1}`
    const projected = project(value, place)
    // Several documents in one piece are not told apart, so they are not found again.
    const found = values.length === 1 ? text : ''
    return {
      text: found,
      place,
      objects: projected.objects,
      diagnostics: diagnose(projected, place),
    }
  })
}

function moved(document: ParsedDocument, text: string, place: string): ParsedDocument {
  if (document.place === place) return { ...document, text }
  return {
    text,
    place,
    objects: document.objects.map((object) => ({ ...object, file: place })),
    diagnostics: document.diagnostics.map((diagnostic) => ({ ...diagnostic, file: place })),
  }
}

/** JSON by the fast way, whatever the file is called. What is not quite JSON is read as YAML, which says better what is wrong. */
function readJson(text: string, file: string): unknown[] | undefined {
  if (!file.endsWith('.json') && !text.trimStart().startsWith('{')) return undefined
  try {
    return [JSON.parse(text) as unknown]
  } catch {
    return undefined
  }
}

function readYaml(text: string, firstLine: number): unknown[] | ParsedFile {
  const at = (offset: number): string => placeOf(text, offset, firstLine)
  try {
    // Duplicate keys are looked for below: the parser's own search is quadratic.
    const options = { prettyErrors: false, uniqueKeys: false, merge: true }
    const values: unknown[] = []
    for (const document of parseAllDocuments(text, options) as Document.Parsed[]) {
      const [error] = document.errors
      if (error !== undefined) {
        return { ok: false, problem: meaningOf(error.code), place: at(error.pos[0]) }
      }
      const repeated = findRepeatedKey(document)
      if (repeated >= 0) return { ok: false, problem: 'repeats a key', place: at(repeated) }
      const value = document.toJS({ maxAliasCount: aliasesMax }) as unknown
      if (value !== null) values.push(value)
    }
    return values
  } catch (error) {
    return { ok: false, problem: thrownProblem(error) }
  }
}

function placeOf(text: string, offset: number, firstLine: number): string {
  const above = text.slice(0, offset).split('\n')
  return `line ${firstLine + above.length - 1}, column ${(above.at(-1) ?? '').length + 1}`
}

/** What the parser throws: it recurses, and it resolves aliases late. */
function thrownProblem(error: unknown): string {
  if (error instanceof RangeError) return 'is nested too deeply'
  const missing = error instanceof Error && error.message.startsWith('Unresolved alias')
  return missing ? 'refers to an anchor that is not there' : 'uses too many aliases'
}

/** Offset of a key that its map holds already; -1: there is none. */
function findRepeatedKey(document: Document.Parsed): number {
  let found = -1
  visit(document, (_, node) => {
    if (!isMap(node)) return undefined
    const keys = new Set<unknown>()
    for (const { key } of node.items) {
      if (!isScalar(key) || key.value === '<<') continue
      if (keys.has(key.value)) {
        found = key.range?.[0] ?? 0
        return visit.BREAK
      }
      keys.add(key.value)
    }
    return undefined
  })
  return found
}

const meanings: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: 'is indented wrongly',
  BLOCK_AS_IMPLICIT_KEY: 'has a mapping where a plain value is expected',
  DUPLICATE_KEY: 'repeats a key',
  MISSING_CHAR: 'lacks a character, such as a closing quote, bracket, comma or colon',
  MULTILINE_IMPLICIT_KEY: 'has a key that spans lines',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
  TAB_AS_INDENT: 'is indented with a tab',
  UNEXPECTED_TOKEN: 'has something here that cannot stand here',
}

/** In words of ours: the parser's own messages quote the file. */
function meaningOf(code: ErrorCode): string {
  return meanings[code] ?? `is no valid YAML (${code.toLowerCase().replaceAll('_', ' ')})`
}
