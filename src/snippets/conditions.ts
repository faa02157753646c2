import { patternProblem } from '#algorithms/match/linear-pattern.ts'
import type { Condition } from '#src/policies/snippets/program.ts'
import type { Word } from './words.ts'
import { namedGroups, readValue, variablePart } from './values.ts'
import type { Reading } from './values.ts'

const form = 'must be ($variable), or ($variable operator value)'

/** Reads what stands between `if` and its block. */
export function readCondition(
  words: readonly Word[],
  locals: ReadonlySet<string>,
): Reading<Condition> {
  const inner = withoutBrackets(words.map(({ text }) => text)) ?? []
  const [subject = '', operator, text] = inner
  if (/^!?-[fdex]$/.test(subject)) return { problem: 'there are no files to be tested here' }
  const formed = inner.length === 1 || inner.length === 3
  if (!formed || !/^\$\w+$/.test(subject)) return { problem: `the condition ${form}` }
  const variable = variablePart(subject.slice(1).toLowerCase(), locals)
  if ('problem' in variable) return variable
  if (operator === undefined || text === undefined) {
    return { value: { ...base, variable, test: 'set' } }
  }
  const rest = readComparison(operator, text, locals)
  return 'problem' in rest ? rest : { value: { variable, ...rest.value } }
}

const base = { negated: false, value: [], pattern: '', anyCase: false }

function readComparison(
  operator: string,
  text: string,
  locals: ReadonlySet<string>,
): Reading<Omit<Condition, 'variable'>> {
  const negated = operator.startsWith('!')
  if (operator === '=' || operator === '!=') {
    const value = readValue(text, locals)
    if ('problem' in value) return value
    return { value: { ...base, test: 'equals', negated, value: value.value } }
  }
  if (!/^!?~\*?$/.test(operator)) return { problem: `${operator} is not an operator of conditions` }
  const problem = patternProblem(text) ?? namedGroups(text)
  if (problem !== undefined) return { problem: `${JSON.stringify(text)} ${problem}` }
  const anyCase = operator.endsWith('*')
  return { value: { ...base, test: 'matches', negated, pattern: text, anyCase } }
}

/** As nginx: the first word begins with (, the last one ends with ). */
function withoutBrackets(texts: readonly string[]): readonly string[] | undefined {
  const list = [...texts]
  const first = list[0]
  if (first === undefined || !first.startsWith('(')) return undefined
  if (first === '(') list.shift()
  else list[0] = first.slice(1)
  const last = list.at(-1)
  if (last === undefined || !last.endsWith(')')) return undefined
  if (last === ')') list.pop()
  else list[list.length - 1] = last.slice(0, -1)
  return list
}
