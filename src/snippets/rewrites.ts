import { patternProblem } from '#algorithms/match/linear-pattern.ts'
import { isAnswerVariable } from '#src/policies/snippets/answer-variables.ts'
import { isVariable } from '#src/policies/variables.ts'
import type { RewriteStep } from '#src/policies/snippets/program.ts'
import { readCondition } from './conditions.ts'
import type { Directive } from './directives.ts'
import { bodyOf } from './level.ts'
import type { Level, Place } from './level.ts'
import { namedGroups, readValue } from './values.ts'
import type { Reading } from './values.ts'
import type { DirectiveTable } from './row.ts'

/** Everywhere but in the location of external authentication. */
const places: readonly Place[] = [
  'location',
  'location-if',
  'server',
  'server-if',
  'server-location',
  'server-location-if',
]
const levels: readonly Place[] = ['location', 'server', 'server-location']

/** Reads the directives inside a block; given by the translation, which knows them all. */
export type ReadBlock = (directives: readonly Directive[], level: Level) => void

/** Directives of nginx's rewrite phase. */
export function rewriteTable(readBlock: ReadBlock): DirectiveTable {
  return {
    set: {
      kind: 'translated',
      places,
      words: [2, 2],
      doc: 'A variable of the request, for later values and conditions. $args is the query itself, as the upstream gets it.',
      read: readSet,
    },
    if: {
      kind: 'translated',
      places: levels,
      words: [1, 64],
      block: true,
      doc: 'A condition on a variable: set, =, !=, ~, ~*, !~, !~*. Fields that it adds replace those around it, as in nginx. Tests of files are refused.',
      read: (directive, level) => readIf(directive, level, readBlock),
    },
    return: {
      kind: 'translated',
      places,
      words: [1, 2],
      doc: 'An answer with a status, and a body or a Location. 444 closes the connection.',
      read: readReturn,
    },
    rewrite: {
      kind: 'translated',
      places: ['location', 'location-if', 'server', 'server-if'],
      words: [2, 3],
      doc: 'Replaces the path: last, break, redirect, permanent, or no flag. The expression is RE2, linear in the path.',
      read: readRewrite,
    },
    break: {
      kind: 'translated',
      places,
      words: [0, 0],
      doc: 'Ends the rewrites of the level, that of rewrite-target included.',
      read(_directive, { steps }) {
        steps.push({ step: 'break' })
        return undefined
      },
    },
  }
}

/** The name that `set` sets, in lower case; '' for none. */
export function nameSetBy({ name, words }: Directive): string {
  const [, variable = ''] = name === 'set' ? (/^\$(\w+)$/.exec(words[0]?.text ?? '') ?? []) : []
  return variable.toLowerCase()
}

function readSet(directive: Directive, { shared, steps }: Level): string | undefined {
  const [variable, text] = directive.words
  const name = nameSetBy(directive)
  if (name === '' || /^\d/.test(name)) return `${variable?.text ?? ''} is not a variable`
  if (name !== 'args' && (isVariable(name) || isAnswerVariable(name))) {
    return `$${name} is a variable of nginx's own, which cannot be set here`
  }
  const reading = readValue(text?.text ?? '', shared.locals)
  if ('problem' in reading) return reading.problem
  steps.push({ step: 'set', name, value: reading.value })
  return undefined
}

const bodies: Readonly<Partial<Record<Place, Place>>> = {
  location: 'location-if',
  server: 'server-if',
  'server-location': 'server-location-if',
}

function readIf(directive: Directive, level: Level, readBlock: ReadBlock): string | undefined {
  const reading = readCondition(directive.words, level.shared.locals)
  if ('problem' in reading) return reading.problem
  const { body, scope } = bodyOf(level, bodies[level.place] ?? level.place)
  level.steps.push({ step: 'if', condition: reading.value, scope, body: body.steps })
  readBlock(directive.block ?? [], body)
  return undefined
}

function readReturn({ words }: Directive, { shared, steps }: Level): string | undefined {
  const [code = '', text] = words.map((word) => word.text)
  const bare = text === undefined && isUrl(code)
  const status = bare ? 302 : Number(code)
  if (!bare && !isAnswerable(code)) {
    return `${JSON.stringify(code)} is not a status from 200 to 599, nor a URL`
  }
  const written = bare ? code : text
  if (written === undefined) {
    steps.push({ step: 'return', status, text: undefined })
    return undefined
  }
  const reading = readValue(written, shared.locals)
  if ('problem' in reading) return reading.problem
  steps.push({ step: 'return', status, text: reading.value })
  return undefined
}

function isUrl(text: string): boolean {
  return /^(?:https?:\/\/|\$scheme)/.test(text)
}

function isAnswerable(code: string): boolean {
  return /^[2-5]\d\d$/.test(code)
}

const flags: Readonly<Record<string, RewriteStep['ends']>> = {
  '': 'next',
  last: 'last',
  break: 'break',
  redirect: 302,
  permanent: 301,
}

function readRewrite({ words }: Directive, { shared, steps }: Level): string | undefined {
  const [pattern = '', replacement = '', flag = ''] = words.map(({ text }) => text)
  const problem = patternProblem(pattern) ?? namedGroups(pattern)
  if (problem !== undefined) return `${JSON.stringify(pattern)} ${problem}`
  const ends = Object.hasOwn(flags, flag) ? flags[flag] : undefined
  if (ends === undefined) return `${JSON.stringify(flag)} is not last, break, redirect or permanent`
  const target = readTarget(replacement, shared.locals)
  if ('problem' in target) return target.problem
  steps.push({
    step: 'rewrite',
    pattern,
    ...target.value,
    ends: isUrl(replacement) && typeof ends === 'string' ? 302 : ends,
  })
  return undefined
}

type Target = Pick<RewriteStep, 'path' | 'query' | 'keepsQuery'>

/** A ? at the end keeps the query of the request out. */
function readTarget(replacement: string, locals: ReadonlySet<string>): Reading<Target> {
  const keepsQuery = !replacement.endsWith('?')
  const written = keepsQuery ? replacement : replacement.slice(0, -1)
  const mark = written.indexOf('?')
  const path = readValue(mark < 0 ? written : written.slice(0, mark), locals)
  if ('problem' in path) return path
  const query = readValue(mark < 0 ? '' : written.slice(mark + 1), locals)
  if ('problem' in query) return query
  const own = query.value.length === 0 ? undefined : query.value
  return { value: { path: path.value, query: own, keepsQuery } }
}
