import { compilePattern } from '#algorithms/match/linear-pattern.ts'
import type { Pattern } from '#algorithms/match/linear-pattern.ts'
import type { PolicyExchange } from '#src/policies/policy.ts'
import { visible } from '#src/policies/variables.ts'
import { snippetVariable } from './answer-variables.ts'
import type { Condition, Value, ValuePart } from './program.ts'
import { noGroups, snippetState, takeSnippetState } from './state.ts'
import type { SnippetState } from './state.ts'

/** How a part that comes from the client is written, where it must be. */
export type Escape = (text: string) => string

/**
 * The text of a value for one request. Groups and locals that are not there count as ''. What groups took
 * out of a decoded path has no control character unless `escapeGroup` says otherwise.
 */
export function render(
  value: Value,
  exchange: PolicyExchange,
  escapeGroup: Escape = visible,
): string {
  const state = snippetState(exchange)
  let text = ''
  for (const part of value) text += renderPart(part, exchange, state, escapeGroup)
  return text
}

function renderPart(
  part: ValuePart,
  exchange: PolicyExchange,
  state: SnippetState | undefined,
  escapeGroup: Escape,
): string {
  if ('text' in part) return part.text
  if ('variable' in part) return snippetVariable(exchange, part.variable)
  if ('local' in part) return state?.locals.get(part.local) ?? ''
  if ('constant' in part) return ''
  return escapeGroup(state?.groups[part.group] ?? '')
}

/** A condition, ready to be asked. */
export interface LinkedCondition {
  readonly condition: Condition
  readonly subject: Value
  readonly pattern: Pattern | undefined
}

export function linkCondition(condition: Condition): LinkedCondition {
  const { test, pattern, anyCase, variable } = condition
  return {
    condition,
    subject: [variable],
    pattern:
      test === 'matches' ? compilePattern(pattern, { anchor: 'anywhere', anyCase }) : undefined,
  }
}

/** Whether a condition holds. A match leaves its groups, and what does not match leaves none. */
export function holds(linked: LinkedCondition, exchange: PolicyExchange): boolean {
  const { condition, subject, pattern } = linked
  const actual = render(subject, exchange)
  if (condition.test === 'set') return actual !== '' && actual !== '0'
  if (condition.test === 'equals') {
    return (actual === render(condition.value, exchange)) !== condition.negated
  }
  const groups = pattern?.groups(actual)
  takeSnippetState(exchange).groups = groups ?? noGroups
  return (groups !== undefined) !== condition.negated
}
