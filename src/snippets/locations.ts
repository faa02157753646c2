import { patternProblem } from '#algorithms/match/linear-pattern.ts'
import type { OwnLocation } from '#src/policies/snippets/program.ts'
import type { Directive } from './directives.ts'
import { newLevel } from './level.ts'
import type { Level, ProgramDraft } from './level.ts'
import type { ReadBlock } from './rewrites.ts'
import type { DirectiveTable } from './row.ts'

const matches: Readonly<Record<string, OwnLocation['match']>> = {
  '': 'prefix',
  '=': 'exact',
  '^~': 'prefix-first',
  '~': 'regex',
  '~*': 'regex',
}

/** Locations of a server's own. */
export function locationTable(readBlock: ReadBlock): DirectiveTable {
  return {
    location: {
      kind: 'translated',
      places: ['server'],
      words: [1, 2],
      block: true,
      doc: 'A location that answers by itself: with return, or with deny all. It takes its paths from the rules as nginx would choose.',
      read: (directive, level) => readLocation(directive, level, readBlock),
    },
  }
}

function readLocation(
  { words, block = [] }: Directive,
  { shared, program }: Level,
  readBlock: ReadBlock,
): string | undefined {
  const texts = words.map(({ text }) => text)
  const path = texts.pop() ?? ''
  const modifier = texts[0] ?? ''
  const match = Object.hasOwn(matches, modifier) ? matches[modifier] : undefined
  if (match === undefined) return `${JSON.stringify(modifier)} is not =, ^~, ~ or ~*`
  if (match === 'regex') {
    const problem = patternProblem(path)
    if (problem !== undefined) return `${JSON.stringify(path)} ${problem}`
  } else if (!path.startsWith('/')) return `${JSON.stringify(path)} is not a path`
  const level = newLevel('server-location', shared)
  readBlock(block, level)
  if (!answers(level.program)) {
    return 'asks an upstream or a file; here it can only return, or deny all'
  }
  program.locations.push({ match, path, anyCase: modifier === '~*', program: level.program })
  return undefined
}

/** Whether no request gets past its directives. */
function answers({ steps, access }: ProgramDraft): boolean {
  const denied = (cidr: string) => access.some((rule) => !rule.allow && rule.cidr === cidr)
  return steps.at(-1)?.step === 'return' || (denied('0.0.0.0/0') && denied('::/0'))
}
