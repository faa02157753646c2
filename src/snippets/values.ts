import { isConstant } from '#src/policies/template.ts'
import { isAnswerVariable } from '#src/policies/snippets/answer-variables.ts'
import { isVariable } from '#src/policies/variables.ts'
import type { Value, ValuePart } from '#src/policies/snippets/program.ts'

/** What could be read, or why it could not. */
export type Reading<Part> = { readonly value: Part } | { readonly problem: string }

/** Reads nginx's notation. A variable that nobody knows is a problem, never text that is passed on. */
export function readValue(text: string, locals: ReadonlySet<string>): Reading<Value> {
  const value: ValuePart[] = []
  for (const [token, braced, digit, plain] of text.matchAll(
    /\$\{(\w+)\}|\$(\d)|\$(\w+)|\$|[^$]+/g,
  )) {
    const name = (braced ?? digit ?? plain ?? '').toLowerCase()
    if (!token.startsWith('$')) value.push({ text: token })
    else {
      const part = variablePart(name, locals)
      if ('problem' in part) return part
      value.push(part)
    }
  }
  return { value }
}

/** What a variable stands for, by its name in lower case and without `$`. */
export function variablePart(
  name: string,
  locals: ReadonlySet<string>,
): ValuePart | { readonly problem: string } {
  if (name === '') return { problem: 'a $ must begin a variable' }
  if (/^\d$/.test(name)) return { group: Number(name) }
  if (locals.has(name)) return { local: name }
  if (isConstant(name)) return { constant: name }
  if (isVariable(name) || isAnswerVariable(name)) return { variable: name }
  return { problem: `$${name} is not a variable that is known here` }
}

/** Why groups with names cannot be used: nothing would read them. */
export function namedGroups(pattern: string): string | undefined {
  return /\(\?P?<[a-z_]/i.test(pattern) ? 'names a group; write $1 to $9' : undefined
}
