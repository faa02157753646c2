import { pathBytes } from '#algorithms/match/canonical-path.ts'
import { emptyProgram } from '#src/policies/snippets/program.ts'
import type { Program } from '#src/policies/snippets/program.ts'
import { answerTable } from './answers.ts'
import { compressionTable } from './compression.ts'
import { parseDirectives } from './directives.ts'
import type { Directive, LineProblem } from './directives.ts'
import { newLevel } from './level.ts'
import type { Level, Place, Preset, Shared } from './level.ts'
import { locationTable } from './locations.ts'
import { otherTable } from './others.ts'
import { presetTable } from './presets.ts'
import { requestTable } from './requests.ts'
import { nameSetBy, rewriteTable } from './rewrites.ts'
import type { DirectiveTable } from './row.ts'

/** Annotations whose text is nginx's configuration, and where it would stand. */
export const snippetPlaces = {
  'configuration-snippet': 'location',
  'server-snippet': 'server',
  'auth-snippet': 'auth',
} as const satisfies Record<string, Place>

export type SnippetKey = keyof typeof snippetPlaces

/** What a snippet comes to. Plain data. */
export interface Snippet {
  /** As the user wrote it. */
  readonly text: string
  readonly program: Program
  /** Annotations that say what some of its lines say. */
  readonly presets: readonly Preset[]
  /** Lines without effect, and why. */
  readonly notes: readonly LineProblem[]
  readonly directives: number
}

export const emptySnippet: Snippet = {
  text: '',
  program: emptyProgram,
  presets: [],
  notes: [],
  directives: 0,
}

type Translation = { readonly snippet: Snippet } | { readonly problems: readonly LineProblem[] }

/** Every directive that is known, in the order of the reference page. */
export const directiveTable: DirectiveTable = {
  ...rewriteTable(readAll),
  ...answerTable,
  ...compressionTable,
  ...requestTable,
  ...presetTable,
  ...locationTable(readAll),
  ...otherTable,
}

/**
 * Translates a snippet, whole or not at all: with problems there is no result. Nothing of the text is
 * executed or passed on as text. `presetProblem`: why an annotation may not have a value.
 */
export function translate(
  key: SnippetKey,
  text: string,
  presetProblem: Shared['presetProblem'],
): Translation {
  // Requests and answers are bytes, one character each; so is all that they are compared with.
  const parsed = parseDirectives(pathBytes(text))
  if ('problem' in parsed) return { problems: [asWritten(parsed.problem)] }
  const { directives } = parsed
  const shared: Shared = {
    locals: localsOf(directives),
    problems: [],
    notes: [],
    presets: new Map(),
    presetProblem(preset) {
      const problem = presetProblem({ key: preset.key, text: textOf(preset.text) })
      return problem && pathBytes(problem)
    },
  }
  const level = newLevel(snippetPlaces[key], shared)
  readAll(directives, level)
  if (shared.problems.length > 0) return { problems: shared.problems.map(asWritten) }
  return {
    snippet: {
      text,
      program: level.program,
      presets: [...shared.presets].map(([name, value]) => ({ key: name, text: textOf(value) })),
      notes: shared.notes.map(asWritten),
      directives: count(directives),
    },
  }
}

/** The characters of bytes as `pathBytes` gives them. */
function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function asWritten({ line, message }: LineProblem): LineProblem {
  return { line, message: textOf(message) }
}

function readAll(directives: readonly Directive[], level: Level): void {
  for (const directive of directives) {
    const problem = read(directive, level)
    const { name, line } = directive
    if (problem !== undefined)
      level.shared.problems.push({ line, message: `${shown(name)}: ${problem}` })
  }
}

function read(directive: Directive, level: Level): string | undefined {
  const { name, line, words, block } = directive
  const row = Object.hasOwn(directiveTable, name) ? directiveTable[name] : undefined
  if (row === undefined) return 'is not a directive that can be translated'
  if (row.kind === 'refused') return `cannot be translated: ${row.doc}`
  if (row.kind === 'unused') {
    level.shared.notes.push({ line, message: `${name}: ${row.doc}` })
    return undefined
  }
  if (!row.places.includes(level.place)) return `cannot stand ${places[level.place]}`
  if ((block !== undefined) !== (row.block === true)) {
    return block === undefined ? 'needs a block' : 'takes no block'
  }
  const [min, max] = row.words
  if (words.length < min || words.length > max) {
    return min === max ? `takes ${min} words` : `takes ${min} to ${max} words`
  }
  return row.read(directive, level)
}

const places: Readonly<Record<Place, string>> = {
  location: 'in a location',
  'location-if': 'in an if of a location',
  server: 'in a server',
  'server-if': 'in an if of a server',
  'server-location': 'in a location of server-snippet',
  'server-location-if': 'in an if of a location of server-snippet',
  auth: 'in the location of external authentication',
}

/** A name as it may stand in a message. */
function shown(name: string): string {
  return /^[\w-]{1,60}$/.test(name) ? name : JSON.stringify(name.slice(0, 60))
}

/** nginx knows a variable everywhere once any `set` names it. */
function localsOf(directives: readonly Directive[]): Set<string> {
  const names = new Set<string>()
  for (const directive of directives) {
    const name = nameSetBy(directive)
    // The query is the request's own, whoever sets it.
    if (name !== '' && name !== 'args') names.add(name)
    for (const inner of localsOf(directive.block ?? [])) names.add(inner)
  }
  return names
}

function count(directives: readonly Directive[]): number {
  return directives.reduce((sum, { block }) => sum + 1 + count(block ?? []), 0)
}
